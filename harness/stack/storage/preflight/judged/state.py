"""Whether everything is as the operation takes it to be."""

from ..core import Seen, Weight
from ..sight import Sight
from .judged import Judged

SECTOR_BYTES, NAME_BYTES, ADDED = 512, 255, 60
"""A part has the target's name with what a move adds to it."""


def _named(found: tuple[str, ...]) -> Seen:
    return Seen(not found, ", ".join(found) or "none")


def _immutable(sight: Sight) -> Seen:
    if sight.keep_source:
        return Seen(None, "the source is kept")
    return Seen(not sight.files.immutable, "it is immutable" if sight.files.immutable else "it can")


def _name(sight: Sight) -> Seen:
    length = len(sight.files.target.rpartition("/")[2].encode())
    return Seen(length + ADDED <= NAME_BYTES, f"{length} bytes")


JUDGED = (
    Judged(
        "source-is-of-whole-sectors",
        "state",
        Weight.WARNING,
        "its size is a multiple of 512",
        "is it a disk's image?",
        ("files",),
        lambda sight: Seen(sight.files.size_bytes % SECTOR_BYTES == 0, f"{sight.files.size_bytes} bytes"),
    ),
    Judged(
        "source-is-not-empty",
        "state",
        Weight.WARNING,
        "there is something in it",
        "name another volume",
        ("files",),
        lambda sight: Seen(sight.files.size_bytes > 0, f"{sight.files.size_bytes} bytes"),
    ),
    Judged(
        "source-can-be-deleted",
        "state",
        Weight.CRITICAL,
        "it is not immutable",
        "chattr -i -a, or --keep-source",
        ("files",),
        _immutable,
    ),
    Judged(
        "source-is-no-swap",
        "state",
        Weight.CRITICAL,
        "nobody swaps to it",
        "swapoff",
        ("files", "kernel"),
        lambda sight: Seen(
            sight.files.source not in sight.kernel.swaps,
            "somebody does" if sight.files.source in sight.kernel.swaps else "nobody does",
        ),
    ),
    Judged(
        "source-folder-can-be-written",
        "state",
        Weight.CRITICAL,
        "a snapshot can be made beside it",
        "check rights there",
        ("files",),
        lambda sight: Seen(sight.files.folder_writable, "it can" if sight.files.folder_writable else "it cannot"),
    ),
    Judged(
        "no-snapshot-is-left",
        "state",
        Weight.SERIOUS,
        "no other move left a snapshot beside it",
        "mfs-autonomy move --resume, then look at it",
        ("files",),
        lambda sight: _named(sight.files.snapshots_left),
    ),
    Judged(
        "no-part-is-left",
        "state",
        Weight.SERIOUS,
        "no other move left a part beside the target",
        "mfs-autonomy move --resume, then look at it",
        ("files",),
        lambda sight: _named(sight.files.parts_left),
    ),
    Judged(
        "source-is-not-target",
        "state",
        Weight.CRITICAL,
        "they are two files",
        "name another target",
        ("files",),
        lambda sight: Seen(not sight.files.same, "they are one" if sight.files.same else "they are"),
    ),
    Judged(
        "target-folder-is-itself",
        "state",
        Weight.WARNING,
        "no link leads to the target's folder",
        "name where it leads",
        ("files",),
        lambda sight: Seen(not sight.files.target_by_link, "one does" if sight.files.target_by_link else "none does"),
    ),
    Judged(
        "records-can-be-read",
        "state",
        Weight.CRITICAL,
        "every record of a mapping can be read",
        "look at the volume's last block, then move the record away",
        ("ours",),
        lambda sight: _named(sight.ours.bad_records),
    ),
    Judged(
        "journals-can-be-read",
        "state",
        Weight.SERIOUS,
        "every journal of a move can be read",
        "look at source and target of it, then move it away",
        ("ours",),
        lambda sight: _named(sight.ours.bad_journals),
    ),
    Judged(
        "no-mapping-is-unfinished",
        "state",
        Weight.WARNING,
        "nobody died while mapping",
        "mfs-autonomy unmap FILE",
        ("ours",),
        lambda sight: _named(sight.ours.unfinished),
    ),
    Judged(
        "links-agree",
        "state",
        Weight.WARNING,
        "every link is of a volume that is mapped",
        "mfs-autonomy incidents",
        ("ours",),
        lambda sight: _named(sight.ours.wrong_links),
    ),
    Judged(
        "target-name-is-short-enough",
        "state",
        Weight.CRITICAL,
        "its name leaves room for what a move adds to it",
        "name it shorter",
        ("files",),
        _name,
    ),
)
