"""Looks at the folder, makes it what it has to be, and proves that its state can be written there."""

import os
import secrets
import stat
from pathlib import Path
from typing import Literal

from ..medium import read_block, write_block
from ..moosefs import within_reach
from ..mounts import mount_of
from ..open_files import writers
from ..unable import Unable
from .core import MODE, PROBE, Seen, Step

NBD = "/dev/nbd"
BLOCK_BYTES = 4096


class NotWritten(Unable):
    """What was written is not what came back."""


def look(given: Path) -> Seen:
    """Nothing is changed by it. Raises OSError."""
    within_reach(given)
    device = mount_of(given.absolute()).device
    if device.startswith(NBD) and (error := _error_of(device)):
        return Seen(str(given.absolute()), device=device, device_error=error)  # nothing on it can be looked at
    path = given.absolute().resolve()
    there = next(one for one in (path, *path.parents) if one.is_dir())
    mount, room = mount_of(there), os.statvfs(there)
    kind = _kind(path)
    found = path.stat() if kind == "folder" else None
    names = tuple(one.name for one in path.iterdir()) if found else ()
    users = {str(user) for of_one in writers(path / name for name in names).values() for user in of_one}
    return Seen(
        str(path),
        kind=kind,
        parent=_kind(path.parent),
        mode=stat.S_IMODE(found.st_mode) if found else MODE,
        owner=found.st_uid if found else os.geteuid(),
        asking=os.geteuid(),
        names=names,
        users=tuple(sorted(users)),
        read_only="ro" in mount.options,
        free_bytes=room.f_bavail * room.f_frsize,
        device=mount.device if mount.device.startswith(NBD) else "",
    )


def _kind(path: Path) -> Literal["nothing", "folder", "other"]:
    return "folder" if path.is_dir() else "other" if path.exists() else "nothing"


def _error_of(device: str) -> str:
    try:
        found = read_block(Path(device), 0, BLOCK_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return "" if found else "it has no server any more"


def perform(step: Step, path: Path) -> None:
    """Durably. Raises OSError."""
    if step == "make":
        path.mkdir(mode=MODE)
        _sync(path.parent)
    path.chmod(MODE)
    _sync(path)


def prove(path: Path) -> None:
    """A file is written there, read back past the page cache, and gone again. Raises OSError, NotWritten."""
    probe, content = path / f"{PROBE}{secrets.token_hex(4)}", os.urandom(BLOCK_BYTES)
    try:
        probe.touch(mode=0o600)
        write_block(probe, 0, content)
        if read_block(probe, 0, BLOCK_BYTES) != content:
            raise NotWritten(f"{path}: what is written there does not come back: look at the storage below")
    finally:
        probe.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
