"""Room, memory and time."""

from collections.abc import Callable

from ...moves.progress import size
from ..core import Seen, Weight
from ..sight import Sight
from .judged import Judged, share

MOST, SWAP, HANGING, RUN_BYTES, SNAPSHOT_BYTES, GROUP_BYTES, FILES = 0.9, 0.1, 16, 1 << 20, 1 << 20, 64 << 20, 16


def _pressure(of: str, most: float) -> Callable[[Sight], Seen]:
    def judge(sight: Sight) -> Seen:
        found = sight.kernel.pressure.get(of)
        if found is None:
            return Seen(None, "this kernel does not measure it")
        return Seen(found < most, f"{found:.0f} % of the last 10 s")

    return judge


def _files(count: int | None) -> Seen:
    return (
        Seen(None, "the file system does not count them")
        if count is None
        else Seen(count >= FILES, f"{count} are left")
    )


def _swap(sight: Sight) -> Seen:
    kernel = sight.kernel
    if not kernel.swap_total_bytes:
        return Seen(None, "there is none")
    return Seen(kernel.swap_free_bytes >= SWAP * kernel.swap_total_bytes, f"{size(kernel.swap_free_bytes)} free")


def _group(sight: Sight) -> Seen:
    room = sight.kernel.group_room_bytes
    return Seen(None, "it has no limit") if room is None else Seen(room >= GROUP_BYTES, f"{size(room)} left")


JUDGED = (
    Judged(
        "swap-is-left", "resources", Weight.WARNING, "a tenth of the swap is free", "add memory", ("kernel",), _swap
    ),
    Judged(
        "processes-can-be-started",
        "resources",
        Weight.SERIOUS,
        "a tenth of the processes is left",
        "end something",
        ("kernel",),
        lambda sight: Seen(
            sight.kernel.threads < MOST * sight.kernel.threads_most,
            share(sight.kernel.threads, sight.kernel.threads_most),
        ),
    ),
    Judged(
        "the-host-can-open-files",
        "resources",
        Weight.SERIOUS,
        "a tenth of the host's files is left",
        "sysctl fs.file-max",
        ("kernel",),
        lambda sight: Seen(
            sight.kernel.files < MOST * sight.kernel.files_most, share(sight.kernel.files, sight.kernel.files_most)
        ),
    ),
    Judged(
        "memory-is-not-stalled",
        "resources",
        Weight.WARNING,
        "tasks wait for memory less than half of the time",
        "wait",
        ("kernel",),
        _pressure("memory", 50.0),
    ),
    Judged(
        "processors-are-not-stalled",
        "resources",
        Weight.WARNING,
        "tasks wait for processors less than 98 % of the time",
        "wait",
        ("kernel",),
        _pressure("cpu", 98.0),
    ),
    Judged(
        "nothing-hangs",
        "resources",
        Weight.WARNING,
        "fewer than 16 processes wait for a device",
        "look at the storage",
        ("kernel",),
        lambda sight: Seen(sight.kernel.hanging < HANGING, f"{sight.kernel.hanging} do"),
    ),
    Judged(
        "state-has-inodes",
        "resources",
        Weight.CRITICAL,
        "16 more files can be made for records",
        "delete files there",
        ("ours",),
        lambda sight: _files(sight.ours.state_files),
    ),
    Judged(
        "run-has-inodes",
        "resources",
        Weight.SERIOUS,
        "16 more locks can be made",
        "delete files there",
        ("ours",),
        lambda sight: _files(sight.ours.run_files),
    ),
    Judged(
        "run-has-room",
        "resources",
        Weight.SERIOUS,
        "1 MiB is free for locks and sockets",
        "make room there",
        ("ours",),
        lambda sight: Seen(sight.ours.run_free_bytes >= RUN_BYTES, f"{size(sight.ours.run_free_bytes)} free"),
    ),
    Judged(
        "source-has-room-for-a-snapshot",
        "resources",
        Weight.WARNING,
        "1 MiB is free beside the source",
        "make room there",
        ("source",),
        lambda sight: Seen(sight.source.free_bytes >= SNAPSHOT_BYTES, f"{size(sight.source.free_bytes)} free"),
    ),
    Judged(
        "the-group-leaves-memory",
        "resources",
        Weight.SERIOUS,
        "our control group leaves 64 MiB",
        "raise MemoryMax",
        ("kernel",),
        _group,
    ),
)
