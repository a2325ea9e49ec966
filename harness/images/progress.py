"""Telling a person what takes long: one changing line on a terminal, a line every few seconds elsewhere."""

import sys
from dataclasses import dataclass, field
from typing import TextIO

from harness.clock import now_s

QUIET_LINE_EVERY_S = 5.0
MARKS = "-\\|/"


@dataclass(slots=True)
class Progress:
    """Shows a task with its stage and the seconds it has taken. Call :meth:`at` several times a second."""

    task: str
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    started_s: float = field(default_factory=now_s)
    _told_s: float = field(default=0.0, init=False)
    _ticks: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._told_s = self.started_s
        self._line(self.task)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the task was begun."""
        return now_s() - self.started_s

    def at(self, stage: str) -> None:
        """The task is at this stage now."""
        self._ticks += 1
        if self.stream.isatty():
            text = f"harness: {MARKS[self._ticks % 4]} {self.task} ({self.elapsed_s:.0f} s) {stage}"
            self.stream.write(f"\r\033[K{text[:100]}")
            self.stream.flush()
        elif now_s() - self._told_s >= QUIET_LINE_EVERY_S:
            self._told_s = now_s()
            self._line(f"{self.task}, {self.elapsed_s:.0f} s so far: {stage}")

    def done(self, outcome: str) -> None:
        """The task has ended so."""
        if self.stream.isatty():
            self.stream.write("\r\033[K")
        self._line(f"{self.task}: {outcome} after {self.elapsed_s:.1f} s")

    def _line(self, text: str) -> None:
        self.stream.write(f"harness: {text}\n")
        self.stream.flush()
