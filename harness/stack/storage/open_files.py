"""Who has a file open (proc(5), fd and fdinfo).

What others have open is told by its inode first, which the kernel says without asking a file system (Linux 5.14), and
only what may be it is looked at: a file of theirs on a mount that does not answer would keep whoever looks at it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


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
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for link in (process / "fd").iterdir():
                info = _told(process, link.name)
                if info.get("ino", -1) not in (-1, *inodes):
                    continue
                at = link.stat()
                for file in wanted.get((at.st_dev, at.st_ino), ()):
                    if info["flags"] & os.O_ACCMODE:
                        found[file].append(User(int(process.name), (process / "comm").read_text().strip()))
        except OSError:  # it has ended, or what it has is none of ours
            continue
    return found


def _told(process: Path, descriptor: str) -> dict[str, int]:
    """Flags and, where the kernel says it, inode of what a process has open. Raises OSError."""
    lines = (line.split(":") for line in (process / "fdinfo" / descriptor).read_text().splitlines()[:4])
    return {
        words[0]: int(words[1], 8 if words[0] == "flags" else 10) for words in lines if words[0] in ("flags", "ino")
    }


def keepers_of(place: tuple[int, int, int]) -> Iterator[User]:
    """Processes that have a descriptor of a file that is locked (flock(2)): device (major, minor) and inode."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for link in (process / "fd").iterdir():
                if _told(process, link.name).get("ino", place[2]) != place[2]:
                    continue
                at = link.stat()
                if (os.major(at.st_dev), os.minor(at.st_dev), at.st_ino) == place:
                    yield User(int(process.name), (process / "comm").read_text().strip())
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
