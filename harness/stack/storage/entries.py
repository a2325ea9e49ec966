"""What lies directly in a folder of volumes: files, and folders that count as a whole (all disks of one guest)."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 10_000
"""In one entry: whoever has more there has no volumes there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One of them; times are UTC, in seconds since 1970."""

    path: Path
    is_folder: bool
    size_bytes: int
    used_s: float
    """When a file in it was read or written last, as its file system tells: some tell of reads once a day."""
    changed_s: float
    files: int = 1


def entries_of(folder: Path) -> Iterator[Entry]:
    """In the order of their names; what is hidden, a link, a device or empty is none. Raises OSError."""
    for path in sorted(folder.iterdir()):
        if not path.name.startswith("."):
            found = entry_of(path)
            if found is not None:
                yield found


def entry_of(path: Path) -> Entry | None:
    """None where it is no volume, nor a folder of any. Raises OSError."""
    seen = path.lstat()
    if stat.S_ISREG(seen.st_mode):
        return Entry(path, False, seen.st_size, max(seen.st_atime, seen.st_mtime), seen.st_mtime)
    if not stat.S_ISDIR(seen.st_mode):
        return None
    files = [found for found in _files(path) if stat.S_ISREG(found.st_mode)]
    if not files:
        return None
    return Entry(
        path,
        True,
        sum(one.st_size for one in files),
        max(max(one.st_atime, one.st_mtime) for one in files),
        max(one.st_mtime for one in files),
        len(files),
    )


def _files(folder: Path) -> list[os.stat_result]:
    found: list[os.stat_result] = []
    for root, _, names in os.walk(folder, onerror=_raise):
        found += [os.lstat(Path(root, name)) for name in names]
        if len(found) > MOST_FILES:
            raise OSError(f"{folder} has more than {MOST_FILES} files: name the folders of volumes in it instead")
    return found


def _raise(error: OSError) -> None:
    raise error
