"""What every daemon needs from the outside world. Cores decide; ports do."""

from typing import Protocol


class Clock(Protocol):
    """Seconds of CLOCK_MONOTONIC."""

    def __call__(self) -> float: ...


class Log(Protocol):
    """Writes one structured event: a name and its fields."""

    def __call__(self, event: str, **fields: object) -> None: ...
