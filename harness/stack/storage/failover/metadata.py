"""Reads what a metalogger has (MooseFS 4: header of 24 bytes, big-endian; changelogs of lines "NUMBER: TIME|WHAT")."""

import os
import re
from pathlib import Path

from ..medium import opened
from .core import END, Candidate, enough_metadata

METADATA = "metadata_ml.mfs.back"
CHANGELOGS = ("changelog_ml.*.mfs", "changelog_ml_back.*.mfs")
_CHANGE = re.compile(rb"^(\d+): \d+\|.*\n", re.MULTILINE)


def candidate_of(folder: Path) -> Candidate:
    """Whether a master can be made of it. Raises OSError."""
    signature, end, version = b"", b"", 0
    file = folder / METADATA
    if file.is_file():
        with opened(file, os.O_RDONLY) as descriptor:
            head = os.pread(descriptor, 24, 0)
            size_bytes = os.fstat(descriptor).st_size
            end = os.pread(descriptor, len(END), max(0, size_bytes - len(END)))
        signature, version = head[:8], int.from_bytes(head[8:16], "big")
    changes = set()
    for pattern in CHANGELOGS:
        for log in folder.glob(pattern):
            changes |= {number for number in map(int, _CHANGE.findall(log.read_bytes())) if number >= version}
    return enough_metadata(signature, end, version, frozenset(changes))
