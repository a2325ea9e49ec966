"""What a node's program makes of what it sees, and whether that brings a defect out. Pure.

It looks twenty times a second. The programs of a cluster tell each other that they live, so each of them sees whom the
network keeps away from it, and who has been without power. Times are seconds on CLOCK_MONOTONIC of the node.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .defects import Defect, Level, Mark, Step

STOOD_STILL_S = 0.8
"""Nothing of a node has run for so long: it was frozen. Of a freeze of a second this is certain."""
ON_TIME_S, STEADY_S = 0.3, 1.5
"""Looks come so quickly after each other, and have done so for so long, before standing still is something new.

A node whose processes get next to no processor stands still again and again, and that is one fault.
"""
SILENT_S = 0.6
"""A node of which nothing has been heard for so long is silent."""
PLUGGED_S = 2.0
"""Silence is the network's only if the cable has been there for so long: else it was the cable's."""
NUMBERS = 40
"""Of so many beacons, those of two seconds, it is counted how often some are missing."""
LOSSY_GAPS = 4
"""Missing in so many places: packets are lost now and then. A cut is missing in one."""
SET_BACK_S = 0.5
"""A clock of the day that has lost so much beside the other one was set."""
_LEVELS: tuple[tuple[Level, Mark, Mark], ...] = (
    ("unplugged", "unplugged", "plugged"),
    ("nameless", "nameless", "named"),
    ("full", "full", "roomy"),
    ("lossy", "lossy", "clear"),
    ("alone", "alone", "reached"),
    ("left", "left", "joined"),
)


@dataclass(frozen=True)
class Beacon:
    """What a node says of itself: how often it has had power, and how often it has said so since."""

    sender: str
    boots: int
    number: int


@dataclass(frozen=True)
class Look:
    """What is to be seen on a node at one time, and what it has been told since the look before."""

    at_s: float
    still_s: float = 0.0
    """For how long nothing of the node ran, since the look before."""
    carrier: bool = True
    carrier_changes: int = 0
    """How often the carrier has come or gone."""
    named: bool = True
    """Whether names are looked up as at the boot."""
    roomy: bool = True
    """Whether a file can be written."""
    member: bool = True
    """Whether the node belongs to a cluster."""
    ahead_s: float = 0.0
    """How far the time of day is ahead of ``at_s``."""
    holds: bool = False
    """Whether the virtual address is on this node."""
    beacons: Sequence[Beacon] = ()


@dataclass(frozen=True)
class Noted:
    """A mark: when it was seen, and since when it was so; about which other node, and what lasted then."""

    mark: Mark
    at_s: float
    since_s: float
    peer: str = ""
    during: tuple[Level, ...] = ()


Story = tuple[Noted, ...]
"""What has happened, in order."""


@dataclass
class _Peer:
    """What is known of another node since this one has power."""

    boots: int
    heard_s: float
    silent: bool = False
    numbers: tuple[int, ...] = ()

    def hears(self, number: int) -> None:
        """The numbers of the last beacons, in order."""
        newest = max((number, *self.numbers))
        self.numbers = tuple(sorted({one for one in (*self.numbers, number) if one > newest - NUMBERS}))

    @property
    def gaps(self) -> int:
        """In how many places beacons are missing."""
        return sum(1 for place, number in enumerate(self.numbers[1:]) if number != self.numbers[place] + 1)


class Watch:
    """From looks to marks. ``returned``: this is not the first time that the node has power."""

    def __init__(self, others: Collection[str], *, returned: bool = False) -> None:
        self._others = frozenset(others)
        self._returned = returned
        self._before: Look | None = None
        self._plugged_s: float | None = None
        self._had_cable = False
        self._late_s: float | None = None
        self._peers: dict[str, _Peer] = {}
        self._lasts: set[Level] = set()

    def look(self, now: Look) -> Story:
        """What has happened, in order."""
        before, self._before = self._before or now, now
        told = [*self._told(now)]
        self._plugged_s = (now.at_s if self._plugged_s is None else self._plugged_s) if now.carrier else None
        self._had_cable |= now.carrier
        certain = self._plugged_s is not None and now.at_s - self._plugged_s >= PLUGGED_S
        silenced = [*self._silenced(now, certain=certain)]
        levels = self._levels(now)
        changed, self._lasts = levels ^ self._lasts, levels
        marks: list[tuple[Mark, float, str]] = []
        if self._returned:
            self._returned = False
            marks.append(("booted", now.at_s, ""))
        steady = self._late_s is None or before.at_s - self._late_s >= STEADY_S
        if now.at_s - before.at_s > ON_TIME_S:
            self._late_s = now.at_s
        if now.still_s > STOOD_STILL_S:
            if steady:
                marks.append(("froze", now.at_s - now.still_s, ""))
            if now.carrier_changes != before.carrier_changes:
                marks.append(("moved asleep", now.at_s - now.still_s, ""))
        if now.ahead_s < before.ahead_s - SET_BACK_S:
            marks.append(("set back", now.at_s, ""))
        marks += told + silenced
        marks += [(begins if level in levels else ends, now.at_s, "") for level, begins, ends in _LEVELS
                  if level in changed]  # fmt: skip
        if now.holds != before.holds:
            marks.append(("took over" if now.holds else "gave up", now.at_s, ""))
        return tuple(Noted(mark, now.at_s, since_s, peer, tuple(sorted(levels))) for mark, since_s, peer in marks)

    def _told(self, now: Look) -> Iterator[tuple[Mark, float, str]]:
        for beacon in now.beacons:
            peer = self._peers.get(beacon.sender)
            if beacon.sender not in self._others or (peer is not None and beacon.boots < peer.boots):
                continue  # nobody of ours; or it was long on its way
            if peer is None:
                self._peers[beacon.sender] = peer = _Peer(beacon.boots, now.at_s)
            if beacon.boots > peer.boots:
                yield "died", peer.heard_s, beacon.sender
                self._peers[beacon.sender] = peer = _Peer(beacon.boots, now.at_s, silent=peer.silent)
            if peer.silent:
                yield "heard", now.at_s, beacon.sender
            peer.heard_s, peer.silent = now.at_s, False
            peer.hears(beacon.number)

    def _silenced(self, now: Look, *, certain: bool) -> Iterator[tuple[Mark, float, str]]:
        for name, peer in self._peers.items():
            if certain and not peer.silent and now.at_s - peer.heard_s > SILENT_S:
                peer.silent = True
                yield "silent", peer.heard_s, name

    def _levels(self, now: Look) -> set[Level]:
        known = self._peers.values()
        silent = bool(self._others) and self._others <= self._peers.keys() and all(one.silent for one in known)
        found: dict[Level, bool] = {
            "unplugged": self._had_cable and not now.carrier,
            "nameless": not now.named,
            "full": not now.roomy,
            "left": not now.member,
            "lossy": any(not one.silent and one.gaps >= LOSSY_GAPS for one in known),
            "alone": silent,
        }
        return {level for level, lasts in found.items() if lasts}


def goes_on(defect: Defect, story: Story, noted: Story) -> tuple[Story, bool]:
    """The story with what has been noted, and whether it is time for the damage: then it begins anew."""
    wanted = {step.mark for step in defect.steps}
    longer = (*story, *(one for one in noted if one.mark in wanted))
    due = longer != story and happened(defect.steps[: len(defect.steps) - defect.ahead], longer)
    return () if due else longer, due


def happened(steps: Sequence[Step], story: Story, after: Noted | None = None) -> bool:
    """Whether all of the steps have happened in a story, in their order; others may lie between them."""
    if not steps:
        return True
    first, *rest = steps
    return any(
        _is(first, noted, after) and happened(rest, story[place + 1 :], noted) for place, noted in enumerate(story)
    )


def _is(step: Step, noted: Noted, after: Noted | None) -> bool:
    if noted.mark != step.mark or (step.during is not None and step.during not in noted.during):
        return False
    if step.apart_s is None or after is None:
        return True
    least_s, most_s = step.apart_s
    return noted.peer != after.peer and least_s <= abs(noted.since_s - after.since_s) <= most_s
