"""Whether it can be undone, and verified. What is tried out is tried on files of our own, and deleted again."""

import os
import time

from ...medium import NoDirectAccess, direct, opened
from ...mounts import mount_of
from ..core import Seen, Weight
from ..operation import Operation
from ..run import Checks
from ..trying import files_of_ours

CHECKS = Checks("safety")
SLOW_SYNC_S = 2.0
OLDEST_YEAR = 2024


@CHECKS.check(
    "snapshot-is-possible", Weight.CRITICAL, "another name can be made beside the source", "check rights there"
)
def _(operation: Operation) -> Seen:
    with files_of_ours(operation.source.parent) as (file, other):
        os.link(file, other)
    return Seen(True, "it can")


@CHECKS.check("target-can-be-placed", Weight.CRITICAL, "the target's file system has hard links", "use another one")
def _(operation: Operation) -> Seen:
    with files_of_ours(operation.target.parent) as (file, other):
        try:
            os.link(file, other)
        except OSError as error:
            return Seen(False, f"{mount_of(operation.target.parent.resolve()).kind}: {error.strerror}")
    return Seen(True, "it has")


@CHECKS.check(
    "target-can-be-verified", Weight.SERIOUS, "it can be read past the cache", "--verify-cached, or elsewhere"
)
def _(operation: Operation) -> Seen:
    with files_of_ours(operation.target.parent) as (file, _other):
        try:
            with direct(file):
                return Seen(True, "it can (O_DIRECT)")
        except NoDirectAccess:
            return Seen(False, f"{mount_of(operation.target.parent.resolve()).kind} has no O_DIRECT")


@CHECKS.check("target-syncs", Weight.SERIOUS, "a sync takes less than 2 s", "wait, or look at the storage")
def _(operation: Operation) -> Seen:
    with files_of_ours(operation.target.parent) as (file, _other):
        began_s = time.monotonic()
        with opened(file, os.O_WRONLY) as descriptor:
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
        took_s = time.monotonic() - began_s
    return Seen(took_s < SLOW_SYNC_S, f"{1000 * took_s:.0f} ms")


@CHECKS.check(
    "journal-can-be-written", Weight.CRITICAL, "the folder of the journal can be written", "check rights there"
)
def _(operation: Operation) -> Seen:
    operation.places.journals.mkdir(parents=True, exist_ok=True)
    with files_of_ours(operation.places.journals) as (file, _other), opened(file, os.O_WRONLY) as descriptor:
        os.fsync(descriptor)
    return Seen(True, str(operation.places.journals))


@CHECKS.check("journal-outlives-a-power-cut", Weight.SERIOUS, "the journal is not in memory", "--state on a disk")
def _(operation: Operation) -> Seen:
    kind = mount_of(
        next(path for path in (operation.places.state, *operation.places.state.parents) if path.is_dir())
    ).kind
    return Seen(kind not in ("tmpfs", "ramfs"), kind)


@CHECKS.check("clock-is-set", Weight.WARNING, "the clock is set", "set it: times in journals tell what came when")
def _(operation: Operation) -> Seen:
    year = time.gmtime().tm_year
    return Seen(year >= OLDEST_YEAR, str(year))
