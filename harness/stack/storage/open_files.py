"""Who has a file open (proc(5), fd and fdinfo).

What others have open is told by its inode first, which the kernel says without asking a file system (Linux 5.14), and
only what may be it is looked at: a file of theirs on a mount that does not answer would keep whoever looks at it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

SHORT_BYTES = 256
"""Of what the kernel says of a descriptor: the lines that every kind has come first."""
BASES = {b"flags": 8, b"ino": 10}


class User(NamedTuple):
    """A process that has it open."""

    pid: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})"


def writers_of(file: Path) -> list[str]:
    """Processes of this host, as far as they can be seen, that have it open for writing. Raises OSError."""
    file.stat()
    return [str(one) for one in writers([file])[file]]


def writers(files: Iterable[Path]) -> dict[Path, list[User]]:
    """The same of several, in one look through all processes; none of a file that is not there."""
    found: dict[Path, list[User]] = {file: [] for file in files}
    wanted: dict[tuple[int, int], list[Path]] = {}
    inodes: set[int] = set()
    for file in found:
        try:
            seen = file.stat()
        except OSError:
            continue
        wanted.setdefault((seen.st_dev, seen.st_ino), []).append(file)
        inodes.add(seen.st_ino)
    if not wanted:
        return found
    for process in _processes():
        try:
            for link, info in _open_in(process):
                if info.get("ino", -1) not in (-1, *inodes):
                    continue
                at = os.stat(link)
                for file in wanted.get((at.st_dev, at.st_ino), ()):
                    if info["flags"] & os.O_ACCMODE:
                        found[file].append(_user(process))
        except OSError:  # it has ended, or what it has is none of ours
            continue
    return found


def _processes() -> list[str]:
    """As words: with a path for each, a look at all that anybody has open takes twice as long."""
    with os.scandir("/proc") as entries:
        return [entry.path for entry in entries if entry.name.isdigit()]


def _open_in(process: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Each descriptor, with flags and, where the kernel says it, inode of what is open. Raises OSError."""
    with os.scandir(f"{process}/fd") as entries:
        for entry in entries:
            with open(f"{process}/fdinfo/{entry.name}", "rb", buffering=0) as file:
                lines = [line.partition(b":") for line in file.read(SHORT_BYTES).splitlines()[:4]]
            told = {key.decode(): int(value, BASES[key]) for key, _, value in lines if key in BASES}
            yield entry.path, told


def _user(process: str) -> User:
    return User(int(process.rpartition("/")[2]), Path(process, "comm").read_text().strip())


def keepers_of(place: tuple[int, int, int]) -> Iterator[User]:
    """Processes that have a descriptor of a file that is locked (flock(2)): device (major, minor) and inode."""
    for process in _processes():
        try:
            for link, info in _open_in(process):
                if info.get("ino", place[2]) != place[2]:
                    continue
                at = os.stat(link)
                if (os.major(at.st_dev), os.minor(at.st_dev), at.st_ino) == place:
                    yield _user(process)
                    break
        except OSError:
            continue


def lock_is_held(path: Path) -> bool:
    """Whether any process has a lock of this file (proc(5), locks); nobody is disturbed by looking."""
    try:
        seen = path.stat()
        rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return False
    place = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
    return any(place in row for row in rows)
