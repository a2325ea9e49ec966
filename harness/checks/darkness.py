"""Dark moments: an address that somebody held, that nobody holds, and no fault of ours to explain it.

None of them need break a promise, and most are too short for a client to notice. But they are the product's own, and
whoever does not see them counted takes them for none.
"""

from dataclasses import dataclass

from harness.checks.holding import Holding, holdings
from harness.checks.intervals import Interval, difference, union
from harness.checks.story import FaultWindow, end_s, fault_windows
from harness.events import AddressAdded, NodeStopped
from harness.history import History

LED_TO_S = 1.0
"""What a node without power held is gone so soon after it lost it (a lease may outlast it)."""
TOLD_LATE_S = 0.2
"""That a node lost power is written down once it is certain, so long after it happened at most."""


@dataclass(frozen=True, slots=True)
class DarkMoment:
    """Nobody held the address from one instant to another; by whom it was held before and afterwards."""

    address: str
    from_s: float
    until_s: float
    before: str
    after: str

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.until_s - self.from_s


def dark_moments(history: History) -> tuple[DarkMoment, ...]:
    """Every dark moment between two holdings that no fault, and no power cut, accounts for, in the order of time.

    What begins while a fault is at work is the fault's; so is the hand-over to another node after its heal.
    """
    windows = fault_windows(history)
    stopped = history.of(NodeStopped)
    found = []
    for address in sorted({event.address for event in history.of(AddressAdded)}):
        for moment in _between_holdings(history, address):
            off = any(
                stop.node == moment.before and stop.t_s - TOLD_LATE_S <= moment.from_s <= stop.t_s + LED_TO_S
                for stop in stopped
            )
            if not off and not _explained(moment, windows):
                found.append(moment)
    return tuple(sorted(found, key=lambda moment: moment.from_s))


def _between_holdings(history: History, address: str) -> list[DarkMoment]:
    held = [one for one in holdings(history, address) if one.start_s <= end_s(history)]
    if not held:
        return []
    spans = union(one.interval for one in held)
    dark = difference((Interval(spans[0].start_s, spans[-1].end_s),), spans)
    return [
        DarkMoment(address, gap.start_s, gap.end_s, _ending_at(held, gap.start_s), _beginning_at(held, gap.end_s))
        for gap in dark
    ]


def _ending_at(held: list[Holding], t_s: float) -> str:
    return next((one.node for one in held if one.end_s == t_s), "")


def _beginning_at(held: list[Holding], t_s: float) -> str:
    return next((one.node for one in held if one.start_s == t_s), "")


def _explained(moment: DarkMoment, windows: tuple[FaultWindow, ...]) -> bool:
    if any(window.covers(moment.from_s) for window in windows):
        return True
    healed = any(window.healed_s is not None and window.healed_s <= moment.from_s for window in windows)
    return healed and moment.before != moment.after
