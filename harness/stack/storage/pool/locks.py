"""Locks of volumes and of indexes: flock(2) on files.

The kernel takes them from a process that dies, but a command that was started with the descriptor keeps them until it
has ended as well. So whoever gets a lock knows that nobody is at it, not even a command of somebody who was killed.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

LOCKS = Path("/proc/locks")


class FileLocks:
    """The locks that one piece of work holds; each is a file in ``folder`` that is never deleted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those of what is held, for commands to inherit."""
        return tuple(self._held.values())

    def take(self, name: str) -> bool:
        """Whether the lock could be had; it is not waited for. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._held[name] = descriptor
        return True

    def release(self, name: str) -> None:
        """Give it back. No error where it is not held."""
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def release_all(self) -> None:
        """Give all of them back, whatever happened."""
        for name in tuple(self._held):
            self.release(name)

    def held_by_anybody(self, names: Iterable[str]) -> frozenset[str]:
        """Which of these are held, by any process that we can see. Nobody is disturbed by looking (proc(5), locks)."""
        inodes = {self._inode(name): name for name in names}
        try:
            rows = [line.split() for line in LOCKS.read_text().splitlines()]
        except OSError:
            return frozenset()
        locked = {int(row[5].rsplit(":", 1)[1]) for row in rows if len(row) > 5 and row[1] == "FLOCK"}
        return frozenset(name for inode, name in inodes.items() if inode in locked)

    def _inode(self, name: str) -> int:
        try:
            return self._file(name).stat().st_ino
        except OSError:
            return -1

    def _file(self, name: str) -> Path:
        return self._folder / f"{quote(name, safe='')}.lock"
