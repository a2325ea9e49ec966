"""No room where sfha writes: a leader that cannot write changes nothing, and what it runs can hardly write either."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .core import is_full

PLACES = (Path("/etc/sfha"), Path("/var/lib/sfha"))


class Disk:
    """The file systems of some places, the fullest of which counts."""

    name = "disk"

    def __init__(self, places: Sequence[Path] = PLACES) -> None:
        self._places = places
        self._is_full = False

    def look(self) -> bool:
        """Ask the kernel; a place that is not there says nothing."""
        free_bytes: list[int] = []
        for place in self._places:
            with suppress(OSError):
                free_bytes.append(room_bytes(os.statvfs(place)))
        self._is_full = bool(free_bytes) and is_full(min(free_bytes), was_full=self._is_full)
        return self._is_full


def room_bytes(about: os.statvfs_result) -> int:
    """What can still be written there: nothing where it is read-only, or where no file can be added (no inodes)."""
    if about.f_flag & os.ST_RDONLY or (about.f_files and not about.f_favail):
        return 0
    return about.f_bavail * about.f_frsize
