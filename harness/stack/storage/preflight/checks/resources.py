"""Room, memory and time to do it in."""

import os
import resource
from pathlib import Path

from ...moves.progress import size
from ..core import Seen, Weight
from ..operation import Operation
from ..run import Checks

CHECKS = Checks("resources")
MEMORY_BYTES, STATE_BYTES, FILES, LOAD, PRESSURE = 64 << 20, 16 << 20, 64, 4.0, 50.0
SPARE_BYTES = 64 << 20


@CHECKS.check("target-has-room", Weight.CRITICAL, "the data of the volume and 64 MiB are free", "make room there")
def _(operation: Operation) -> Seen:
    needed = operation.source.stat().st_blocks * 512 + SPARE_BYTES
    free = _free_bytes(operation.target.parent)
    return Seen(free >= needed, f"{size(free)} free, {size(needed)} needed")


@CHECKS.check("target-has-room-for-all", Weight.WARNING, "the whole volume fits, holes filled", "watch it as it fills")
def _(operation: Operation) -> Seen:
    needed, free = operation.source.stat().st_size, _free_bytes(operation.target.parent)
    return Seen(free >= needed, f"{size(free)} free, {size(needed)} when it is full")


@CHECKS.check("target-has-inodes", Weight.CRITICAL, "the target can have another file", "delete files there")
def _(operation: Operation) -> Seen:
    found = os.statvfs(operation.target.parent)
    if found.f_files == 0:
        return Seen(None, "the file system does not count them")
    return Seen(found.f_favail > 1, f"{found.f_favail} files are left")


@CHECKS.check("state-has-room", Weight.CRITICAL, "16 MiB are free for the journal", "make room there")
def _(operation: Operation) -> Seen:
    free = _free_bytes(_there(operation.places.state))
    return Seen(free >= STATE_BYTES, f"{size(free)} free in {operation.places.state}")


@CHECKS.check("memory-is-there", Weight.SERIOUS, "64 MiB of memory are available", "end something, or add memory")
def _(operation: Operation) -> Seen:
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(rows["MemAvailable"].split()[0]) << 10
    return Seen(available >= MEMORY_BYTES, f"{size(available)} available")


@CHECKS.check("files-can-be-opened", Weight.SERIOUS, "64 more files can be opened", "raise the limit (ulimit -n)")
def _(operation: Operation) -> Seen:
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    return Seen(limit == resource.RLIM_INFINITY or limit - used >= FILES, f"{used} of {limit} are open")


@CHECKS.check("files-can-be-so-large", Weight.CRITICAL, "a file may be as large", "raise the limit (ulimit -f)")
def _(operation: Operation) -> Seen:
    limit, _hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    needed = operation.source.stat().st_size
    shown = "unlimited" if limit == resource.RLIM_INFINITY else size(limit)
    return Seen(limit == resource.RLIM_INFINITY or limit >= needed, f"{shown} allowed, {size(needed)} needed")


@CHECKS.check("processors-are-free", Weight.WARNING, "a load below 4 for each processor", "wait until it is quieter")
def _(operation: Operation) -> Seen:
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return Seen(load < LOAD, f"{load:.1f} for each processor")


@CHECKS.check("disks-are-not-stalled", Weight.WARNING, "tasks wait for disks less than half of the time", "wait")
def _(operation: Operation) -> Seen:
    try:
        text = Path("/proc/pressure/io").read_text()
    except OSError:
        return Seen(None, "this kernel does not measure it")
    share = float(text.split("avg10=")[1].split()[0])
    return Seen(share < PRESSURE, f"{share:.0f} % of the last 10 s")


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())
