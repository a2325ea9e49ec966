"""The device mapper, between the node's disk and what is on it: so that the disk can be slow, or bad, while in use."""

import fcntl
import mmap
import os
import struct
import time

from .modules import load_modules
from .system import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .wire import Incoming

BELOW, DISK = "/dev/ubda", "/dev/dm-0"
_SECTOR_BYTES, _PAGE_BYTES = 512, 4096
# struct dm_ioctl and struct dm_target_spec, of linux/dm-ioctl.h.
_HEADER, _TARGET = struct.Struct("=3IIIIiIIIQ128s129s7x"), struct.Struct("=QQiI16s")
_CREATE, _SUSPEND, _LOAD = (0xC138FD00 | number for number in (3, 6, 9))
_SUSPENDS, _KEEPS_FILES_GOING, _KEEPS_WAITING = 1 << 1, 1 << 10, 1 << 11
_FIEMAP, _FIEMAP_SYNC, _MOST_EXTENTS = 0xC020660B, 1, 2048
_FIEMAP_HEAD, _EXTENT = struct.Struct("=QQIIII"), struct.Struct("=QQQ16xI12x")
_NOT_ON_DISK, _UNWRITTEN = 0x2 | 0x4 | 0x200, 0x800


class _State:
    """What is wrong with the disk; with the node's power, it ends."""

    def __init__(self) -> None:
        self.slow: tuple[int, int] | None = None
        self.bad: dict[str, list[tuple[int, int]]] = {}


_state = _State()


def begin() -> str:
    """Lay the mapper over the disk; gives what to mount. Before there is a file system, and so an agent."""
    load_modules(("dm-mod",))
    control = _control()
    try:
        _tell(control, _CREATE)
        _load(control)
    finally:
        os.close(control)
    return DISK


def disk(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Change what is wrong with the disk: how many ms reads and writes take longer, which file is on bad sectors.

    Gives what is wrong from now on.
    """
    if "slow" in request:
        load_modules(("dm-delay",))
        _state.slow = tuple(request["slow"]) if request["slow"] is not None else None
    if (path := request.get("bad")) is not None:
        _state.bad[path] = [(at, length) for _, at, length, _ in _extents(path)]
        if request["forget"]:
            _forget(path)
    if (path := request.get("good")) is not None:
        _state.bad.pop(path, None)
    control = _control()
    try:
        _load(control)
    finally:
        os.close(control)
    return tell_disk(_, request)


def tell_disk(_: "Incoming", __: "dict[str, Any]") -> "dict[str, Any]":
    """What is wrong with the disk."""
    return {"slow": _state.slow, "bad": sorted(_state.bad)}


def try_disk(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Write a page of a file past every cache, and read it; gives how long both took, in ns."""
    page, path = mmap.mmap(-1, _PAGE_BYTES), request["path"]
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_DIRECT | os.O_CLOEXEC, 0o600)
    try:
        began = time.monotonic_ns()
        os.pwritev(descriptor, [page], 0)
        wrote = time.monotonic_ns()
        os.preadv(descriptor, [page], 0)
        return {"write_ns": wrote - began, "read_ns": time.monotonic_ns() - wrote}
    finally:
        os.close(descriptor)
        os.unlink(path)


def try_file(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Read a page of a file from where it is on the disk; the error number, 0 for none."""
    path = request["path"]
    written = [logical for logical, _at, _length, flags in _extents(path) if not flags & _UNWRITTEN]
    if not written:
        raise Refused(f"nothing of {path} has been written to the disk")
    page = mmap.mmap(-1, _PAGE_BYTES)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        os.preadv(descriptor, [page], written[0])
    except OSError as error:
        return {"number": error.errno}
    finally:
        os.close(descriptor)
    return {"number": 0}


def _extents(path: str) -> "list[tuple[int, int, int, int]]":
    """Where a file is on the disk: offset in it, place, length, all in bytes, and flags (FS_IOC_FIEMAP)."""
    buffer = bytearray(_FIEMAP_HEAD.size + _MOST_EXTENTS * _EXTENT.size)
    _FIEMAP_HEAD.pack_into(buffer, 0, 0, (1 << 64) - 1, _FIEMAP_SYNC, 0, _MOST_EXTENTS, 0)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _FIEMAP, buffer)
    except OSError as error:
        raise Refused(f"{path} is not on the node's disk: {os.strerror(error.errno or 0)}") from None
    finally:
        os.close(descriptor)
    count = _FIEMAP_HEAD.unpack_from(buffer)[3]
    found = [_EXTENT.unpack_from(buffer, _FIEMAP_HEAD.size + number * _EXTENT.size) for number in range(count)]
    found = [one for one in found if not one[3] & _NOT_ON_DISK]
    if not found:
        raise Refused(f"nothing of {path} is on the node's disk")
    return found


def _forget(path: str) -> None:
    """Have the kernel read it from the disk the next time, as far as nobody has it mapped."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _load(control: int) -> None:
    """Put a table in the place of the present one, under everything that goes on."""
    lines = table(_sectors(), _state.slow, [extent for one in _state.bad.values() for extent in one])
    content = b"".join(
        _TARGET.pack(begin, length, 0, _TARGET.size + len(words), kind.encode()) + words
        for begin, length, kind, text in lines
        for words in (_padded(text),)
    )
    _tell(control, _LOAD, content=content, targets=len(lines))
    # What is under way is kept; and no file system is frozen, which would write out all of what is in memory.
    _tell(control, _SUSPEND, _SUSPENDS | _KEEPS_FILES_GOING | _KEEPS_WAITING)
    _tell(control, _SUSPEND)


def _sectors() -> int:
    descriptor = os.open(BELOW, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END) // _SECTOR_BYTES
    finally:
        os.close(descriptor)


def table(
    sectors: int, slow: "tuple[int, int] | None", bad: "list[tuple[int, int]]"
) -> "list[tuple[int, int, str, str]]":
    """The disk, piece by piece, in sectors: begin, length, kind of target and what that is told. ``bad`` is in bytes.

    What is bad is so whatever else is wrong.
    """
    lines: list[tuple[int, int, str, str]] = []

    def piece(begin: int, end: int) -> None:
        if begin < end:
            place = f"{BELOW} {begin}"
            told = ("linear", place) if slow is None else ("delay", f"{place} {slow[0]} {place} {slow[1]}")
            lines.append((begin, end - begin, *told))

    done = 0
    for place, length in sorted(bad):
        begin, end = place // _SECTOR_BYTES, -(-(place + length) // _SECTOR_BYTES)
        piece(done, begin)
        if (begin := max(begin, done)) < end:
            lines.append((begin, end - begin, "error", ""))
        done = max(done, end)
    piece(done, sectors)
    return lines


def _padded(text: str) -> bytes:
    words = text.encode() + b"\0"
    return words + bytes(-len(words) % 8)


def _control() -> int:
    return os.open("/dev/mapper/control", os.O_RDWR | os.O_CLOEXEC)


def _tell(control: int, what: int, flags: int = 0, content: bytes = b"", targets: int = 0) -> None:
    size = _HEADER.size + len(content)
    head = _HEADER.pack(4, 0, 0, size, _HEADER.size, targets, 0, flags, 0, 0, 0, b"disk", b"")
    fcntl.ioctl(control, what, bytearray(head + content))
