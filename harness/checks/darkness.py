"""Dark moments: an address that somebody held, that nobody holds, and no fault of ours to explain it.

None of them need break a promise, and most are too short for a client to notice. But they are the product's own, and
whoever does not see them counted takes them for none. Why it was dark is what the holder's own log says: not proof, but
enough to tell what was asked for from what nobody wanted.
"""

from dataclasses import dataclass, replace
from enum import Enum

from harness.checks.holding import Holding, holdings
from harness.checks.intervals import Interval, difference, union
from harness.checks.loop import SLOW
from harness.checks.story import FaultWindow, end_s, fault_windows
from harness.events import AddressAdded, NodeStopped, SubjectSaid
from harness.history import History

LED_TO_S = 1.0
"""What a node without power held is gone so soon after it lost it (a lease may outlast it)."""
TOLD_LATE_S = 0.2
"""That a node lost power is written down once it is certain, so long after it happened at most."""


SAID_WITHIN_S = 0.1
"""What a holder says of it is written so soon before or after."""
BLOCKED_BEFORE_S = 0.3
"""What was blocked so long before a lease ran out may have kept it from being renewed."""


class Why(Enum):
    """In words for whoever wonders whether to worry."""

    HANDED_OVER = (
        "handed over in good order: a better leader had come, or somebody had asked for it; no reason to worry"
    )
    TAKEN_AWAY = "taken away by a change of the configuration or with its interface; no reason to worry"
    BLOCKED = "a lease ran out, and a daemon's loop was blocked: the stack's own doing, worth a look"
    RAN_OUT = "a lease ran out, and no daemon was blocked: on a busy host its doing, on an idle one worth a look"
    NO_QUORUM = "a holder lost the quorum: nodes came or went, or their membership service had to wait"
    UNKNOWN = "the holder does not say why: worth a look"


SAID = {"no longer leader": Why.HANDED_OVER, "stopping": Why.HANDED_OVER, "no quorum": Why.NO_QUORUM}


@dataclass(frozen=True, slots=True)
class DarkMoment:
    """Nobody held the address from one instant to another; by whom it was held before and afterwards."""

    address: str
    from_s: float
    until_s: float
    before: str
    after: str
    why: Why = Why.UNKNOWN

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.until_s - self.from_s


def dark_moments(history: History) -> tuple[DarkMoment, ...]:
    """Every dark moment between two holdings that no fault, and no power cut, accounts for, in the order of time.

    What begins while a fault is at work is the fault's; so is the hand-over to another node after its heal.
    """
    windows = fault_windows(history)
    stopped, said = history.of(NodeStopped), history.of(SubjectSaid)
    found = []
    for address in sorted({event.address for event in history.of(AddressAdded)}):
        for moment in _between_holdings(history, address):
            off = any(
                stop.node == moment.before and stop.t_s - TOLD_LATE_S <= moment.from_s <= stop.t_s + LED_TO_S
                for stop in stopped
            )
            if not off and not _explained(moment, windows):
                found.append(replace(moment, why=_why(moment, said)))
    return tuple(sorted(found, key=lambda moment: moment.from_s))


def _why(moment: DarkMoment, said: tuple[SubjectSaid, ...]) -> Why:
    near = [
        one
        for one in said
        if one.node == moment.before and moment.from_s - SAID_WITHIN_S <= one.t_s <= moment.until_s + SAID_WITHIN_S
    ]
    lost = next((one for one in near if one.event == "lease-lost"), None)
    if lost is None:
        return Why.TAKEN_AWAY if any(one.event == "vip-released" for one in near) else Why.UNKNOWN
    known = SAID.get(str(lost.fields.get("reason")))
    if known is not None:
        return known
    blocked = any(one.event == SLOW and _overlaps(one, moment) for one in said)
    return Why.BLOCKED if blocked else Why.RAN_OUT


def _overlaps(slow: SubjectSaid, moment: DarkMoment) -> bool:
    """Whether a daemon, whichever it was, may have been kept from renewing or voting."""
    wall_ms = slow.fields.get("wall_ms")
    began_s = slow.t_s - (wall_ms / 1000 if isinstance(wall_ms, int | float) else 0.0)
    return began_s <= moment.from_s and slow.t_s >= moment.from_s - BLOCKED_BEFORE_S


def _between_holdings(history: History, address: str) -> list[DarkMoment]:
    last_s = end_s(history)
    held = [one for one in holdings(history, address) if one.start_s <= last_s]
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
