"""A root file system and what lies over it, as one tar archive."""

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO


def write_archive(places: Sequence[Path], output: IO[bytes]) -> None:
    """Everything in these directories, each path once: what lies above hides what is below it, as in layers.

    Docker takes no archive in which a path comes twice. Raises OSError.
    """
    known: set[str] = set()
    with tarfile.open(fileobj=output, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for place in reversed(places):
            for path, name in _below(place):
                if name not in known:
                    known.add(name)
                    archive.add(path, name, recursive=False, filter=_by_number)


def _by_number(one: tarfile.TarInfo) -> tarfile.TarInfo:
    """Owners are numbers: names would be those of this host."""
    one.uname = one.gname = ""
    return one


def _below(place: Path) -> Iterator[tuple[str, str]]:
    """Path here and name in the archive; a directory comes before what is in it."""
    for folder, directories, files in os.walk(place):
        directories.sort()
        for name in sorted((*directories, *files)):
            path = os.path.join(folder, name)  # noqa: PTH118 - tens of thousands of files
            yield path, os.path.relpath(path, place)
