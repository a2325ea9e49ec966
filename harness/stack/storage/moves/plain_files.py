"""Volumes that are plain files: images of disks, storage of containers (lseek(2), open(2), ioctl_ficlone(2))."""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..medium import ALIGNED_BYTES, NoDirectAccess, direct, opened
from ..mounts import mount_of
from .core import Fingerprint

FICLONE = 0x40049409
DISKS = ("ext4", "xfs", "btrfs")
"""File systems that are read past their cache by several threads at once; others are quicker with it."""


class PlainFiles:
    """The host's file systems."""

    def fingerprint(self, path: str) -> Fingerprint | None:
        """Of a regular file."""
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        return Fingerprint(found.st_ino, found.st_size, found.st_mtime_ns)

    def snapshot(self, source: str, snapshot: str) -> None:
        """A clone where the file system has them, else another name: that keeps the content from being deleted.

        What is written to the source meanwhile shows in the second kind; a move notices it and is rolled back.
        """
        self.unlink(snapshot)
        try:
            clone(source, snapshot)
        except OSError:
            self.unlink(snapshot)
            os.link(source, snapshot)
        self.sync_folder(snapshot)

    @contextmanager
    def reading(self, path: str) -> "Iterator[OpenFile]":
        """Past the page cache where it is a disk of this host: nothing is copied then, nor does it push out others."""
        if _is_on_a_disk(path):
            with suppress(NoDirectAccess), direct(Path(path), os.O_RDONLY | os.O_NOFOLLOW) as descriptor:
                yield OpenFile(descriptor)
                return
        with opened(Path(path), os.O_RDONLY | os.O_NOFOLLOW) as descriptor:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            yield OpenFile(descriptor)

    @contextmanager
    def reading_medium(self, path: str, *, cached: bool) -> "Iterator[OpenFile]":
        """Past it."""
        try:
            with direct(Path(path), os.O_RDONLY | os.O_NOFOLLOW) as descriptor:
                yield OpenFile(descriptor)
        except NoDirectAccess as error:
            if not cached:
                raise OSError(errno.ENOTSUP, f"{error}; --verify-cached takes the page cache's word") from error
            with opened(Path(path), os.O_RDONLY | os.O_NOFOLLOW) as descriptor:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                yield OpenFile(descriptor)

    @contextmanager
    def creating(self, path: str, size_bytes: int, like: str) -> "Iterator[New]":
        """All hole at first. Past the page cache where it is a disk of this host: nothing is copied then."""
        self.unlink(path)
        with ExitStack() as stack:
            fresh = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            descriptor = past = stack.enter_context(opened(Path(path), fresh))
            os.ftruncate(descriptor, size_bytes)
            if _is_on_a_disk(path):
                with suppress(NoDirectAccess):
                    past = stack.enter_context(direct(Path(path), os.O_WRONLY | os.O_NOFOLLOW))
            yield New(descriptor, past)
            if past is descriptor:  # MooseFS changes the times of a file when what is written reaches it
                os.fdatasync(descriptor)
            found = os.stat(like)
            os.fchown(descriptor, found.st_uid, found.st_gid)
            shutil.copystat(like, path)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def link(self, path: str, name: str) -> None:
        """A hard link."""
        os.link(path, name)

    def unlink(self, path: str) -> None:
        """Idempotent."""
        Path(path).unlink(missing_ok=True)

    def sync_folder(self, path: str) -> None:
        """fsync(2) of the directory."""
        folder = Path(path).parent
        with opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)

    def append(self, path: str, data: bytes, whole_bytes: int) -> None:
        """Synced with its name."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, whole_bytes)
            written = os.pwrite(descriptor, data, whole_bytes)
            if written != len(data):
                raise OSError(errno.ENOSPC, "written in part only", path)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.sync_folder(path)

    def content(self, path: str) -> bytes:
        """Of a journal."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return b""


class OpenFile:
    """A file, read by way of the page cache or past it; by several threads at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size

    def data(self) -> Iterator[tuple[int, int]]:
        """By SEEK_DATA and SEEK_HOLE; a file system without holes says that all is data."""
        at = 0
        while at < self.size_bytes:
            try:
                begin = os.lseek(self._descriptor, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                    return
                raise
            at = os.lseek(self._descriptor, begin, os.SEEK_HOLE)
            yield begin, at

    def read(self, offset: int, length: int, memory: memoryview) -> None:
        """Until all of it is there. Past the cache only whole pages are read, also where the file ends within one."""
        whole = -(-length // ALIGNED_BYTES) * ALIGNED_BYTES
        found = 0
        while found < length:
            count = os.preadv(self._descriptor, [memory[found:whole]], offset + found)
            if count == 0:
                raise OSError(errno.EIO, f"ends at {offset + found} bytes")
            found += count


class New:
    """A file that is being written, by several threads at once."""

    def __init__(self, descriptor: int, past: int) -> None:
        self._descriptor, self._past = descriptor, past

    def write(self, offset: int, data: memoryview) -> None:
        """Until all of it is there. Past the cache only whole pages are written, so not what the file ends with."""
        whole = len(data) // ALIGNED_BYTES * ALIGNED_BYTES
        written = 0
        while written < whole:
            written += os.pwrite(self._past, data[written:whole], offset + written)
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], offset + written)


def _is_on_a_disk(path: str) -> bool:
    return mount_of(Path(path).parent.resolve()).kind in DISKS


def clone(source: str, target: str) -> None:
    """Another file with the same content, which neither takes from the other. Raises OSError where there is none."""
    fresh = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with opened(Path(source), os.O_RDONLY) as origin, opened(Path(target), fresh) as descriptor:
        fcntl.ioctl(descriptor, FICLONE, origin)
        os.fsync(descriptor)
