"""The clock of a node with a kernel of its own, on the clock of the run. Pure.

Both are CLOCK_MONOTONIC; they began at different times, and may run at slightly different speeds. A question for the
time is asked at one instant of the run and answered at another: the node's time was read somewhere in between. So each
exchange gives an interval for the difference; what several exchanges say together is narrower than any one of them.
"""

from collections import deque
from dataclasses import dataclass, field

DRIFT_PER_S = 100e-6
"""How much faster or slower than ours a node's clock may run: more than any that is kept by a crystal."""
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """One exchange."""

    asked_s: float
    said_s: float
    """By the node's clock."""
    answered_s: float

    def bounds_s(self, at_s: float) -> tuple[float, float]:
        """Between what the difference (ours minus the node's) lies at an instant of the run."""
        apart_s = DRIFT_PER_S * max(0.0, at_s - self.answered_s, self.asked_s - at_s)
        return self.asked_s - self.said_s - apart_s, self.answered_s - self.said_s + apart_s


@dataclass(slots=True)
class NodeClock:
    """What is known of one node's clock."""

    _readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def feed(self, reading: Reading) -> None:
        """One exchange more."""
        self._readings.append(reading)

    def known(self) -> bool:
        """Whether there was any."""
        return bool(self._readings)

    def mapped(self, said_s: float) -> tuple[float, float]:
        """An instant of the node's clock on ours, and how far off that may be."""
        rough_s = said_s + self._readings[-1].asked_s - self._readings[-1].said_s
        low_s, high_s = self.difference_s(rough_s)
        return said_s + (low_s + high_s) / 2, (high_s - low_s) / 2

    def difference_s(self, at_s: float) -> tuple[float, float]:
        """Between what the difference lies at an instant of the run, by all exchanges.

        Where they contradict each other (the clock was set, or is no good), all that any of them allows.
        """
        bounds = [reading.bounds_s(at_s) for reading in self._readings]
        low_s, high_s = max(low for low, _ in bounds), min(high for _, high in bounds)
        if low_s <= high_s:
            return low_s, high_s
        return min(low for low, _ in bounds), max(high for _, high in bounds)
