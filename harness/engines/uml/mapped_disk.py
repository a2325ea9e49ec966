"""The disk of a node with a kernel of its own, as its device mapper has it: slow, or bad where a file lies."""

import errno
from dataclasses import dataclass
from typing import Any

from harness.engines.uml.asked import ask_now

_PROBE = "/var/tmp/.harness-probe"
_ANSWER_S = 60.0
"""A disk may be slow."""


@dataclass(frozen=True, slots=True)
class MappedDisk:
    """Of the node whose kernel is this process."""

    pid: int

    def slow(self, read_ms: int, write_ms: int) -> None:
        """Have reads and writes take so much longer; 0 for both: as quick as it is."""
        self._ask("disk", slow=[read_ms, write_ms] if read_ms or write_ms else None)

    def bad(self, path: str, *, forget: bool) -> None:
        """Have nothing be read or written where a file lies on the disk. EngineError for one that does not.

        Unless the kernel is to forget it, what it has in memory of the file can still be read, and changed there.
        """
        self._ask("disk", bad=path, forget=int(forget))

    def good(self, path: str) -> None:
        """Where a file lay on the disk can be read and written again."""
        self._ask("disk", good=path)

    def is_slow(self) -> bool:
        """Whether it was made so."""
        return self._ask("tell-disk")["slow"] is not None

    def has_bad(self, path: str) -> bool:
        """Whether the places of this file were made bad."""
        return path in self._ask("tell-disk")["bad"]

    def took_s(self) -> tuple[float, float]:
        """How long it takes to write a page past every cache, and to read it."""
        found = self._ask("try-disk", path=_PROBE)
        return found["write_ns"] / 1e9, found["read_ns"] / 1e9

    def can_read(self, path: str) -> bool:
        """Whether a page of a file can be read from the disk (EIO). FileNotFoundError when there is no such file."""
        number: int = self._ask("try-file", path=path)["number"]
        return number != errno.EIO

    def _ask(self, what: str, **words: object) -> dict[str, Any]:
        return ask_now(self.pid, {"do": what, **words}, within_s=_ANSWER_S)[0]
