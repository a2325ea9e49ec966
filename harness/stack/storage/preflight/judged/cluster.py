"""MooseFS, and the file systems that the volume comes from and goes to."""

from collections.abc import Callable

from ...moves.progress import size
from ..core import Seen, Weight
from ..sight import Moose, Sight
from .judged import Judged

QUICK_S, SPARE_SHARE = 1.0, 0.05
NONE = Seen(None, "no MooseFS is concerned")


def _moose(judge: Callable[[Moose, Sight], Seen]) -> Callable[[Sight], Seen]:
    return lambda sight: NONE if sight.moose is None else judge(sight.moose, sight)


def _chunks(name: str) -> Callable[[Sight], Seen]:
    return _moose(lambda moose, _: Seen(moose.chunks.get(name, 0) == 0, f"{moose.chunks.get(name, 0)} are"))


def _room(moose: Moose, sight: Sight) -> Seen:
    free, needed = moose.free_bytes, sight.files.size_bytes
    return Seen(free >= needed, f"{size(free)} free, {size(needed)} needed")


def _spare(moose: Moose, _sight: Sight) -> Seen:
    left = moose.free_bytes / moose.total_bytes if moose.total_bytes else 0.0
    return Seen(left >= SPARE_SHARE, f"{100 * left:.0f} % are free")


def _quick(which: str) -> Callable[[Sight], Seen]:
    def judge(sight: Sight) -> Seen:
        took_s = (sight.source if which == "source" else sight.target).answers_s
        return Seen(took_s < QUICK_S, f"{1000 * took_s:.0f} ms")

    return judge


def _uncovered(sight: Sight) -> Seen:
    covered = [name for name, one in (("source", sight.source), ("target", sight.target)) if one.covered]
    return Seen(not covered, f"{' and '.join(covered) or 'neither'} is")


def _stored(moose: Moose, _sight: Sight) -> Seen:
    good = moose.save_status in (
        "-",
        "ok",
        "Saved in background",
        "Saved in foreground",
        "Downloaded from other master",
    )
    return Seen(good, f"the last time: {moose.save_status}")


JUDGED = (
    Judged(
        "chunkservers-are-there",
        "cluster",
        Weight.CRITICAL,
        "a chunkserver is connected",
        "start mfschunkserver",
        ("moose",),
        _moose(lambda moose, _: Seen(moose.chunkservers > 0, f"{moose.chunkservers} are")),
    ),
    Judged(
        "two-copies-are-possible",
        "cluster",
        Weight.WARNING,
        "two chunkservers are connected",
        "start another one",
        ("moose",),
        _moose(lambda moose, _: Seen(moose.chunkservers > 1, f"{moose.chunkservers} are")),
    ),
    Judged(
        "no-chunk-is-missing",
        "cluster",
        Weight.CRITICAL,
        "no chunk is missing",
        "bring back the chunkserver that has it",
        ("moose",),
        _chunks("missing"),
    ),
    Judged(
        "no-chunk-is-endangered",
        "cluster",
        Weight.SERIOUS,
        "no chunk has its last copy only",
        "wait until it is copied",
        ("moose",),
        _chunks("endangered"),
    ),
    Judged(
        "no-chunk-lacks-a-copy",
        "cluster",
        Weight.WARNING,
        "every chunk has its copies",
        "wait until it is copied",
        ("moose",),
        _chunks("undergoal"),
    ),
    Judged(
        "cluster-has-room",
        "cluster",
        Weight.CRITICAL,
        "MooseFS has room for the volume",
        "add disks",
        ("moose", "files"),
        _moose(_room),
    ),
    Judged(
        "cluster-has-room-to-spare",
        "cluster",
        Weight.WARNING,
        "5 % of MooseFS are free",
        "add disks",
        ("moose",),
        _moose(_spare),
    ),
    Judged(
        "disks-of-chunkservers-are-well",
        "cluster",
        Weight.SERIOUS,
        "no disk has errors",
        "replace it",
        ("moose",),
        _moose(lambda moose, _: Seen(not moose.bad_disks, ", ".join(moose.bad_disks) or "none has")),
    ),
    Judged(
        "nobody-maintains-a-chunkserver",
        "cluster",
        Weight.WARNING,
        "no chunkserver is in maintenance",
        "wait for its end",
        ("moose",),
        _moose(lambda moose, _: Seen(not moose.maintained, ", ".join(moose.maintained) or "none is")),
    ),
    Judged(
        "metadata-is-stored",
        "cluster",
        Weight.SERIOUS,
        "the master could store its metadata",
        "make room on the master",
        ("moose",),
        _moose(_stored),
    ),
    Judged(
        "one-version-everywhere",
        "cluster",
        Weight.WARNING,
        "master and chunkservers are of one version",
        "finish the upgrade",
        ("moose",),
        _moose(lambda moose, _: Seen(len(moose.versions) <= 1, ", ".join(moose.versions) or "none is known")),
    ),
    Judged(
        "source-mount-is-quick",
        "cluster",
        Weight.WARNING,
        "the source's file system answers within 1 s",
        "wait",
        ("source",),
        _quick("source"),
    ),
    Judged(
        "target-mount-is-quick",
        "cluster",
        Weight.WARNING,
        "the target's file system answers within 1 s",
        "wait",
        ("target",),
        _quick("target"),
    ),
    Judged(
        "mounts-are-not-covered",
        "cluster",
        Weight.WARNING,
        "no other mount lies over either",
        "look at findmnt",
        ("source", "target"),
        _uncovered,
    ),
)
