"""The time of day in a node with a kernel of its own, compared with this host's, and set."""

import time
from dataclasses import dataclass

from harness.engines.uml.asked import ask_now
from harness.errors import EngineError

_EXCHANGES = 5
_TRIES = 5
_RIGHT_WITHIN_S = 0.02
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ahead:
    """How far a node's time of day is ahead of this host's, how far off that may be, and when that was so."""

    ahead_s: float
    error_s: float
    at_s: float
    """On CLOCK_MONOTONIC of this host."""

    def __str__(self) -> str:
        return f"{self.ahead_s:+.4f} s (within {self.error_s * 1000:.1f} ms)"


@dataclass(frozen=True, slots=True)
class WallClock:
    """Of the node whose kernel is this process."""

    pid: int

    def ahead(self) -> Ahead:
        """Ask several times: it was said between a question and its answer, and the quickest of them tells best."""
        return min((self._ahead() for _ in range(_EXCHANGES)), key=lambda one: one.error_s)

    def _ahead(self) -> Ahead:
        asked_ns = time.time_ns()
        said_ns: int = ask_now(self.pid, {"do": "tell-clock"})[0]["unix_ns"]
        answered_ns = time.time_ns()
        middle_ns = (asked_ns + answered_ns) // 2
        return Ahead((said_ns - middle_ns) / _NS, (answered_ns - asked_ns) / 2 / _NS, time.monotonic())

    def set(self, ahead_s: float) -> None:
        """Set it to ours and so much more (or less).

        What measures spans of time (CLOCK_MONOTONIC) goes on as before, as on any machine whose clock is set.
        """
        ask_now(self.pid, {"do": "set-clock", "unix_ns": time.time_ns() + round(ahead_s * _NS)})

    def set_right(self) -> None:
        """Let it run as quickly as ours, and show the same; what was under way for too long is set again."""
        self.pace(0)
        for _ in range(_TRIES):
            self.set(0.0)
            if abs((found := self.ahead()).ahead_s) <= _RIGHT_WITHIN_S + found.error_s:
                return
        raise EngineError(f"the node's clock could not be set: it is {found} ahead")

    def pace(self, ppm: int | None = None) -> int:
        """By how many millionths it runs quicker than it should; where it is said, from now on by so many."""
        wanted = None if ppm is None else ppm * 1000
        said: int = ask_now(self.pid, {"do": "pace", "ppb": wanted})[0]["ppb"]
        return round(said / 1000)
