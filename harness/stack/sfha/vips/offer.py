"""Which addresses this node can offer, and when one that it could not counts again. Pure.

What is lacking counts at once. What is well again counts only after a while, and after twice as long each time it
relapses: the leadership would follow a loose plug back and forth otherwise. Who holds the lease all the same, because
nobody has more to offer, has nothing to come back to: with it, well is well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...kit.messages import Message, message

LINK_REST_S, REFUSED_REST_S = 3.0, 12.0
LONGEST_REST_S = 12.0
CALM_S = 60.0
"""What has been well for that long starts from the beginning."""
WAY_LOST_FOR_S = 0.5
"""Who sets routes anew may take one away first."""
REFUSED_FOR_S = 10.0
"""A refusal counts after that long: it is tried again all the time, and whoever changes something may not be done."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an address cannot be had; it counts ``after_s``, and is over ``rest_s`` after it has gone."""

    why: Message
    rest_s: float = LINK_REST_S
    after_s: float = 0.0


def refused(reason: str) -> Trouble:
    """The kernel does not take the address."""
    return Trouble(message("link.refused", reason=reason), REFUSED_REST_S, REFUSED_FOR_S)


@dataclass(slots=True)
class _Case:
    """One address and its trouble, from the first sight of it to the end of its rest."""

    trouble: Trouble
    counts_s: float
    rest_s: float
    well_since_s: float | None = None


class Offer:
    """The addresses of one node, by name."""

    def __init__(self) -> None:
        self._cases: dict[str, _Case] = {}
        self._before: dict[str, tuple[float, float]] = {}
        """When an address was well again last, and how long it had to rest."""
        self.wake_s: float | None = None
        self._now_s = 0.0
        self._is_new = True

    def look(self, troubles: Mapping[str, Trouble | None], *, holds: bool, now_s: float) -> None:
        """The addresses that are to be offered, each with what stands in the way; whether the lease is held."""
        self._now_s = now_s
        self._cases = {name: case for name, case in self._cases.items() if name in troubles}
        for name, trouble in troubles.items():
            case = self._cases.get(name)
            if trouble is not None:
                self._is_ill(name, case, trouble, now_s)
            elif case is not None:
                self._is_well(name, case, holds=holds, now_s=now_s)
        times = [
            case.counts_s if case.well_since_s is None else case.well_since_s + case.rest_s
            for case in self._cases.values()
            if case.well_since_s is not None or case.counts_s > now_s
        ]
        self.wake_s = min(times, default=None)
        self._is_new = False

    def _is_ill(self, name: str, case: _Case | None, trouble: Trouble, now_s: float) -> None:
        counts = case is not None and case.counts_s <= now_s
        if case is not None and case.well_since_s is None and (counts or trouble.after_s == case.trouble.after_s):
            case.trouble = trouble
            return
        rest_s = 0.0 if self._is_new else trouble.rest_s  # what a start has to wait for does not come and go
        if case is not None and counts:  # it did not last
            rest_s = max(rest_s, 2 * case.rest_s)
        elif name in self._before and now_s - self._before[name][0] < CALM_S:
            rest_s = max(rest_s, 2 * self._before[name][1])
        counts_s = now_s if counts else now_s + trouble.after_s
        self._cases[name] = _Case(trouble, counts_s, min(rest_s, LONGEST_REST_S))

    def _is_well(self, name: str, case: _Case, *, holds: bool, now_s: float) -> None:
        if case.well_since_s is None:
            case.well_since_s = now_s
        if holds or case.counts_s > now_s or now_s >= case.well_since_s + case.rest_s:
            if case.counts_s <= now_s:
                self._before[name] = (now_s, case.rest_s)
            del self._cases[name]

    def forgive(self) -> None:
        """An administrator says that what is well has been so for long."""
        self._before.clear()
        for case in self._cases.values():
            if case.well_since_s is not None:
                case.rest_s = 0.0

    @property
    def lacking(self) -> dict[str, Message]:
        """What is not offered, and why."""
        return {name: self._why(case) for name, case in self._cases.items() if case.counts_s <= self._now_s}

    def trouble(self, name: str) -> Message | None:
        """What stands in the way of an address now, whether it counts yet or not."""
        case = self._cases.get(name)
        return None if case is None or case.well_since_s is not None else case.trouble.why

    def _why(self, case: _Case) -> Message:
        if case.well_since_s is None:
            return case.trouble.why
        rest_s = max(0.0, case.well_since_s + case.rest_s - self._now_s)
        return message("link.rests", why=case.trouble.why, seconds=f"{rest_s:.0f}")
