"""Locks of volumes and of indexes: flock(2) on files.

The kernel takes them from a process that dies, but a command that was started with the descriptor keeps them until it
has ended as well. So whoever gets a lock knows that nobody is at it, not even a command of somebody who was killed.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

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
        """Which of these are held, by any process that we can see. Nobody is disturbed by looking (proc(5), locks).

        A hint only: where the file system shows another device to stat(2) than to the kernel, nothing is found.
        """
        places = {self._place(name): name for name in names}
        try:
            rows = [line.split() for line in LOCKS.read_text().splitlines()]
        except OSError:
            return frozenset()
        locked = {_place_in(row[5]) for row in rows if len(row) > 5 and row[1] == "FLOCK"}
        return frozenset(name for place, name in places.items() if place in locked)

    def _place(self, name: str) -> tuple[int, int, int]:
        try:
            found = self._file(name).stat()
        except OSError:
            return (-1, -1, -1)
        return os.major(found.st_dev), os.minor(found.st_dev), found.st_ino

    def _file(self, name: str) -> Path:
        return self._folder / f"{quote(name, safe='')}.lock"


def owners(folder: Path) -> dict[str, tuple[int, tuple[int, int, int]]]:
    """Name of each lock in the folder that is held -> the process that took it (it may be gone), and its file's place.

    A hint, as above. Raises OSError.
    """
    places = {}
    for file in folder.glob("*.lock"):
        found = file.stat()
        place = os.major(found.st_dev), os.minor(found.st_dev), found.st_ino
        places[place] = unquote(file.name.removesuffix(".lock"))
    rows = [line.split() for line in LOCKS.read_text().splitlines()]
    held = {_place_in(row[5]): int(row[4]) for row in rows if len(row) > 5 and row[1] == "FLOCK"}
    return {places[place]: (pid, place) for place, pid in held.items() if place in places}


def _place_in(word: str) -> tuple[int, int, int]:
    """Device and inode of "fe:01:1234"."""
    major, minor, inode = word.split(":")
    return int(major, 16), int(minor, 16), int(inode)
