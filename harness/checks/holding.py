"""Who held an address, from when until when, by what netlink showed inside each node.

A node holds an address while it is present and, once the node's gate is installed, only while the
gate is open. A node without power holds nothing, and its next boot starts without a gate.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks.intervals import Interval, Spans, difference, intersection, union
from harness.events import (
    AddressAdded,
    AddressRemoved,
    Event,
    GateClosed,
    GateInstalled,
    GateOpened,
    NodeStarted,
    NodeStopped,
)
from harness.history import History


@dataclass(frozen=True, slots=True)
class Holding:
    """One node held one address without interruption.

    ``end_seen_s`` is when the observer saw what ended it (a lease that ran out was last seen when
    it was renewed); None for a holding that lasted to the end of the history.
    """

    node: str
    address: str
    start_s: float
    end_s: float
    end_seen_s: float | None

    @property
    def interval(self) -> Interval:
        """From the first instant of holding to the first of not holding."""
        return Interval(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class NodePresence:
    """An address on one node: where it was present, where a gate guarded it, where that gate was open."""

    node: str
    present: Spans
    guarded: Spans
    open: Spans

    @property
    def holding(self) -> Spans:
        """Where the node held the address."""
        return intersection(self.present, union([*difference(self.present, self.guarded), *self.open]))


@dataclass(slots=True)
class _Tracker:
    """Reads one node's events for one address, in time order."""

    present: list[Interval]
    guarded: list[Interval]
    open: list[Interval]
    present_since: dict[str, float]
    guarded_since: float | None = None

    def take(self, event: Event) -> None:
        match event:
            case NodeStarted(t_s=t_s) | NodeStopped(t_s=t_s):
                self.power_off(t_s)
            case AddressAdded(t_s=t_s, interface=interface):
                self.present_since.setdefault(interface, t_s)
            case AddressRemoved(t_s=t_s, interface=interface):
                since = self.present_since.pop(interface, None)
                if since is not None:
                    self.present.append(Interval(since, t_s))
            case GateInstalled(t_s=t_s):
                self.guarded_since = t_s if self.guarded_since is None else self.guarded_since
            case GateOpened(t_s=t_s, until_s=until_s):
                # A renewal replaces the lease before it, even by a shorter one.
                self.cut_open(t_s)
                self.open.append(Interval(t_s, until_s))
            case GateClosed(t_s=t_s):
                self.cut_open(t_s)
            case _:
                pass

    def cut_open(self, t_s: float) -> None:
        if self.open and self.open[-1].end_s > t_s:
            self.open[-1] = Interval(self.open[-1].start_s, t_s)

    def power_off(self, t_s: float) -> None:
        self.present += [Interval(since, t_s) for since in self.present_since.values()]
        self.present_since.clear()
        if self.guarded_since is not None:
            self.guarded.append(Interval(self.guarded_since, t_s))
            self.guarded_since = None
        self.cut_open(t_s)


def presence(history: History, address: str) -> tuple[NodePresence, ...]:
    """The address on every node that ever had it, or its gate; what lasts ends with the history."""
    trackers: dict[str, _Tracker] = {}
    about = (AddressAdded, AddressRemoved, GateInstalled, GateOpened, GateClosed)
    for event in history.of(*about, NodeStarted, NodeStopped):
        if isinstance(event, about) and event.address == address:
            trackers.setdefault(event.node, _Tracker([], [], [], {})).take(event)
        elif isinstance(event, NodeStarted | NodeStopped) and event.node in trackers:
            trackers[event.node].take(event)
    last_s = history.last_s
    found = []
    for node, tracker in sorted(trackers.items()):
        tracker.power_off(last_s)
        found.append(NodePresence(node, union(tracker.present), union(tracker.guarded), union(tracker.open)))
    return tuple(found)


def holdings(history: History, address: str) -> tuple[Holding, ...]:
    """Every holding of the address by any node, in order of their starts."""
    found = []
    for at in presence(history, address):
        ends = _end_events(history, at.node, address)
        for span in at.holding:
            seen_s = None if span.end_s >= history.last_s else ends.get(span.end_s, span.end_s)
            found.append(Holding(at.node, address, span.start_s, span.end_s, seen_s))
    return tuple(sorted(found, key=lambda holding: (holding.start_s, holding.node)))


def _end_events(history: History, node: str, address: str) -> dict[float, float]:
    """For each instant at which a holding can end: when the observer learned of it."""
    ends: dict[float, float] = {}
    for event in history.of(AddressRemoved, GateClosed, GateOpened):
        if isinstance(event, AddressRemoved | GateClosed | GateOpened) and (event.node, event.address) == (
            node,
            address,
        ):
            end_s = event.until_s if isinstance(event, GateOpened) else event.t_s
            ends[end_s] = event.t_s
    return ends


class HeldBy:
    """The holdings of one address by node, for whoever asks about many instants: a long run has a million frames."""

    def __init__(self, held: Iterable[Holding]) -> None:
        self._spans: dict[str, tuple[list[float], list[float]]] = {}
        for holding in sorted(held, key=lambda holding: holding.start_s):
            starts_s, ends_s = self._spans.setdefault(holding.node, ([], []))
            starts_s.append(holding.start_s)
            ends_s.append(holding.end_s)

    def at(self, t_s: float) -> tuple[str, ...]:
        """The nodes that held it at an instant, by name."""
        return tuple(node for node in sorted(self._spans) if self._last_end_s(node, t_s) > t_s)

    def holds(self, node: str, t_s: float, *, early_s: float, late_s: float) -> bool:
        """Whether the node held it at an instant, if holdings began ``early_s`` sooner and ended ``late_s`` later."""
        return t_s <= self._last_end_s(node, t_s + early_s) + late_s

    def another_holds(self, node: str, t_s: float, *, sure_s: float) -> bool:
        """Whether another node held it at an instant, and all the time from ``sure_s`` before to ``sure_s`` after."""
        return any(self.holds(other, t_s, early_s=-sure_s, late_s=-sure_s) for other in self._spans if other != node)

    def _last_end_s(self, node: str, t_s: float) -> float:
        """When the node's last holding that had begun by an instant ended; -inf when none had."""
        starts_s, ends_s = self._spans.get(node, ([], []))
        begun = bisect_right(starts_s, t_s)  # holdings of one node do not overlap: the last to begin ends last
        return ends_s[begun - 1] if begun else float("-inf")
