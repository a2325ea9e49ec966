"""What mapping needs from the outside world."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ..pool.core import IndexFacts
from ..unable import Unable


class AttachTaken(Exception):
    """Somebody has the index already, or the driver asks to try again: another index may do."""


class PortFailed(Unable):
    """Something could not be done; the message is one line that says what."""


class Driver(Protocol):
    """One way to make a block device of a volume's file. Its indexes are those of its devices."""

    name: str

    def absent(self) -> str | None:
        """What it lacks here and what to do about it; None where it can be used."""

    def indexes(self) -> Sequence[int]:
        """The pool."""

    def device(self, index: int) -> Path:
        """The device of an index."""

    def serving(self) -> Mapping[int, str] | None:
        """Index -> the file that is served there, or words for what is not ours; None where that cannot be told."""

    def facts(self, index: int, serves: str | None) -> IndexFacts:
        """What the kernel says of an index."""

    def attach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """Have the device serve the file. Commands inherit the descriptors ``keep``: the locks, until they end.

        Raises AttachTaken and PortFailed.
        """

    def detach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """Let go of the file. Idempotent. Raises PortFailed."""
