"""Reading and writing past the page cache: what comes out is what the medium has, not what was meant to be there.

open(2), O_DIRECT: memory, offset and length have to be aligned; a mapping of anonymous memory begins at a page.
"""

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALIGNED_BYTES = 4096


class NoDirectAccess(Exception):
    """The file system keeps everything in memory, or lets nobody past its cache (tmpfs before Linux 6.6, some FUSE)."""


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """A descriptor for a block of code; what it creates is for its owner alone. Raises OSError."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def direct(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """The same past the page cache. Raises NoDirectAccess where that cannot be, OSError."""
    try:
        descriptor = os.open(path, flags | os.O_DIRECT | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise NoDirectAccess(f"{path}: its file system has no direct access (O_DIRECT)") from error
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_direct(descriptor: int, buffer: mmap.mmap, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes at an aligned offset; fewer at the end of the file. The buffer is at least as long."""
    whole = -(-length // ALIGNED_BYTES) * ALIGNED_BYTES
    with memoryview(buffer) as view:
        count = os.preadv(descriptor, [view[:whole]], offset)
        return bytes(view[: min(count, length)])


def read_block(path: Path, offset: int, length: int) -> bytes:
    """One aligned block from the medium; where that cannot be, with the page cache dropped before. Raises OSError."""
    try:
        with direct(path) as descriptor, mmap.mmap(-1, length) as buffer:
            return read_direct(descriptor, buffer, offset, length)
    except NoDirectAccess:
        with opened(path, os.O_RDONLY) as descriptor:
            os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)
            return os.pread(descriptor, length, offset)


def write_block(path: Path, offset: int, data: bytes) -> None:
    """Write one block and wait until it is on the medium; the page cache holds nothing of it then. Raises OSError."""
    with opened(path, os.O_WRONLY) as descriptor:
        written = os.pwrite(descriptor, data, offset)
        if written != len(data):
            raise OSError(errno.EIO, f"{path}: wrote {written} of {len(data)} bytes")
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, offset, len(data), os.POSIX_FADV_DONTNEED)
