"""Health checks: when to look, and how often something must say the same before it is believed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a check is done (seconds), and its hysteresis."""

    interval_s: float
    timeout_s: float
    failures_before_unhealthy: int = 3
    successes_before_healthy: int = 2


@dataclass(frozen=True, slots=True)
class Probe:
    """Look now; the answer is to come within the timeout (``HealthCore.answered``)."""

    name: str
    round: int


@dataclass(frozen=True, slots=True)
class Changed:
    """It is believed to work now, or not to."""

    name: str
    healthy: bool
    why: str


Action = Probe | Changed


@dataclass(slots=True)
class _Watched:
    rhythm: Rhythm
    next_s: float
    round: int
    healthy: bool | None = None
    in_a_row: int = 0
    asking: bool = False
    why: str = ""


class HealthCore:
    """The checks that are being done. What was never found to work is not healthy, and not yet unhealthy either."""

    def __init__(self) -> None:
        self.wake_s: float | None = None
        self._watched: dict[str, _Watched] = {}
        self._round = 0

    def watch(self, checks: Mapping[str, Rhythm], now_s: float) -> list[Action]:
        """Do exactly these checks; those that went on before go on undisturbed."""
        self._watched = {
            name: one for name, one in self._watched.items() if name in checks and checks[name] == one.rhythm
        }
        for name, rhythm in checks.items():
            if name not in self._watched:
                self._round += 1
                # What has just been started is given one interval before it is looked at.
                self._watched[name] = _Watched(rhythm, now_s + rhythm.interval_s, self._round)
        return self.wake(now_s)

    def healthy(self, name: str) -> bool | None:
        """What is believed; None before anything is."""
        return self._watched[name].healthy if name in self._watched else None

    def why(self, name: str) -> str:
        """What the newest failure said."""
        return self._watched[name].why if name in self._watched else ""

    def wake(self, now_s: float) -> list[Action]:
        """Look wherever it is time."""
        actions: list[Action] = []
        for name, one in self._watched.items():
            if not one.asking and one.next_s <= now_s:
                one.asking = True
                # Steady as long as answers are quick; after a freeze, missed rounds are not made up for.
                one.next_s = max(one.next_s + one.rhythm.interval_s, now_s)
                actions.append(Probe(name, one.round))
        times = [one.next_s for one in self._watched.values() if not one.asking]
        self.wake_s = min(times, default=None)
        return actions

    def answered(self, name: str, round_: int, error: str | None, now_s: float) -> list[Action]:
        """A look has ended: well, or with ``error``. Answers to what is no longer watched are dropped."""
        one = self._watched.get(name)
        if one is None or one.round != round_ or not one.asking:
            return []
        one.asking = False
        one.why = error or ""
        works = error is None
        one.in_a_row = 0 if works is one.healthy else one.in_a_row + 1
        needed = 1 if works and one.healthy is None else self._needed(one.rhythm, works)
        # Before anything is believed, failures and successes must not be counted together.
        if one.healthy is None and not works and one.in_a_row < needed:
            return self.wake(now_s)
        if works is not one.healthy and one.in_a_row >= needed:
            one.healthy, one.in_a_row = works, 0
            return [Changed(name, works, error or ""), *self.wake(now_s)]
        return self.wake(now_s)

    @staticmethod
    def _needed(rhythm: Rhythm, works: bool) -> int:
        return rhythm.successes_before_healthy if works else rhythm.failures_before_unhealthy
