"""Whether everything is as the operation takes it to be."""

import os
import stat
from pathlib import Path

from ...mapping.mapper import volume_of
from ...mapping.records import Records
from ...medium import opened
from ...moves.journal import read
from ...open_files import writers_of
from ...pool.locks import FileLocks
from ..core import Seen, Weight
from ..operation import Operation, exists
from ..run import Checks

CHECKS = Checks("state")
CARELESS = 0o002
SYSTEM = frozenset(("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr"))
"""Folders at the root in which no volume lies (Filesystem Hierarchy Standard 3.0, chapter 3)."""


@CHECKS.check(
    "source-is-a-file",
    Weight.CRITICAL,
    "the source is a regular file, and no part of the system",
    "name the volume's own file",
)
def _(operation: Operation) -> Seen:
    if not exists(operation.source):
        return Seen(False, f"there is no {operation.source}")
    if SYSTEM.intersection(operation.source.resolve().parts[1:2]):
        return Seen(False, f"{operation.source} is a part of the system")
    mode = operation.source.lstat().st_mode
    return Seen(stat.S_ISREG(mode), f"{operation.source} is {'one' if stat.S_ISREG(mode) else stat.filemode(mode)}")


@CHECKS.check("source-can-be-read", Weight.CRITICAL, "its beginning and end can be read", "repair its storage first")
def _(operation: Operation) -> Seen:
    size_bytes = operation.source.stat().st_size
    with opened(operation.source, os.O_RDONLY) as descriptor:
        for offset in {0, max(0, size_bytes - 4096)}:
            os.pread(descriptor, 4096, offset)
    return Seen(True, f"both, of {size_bytes} bytes")


@CHECKS.check("source-has-one-name", Weight.SERIOUS, "no other name leads to it", "--keep-source, or delete the other")
def _(operation: Operation) -> Seen:
    links = operation.source.stat().st_nlink
    return Seen(links == 1 or operation.keep_source, f"it has {links}")


@CHECKS.check("source-is-not-written", Weight.CRITICAL, "nobody has it open for writing", "stop whoever uses it")
def _(operation: Operation) -> Seen:
    users = writers_of(operation.source)
    return Seen(not users, ", ".join(users) or "nobody has")


@CHECKS.check("source-is-not-mapped", Weight.CRITICAL, "it is no device at the moment", "mfs-autonomy unmap FILE")
def _(operation: Operation) -> Seen:
    record = Records(operation.places.mappings).read(volume_of(operation.source))
    return Seen(record is None, "it is not" if record is None else f"{record.stage.value}, index {record.index}")


@CHECKS.check("source-is-under-no-loop", Weight.CRITICAL, "no loop device is over it", "losetup -d DEVICE")
def _(operation: Operation) -> Seen:
    wanted, found = str(operation.source.resolve()), []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found += [backing.parts[3]] if backing.read_text().strip() == wanted else []
        except OSError:  # detached meanwhile
            continue
    return Seen(not found, ", ".join(found) or "none is")


@CHECKS.check("target-is-not-there", Weight.CRITICAL, "nothing has the target's name", "name another target")
def _(operation: Operation) -> Seen:
    there = exists(operation.target)
    return Seen(not there, f"{operation.target} is {'there' if there else 'free'}")


@CHECKS.check("target-has-a-folder", Weight.CRITICAL, "the folder of the target is there", "make it")
def _(operation: Operation) -> Seen:
    return Seen(operation.target.parent.is_dir(), str(operation.target.parent))


@CHECKS.check("target-folder-is-kept", Weight.WARNING, "not everybody may write to its folder", "chmod o-w")
def _(operation: Operation) -> Seen:
    mode = operation.target.parent.stat().st_mode
    return Seen(not mode & CARELESS or bool(mode & stat.S_ISVTX), stat.filemode(mode))


@CHECKS.check("no-move-is-unfinished", Weight.CRITICAL, "no other move has to do with it", "mfs-autonomy move --resume")
def _(operation: Operation) -> Seen:
    concerned = {str(operation.source), str(operation.target)}
    for path in sorted(operation.places.journals.glob("*.journal")):
        move, _bytes = read(path.read_bytes())
        if move is not None and not move.ended and concerned & {move.source, move.target}:
            return Seen(False, f"{move.id}: {move.source} to {move.target}, {move.phase.value}")
    return Seen(True, "none has")


@CHECKS.check("locks-are-free", Weight.CRITICAL, "nobody maps or moves either", "wait for it")
def _(operation: Operation) -> Seen:
    names = [f"volume {volume_of(path)}" for path in (operation.source, operation.target)]
    held = FileLocks(operation.places.run).held_by_anybody(names)
    return Seen(not held, ", ".join(sorted(held)) or "nobody does")
