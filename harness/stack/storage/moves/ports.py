"""What a move needs of a disk; the real one is ``plain_files``, tests have one that loses what was not synced."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from .core import Fingerprint


class Readable(Protocol):
    """A file that is open for reading, by several threads at once."""

    size_bytes: int

    def data(self) -> Iterator[tuple[int, int]]:
        """Where there is data: from, up to (bytes), in order; everything else is zeros."""

    def read(self, offset: int, length: int, memory: memoryview) -> None:
        """All of it, to the begin of ``memory``, which has whole pages. Raises OSError, also where it is shorter."""


class Writable(Protocol):
    """A new file that is open for writing, by several threads at once; of its size already, all zeros."""

    def write(self, offset: int, data: memoryview) -> None:
        """All of it. Raises OSError."""


class Disk(Protocol):
    """File systems. Every name is absolute; everything raises OSError."""

    def fingerprint(self, path: str) -> Fingerprint | None:
        """Of a regular file; None where there is nothing."""

    def snapshot(self, source: str, snapshot: str) -> None:
        """Keep the content of the source under another name, beside it, durably. Replaces what an earlier try left."""

    def reading(self, path: str) -> AbstractContextManager[Readable]:
        """Open a file."""

    def reading_medium(self, path: str, *, cached: bool) -> AbstractContextManager[Readable]:
        """Open it past the page cache. Where that cannot be: OSError, unless ``cached``."""

    def creating(self, path: str, size_bytes: int, like: str) -> AbstractContextManager[Writable]:
        """A new file, which nobody else may open; replaces what an earlier try left under this name.

        In the end it has owner, mode and times of the one that it is to be ``like``, and all of it is synced.
        """

    def link(self, path: str, name: str) -> None:
        """Another name for a file; FileExistsError where that is taken."""

    def unlink(self, path: str) -> None:
        """Take a name away. No error where it is not there."""

    def sync_folder(self, path: str) -> None:
        """Wait until the names in the folder of this file are on the medium."""

    def append(self, path: str, data: bytes, whole_bytes: int) -> None:
        """To a journal, durably, after its first ``whole_bytes``: what stands behind them is cut off."""

    def content(self, path: str) -> bytes:
        """Of a journal; empty where there is none."""
