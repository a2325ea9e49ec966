"""The frame of a run, read from its history: start, end, fault windows, votes, the observer's stalls."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from harness.checks.intervals import Interval
from harness.events import (
    FaultEffective,
    FaultHealed,
    FaultHealing,
    FaultInjected,
    FaultWithoutEffect,
    LeftoversSeen,
    MembershipSeen,
    NodeClockMapped,
    NodeStarted,
    NodeStopped,
    ObserverStalled,
    RosterSeen,
    RunEnded,
    RunStarted,
)
from harness.history import History

CHANGE_S = 0.5
"""A roster is decided, comes into force and reaches the first disk within this, in whatever order it is seen."""
UNWRITTEN_S = 0.3
"""Of what happened so shortly before a history breaks off, not everything may have been written down."""
OBSERVED_LATE_S = 0.05
"""The same of what the observer alone writes: what lay ready in one round of its loop, in any order."""
BACKLOG_S = 0.02
"""After a stall the observer works off what has queued up; stamps that soon after it are late as well."""


def start_s(history: History) -> float:
    """When the run started: the zero of every time a reader sees."""
    started = history.of(RunStarted)
    if started:
        return started[0].t_s
    return history.first_s


def end_s(history: History) -> float:
    """When the scenario ended and nothing that happens is judged any more.

    That is RunEnded, or the moment from which nodes were only shut down (a harness may take its
    nodes down before it writes RunEnded), or the last event of a run that was cut short.
    """
    ended = history.of(RunEnded)
    last_s = ended[-1].t_s if ended else history.last_s
    last_start_s = max((event.t_s for event in history.of(NodeStarted) if event.t_s <= last_s), default=0.0)
    stops_s = [event.t_s for event in history.of(NodeStopped) if last_start_s < event.t_s < last_s]
    if not stops_s or powered_at(history, last_s):
        return last_s
    windows = fault_windows(history)
    return next((t_s for t_s in stops_s if not windows_at(windows, t_s)), last_s)


def cut_short(history: History) -> bool:
    """Whether the scenario was not brought to its end: what it had no time to do, nobody failed to do."""
    ended = history.of(RunEnded)
    return not ended or ended[-1].outcome == "inconclusive"


def is_whole(history: History) -> bool:
    """Whether everything of a run is there that comes after its scenario, such as the last reads.

    Histories that begin without a run (those of others) are taken as they are.
    """
    return not history.of(RunStarted) or (not cut_short(history) and bool(history.of(LeftoversSeen)))


def in_hand_until_s(history: History) -> float:
    """Until when the cluster was as the scenario wanted it: to its end, or to a heal that was never proven."""
    unproven = (window.heal_began_s for window in fault_windows(history) if window.healed_s is None)
    return min([end_s(history), *(began_s for began_s in unproven if began_s is not None)])


def certain_until_s(history: History, late_s: float = UNWRITTEN_S) -> float:
    """Until when everything that happened is in the history for certain; infinity where it did not break off."""
    return float("inf") if history.of(RunEnded) else history.last_s - late_s


@dataclass(frozen=True, slots=True)
class Clock:
    """Says times of the run clock as a reader wants them: since the start of the run."""

    zero_s: float

    def at(self, t_s: float) -> str:
        """An instant: ``12.345 s``."""
        return f"{t_s - self.zero_s:.3f} s"


def clock_of(history: History) -> Clock:
    """The reader's clock of this run."""
    return Clock(start_s(history))


def duration(seconds: float) -> str:
    """A length of time, in the unit that reads best."""
    return f"{seconds * 1000:.1f} ms" if abs(seconds) < 1.0 else f"{seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """One fault from injection to heal; what did not happen is None."""

    fault_id: str
    fault: str
    targets: tuple[str, ...]
    injected_s: float
    called_s: float | None = None
    """When the call that injects was made; its effect set in between then and ``effective_s``."""
    effective_s: float | None = None
    without_effect: str | None = None
    healed_s: float | None = None
    heal_began_s: float | None = None

    @property
    def label(self) -> str:
        """What a reader calls it: ``kill n1``."""
        return f"{self.fault} {', '.join(self.targets)}".strip()

    def covers(self, t_s: float) -> bool:
        """Whether the fault may have been at work at this instant (from injection to proven heal)."""
        return self.injected_s <= t_s and (self.healed_s is None or t_s <= self.healed_s)


def fault_windows(history: History) -> tuple[FaultWindow, ...]:
    """Every fault of the run, in the order of injection."""
    effective = {event.fault_id: event for event in history.of(FaultEffective)}
    without = {event.fault_id: event for event in history.of(FaultWithoutEffect)}
    healing = {event.fault_id: event for event in history.of(FaultHealing)}
    healed = {event.fault_id: event for event in history.of(FaultHealed)}
    found = []
    for event in history.of(FaultInjected):
        fault_id = event.fault_id
        heal, began = healed.get(fault_id), healing.get(fault_id)
        bite = effective.get(fault_id)
        found.append(
            FaultWindow(
                fault_id=fault_id,
                fault=event.fault,
                targets=tuple(event.targets),
                injected_s=event.t_s,
                called_s=bite.call_s if bite else None,
                effective_s=bite.t_s if bite else None,
                without_effect=without[fault_id].evidence if fault_id in without else None,
                healed_s=heal.t_s if heal else None,
                heal_began_s=heal.call_s if heal else began.t_s if began else None,
            )
        )
    return tuple(found)


def windows_at(windows: Iterable[FaultWindow], t_s: float) -> tuple[FaultWindow, ...]:
    """The faults that may have been at work at this instant."""
    return tuple(window for window in windows if window.covers(t_s))


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who has how many votes. Empty for a history without a topology."""

    votes: dict[str, int]
    site_of: dict[str, str]
    """The place of each node and of each client."""

    @property
    def nodes(self) -> frozenset[str]:
        """Every node of the topology."""
        return frozenset(self.votes)

    @property
    def two_node(self) -> bool:
        """Of two equal nodes either may go on alone (two_node): votes alone decide nothing."""
        return sum(votes > 0 for votes in self.votes.values()) == 2

    def is_majority(self, nodes: Iterable[str]) -> bool:
        """Whether these nodes have more than half of all votes."""
        return 2 * sum(self.votes.get(node, 0) for node in set(nodes)) > sum(self.votes.values())


def electorate(history: History) -> Electorate:
    """The votes of the topology that the run was started with."""
    votes: dict[str, int] = {}
    site_of: dict[str, str] = {}
    for started in history.of(RunStarted)[:1]:
        for node in started.topology.get("nodes", ()):
            votes[str(node["name"])] = int(node.get("votes", 1))
            site_of[str(node["name"])] = str(node.get("site", ""))
        for client in started.topology.get("clients", ()):
            site_of[str(client["name"])] = str(client.get("place", "wan"))
    return Electorate(votes, site_of)


class Electorates:
    """Who has the votes at any instant: those of the topology, until the nodes are seen to have agreed on others."""

    def __init__(self, history: History) -> None:
        first = electorate(history)
        self._since_s, self._people = [float("-inf")], [first]
        newest = -1
        for seen in history.of(RosterSeen):
            if seen.epoch > newest:
                newest = seen.epoch
                self._since_s.append(seen.t_s)
                self._people.append(Electorate(dict(seen.votes), first.site_of))

    def possible(self, t_s: float) -> tuple[Electorate, ...]:
        """Who may have had the votes at an instant: around a change, those before it and those after it."""
        ends_s = [*self._since_s[1:], float("inf")]
        spans = zip(self._since_s, ends_s, self._people, strict=True)
        return tuple(people for start_s, end_s, people in spans if start_s - CHANGE_S <= t_s < end_s + CHANGE_S)

    def stretches(self, start_s: float, end_s: float) -> Iterator[tuple[Interval, tuple[Electorate, ...]]]:
        """The time between two instants, in pieces during which the same electorates were possible."""
        edges = {edge for since_s in self._since_s[1:] for edge in (since_s - CHANGE_S, since_s + CHANGE_S)}
        for from_s, until_s in pairwise([start_s, *sorted(edge for edge in edges if start_s < edge < end_s), end_s]):
            yield Interval(from_s, until_s), self.possible((from_s + until_s) / 2)


class Stalls:
    """How far the stamps of the observer may be late because it was not scheduled."""

    def __init__(self, stalls: Sequence[ObserverStalled]) -> None:
        """In the order of their times."""
        self._stalls = stalls
        self._ends_s = [stall.t_s + BACKLOG_S for stall in stalls]
        self._longest_s = max((stall.gap_s for stall in stalls), default=0.0)

    def lateness_s(self, t_s: float) -> float:
        """How late a stamp of this instant may be, in seconds; 0 when the observer was running."""
        worst_s = 0.0
        for place in range(bisect_left(self._ends_s, t_s), len(self._stalls)):
            stall = self._stalls[place]
            if stall.t_s - self._longest_s - BACKLOG_S > t_s:  # nor does any later one reach back so far
                break
            if stall.t_s - stall.gap_s - BACKLOG_S <= t_s:
                worst_s = max(worst_s, stall.gap_s)
        return worst_s


def stalls_of(history: History) -> Stalls:
    """The observer's stalls in this run."""
    return Stalls(history.of(ObserverStalled))


@dataclass(frozen=True, slots=True)
class NodeClocks:
    """How far off the stamps of nodes with clocks of their own may be."""

    errors_s: dict[str, float]

    def error_s(self, node: str) -> float:
        """The largest error in this run; 0 for a node on the clock of the run."""
        return self.errors_s.get(node, 0.0)


def node_clocks_of(history: History) -> NodeClocks:
    """The nodes' own clocks in this run, as far as there were any."""
    errors_s: dict[str, float] = {}
    for event in history.of(NodeClockMapped):
        if isinstance(event, NodeClockMapped):
            errors_s[event.node] = max(errors_s.get(event.node, 0.0), event.error_s)
    return NodeClocks(errors_s)


class Views:
    """What each node said of its cluster, at any instant. A node that lost power says nothing."""

    def __init__(self, history: History) -> None:
        self._times: dict[str, list[float]] = {}
        self._seen: dict[str, list[MembershipSeen | None]] = {}
        for event in history.of(MembershipSeen, NodeStarted, NodeStopped):
            if isinstance(event, MembershipSeen | NodeStarted | NodeStopped):
                self._times.setdefault(event.node, []).append(event.t_s)
                said = event if isinstance(event, MembershipSeen) else None
                self._seen.setdefault(event.node, []).append(said)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that ever said anything or had power."""
        return tuple(sorted(self._times))

    def at(self, node: str, t_s: float) -> MembershipSeen | None:
        """What the node last said, at this instant or before it, in its present life."""
        position = bisect_right(self._times.get(node, []), t_s)
        return self._seen[node][position - 1] if position else None

    def changes(self, start_s: float, end_s: float) -> list[float]:
        """The instants between two times at which anybody's view changed."""
        found: set[float] = set()
        for times in self._times.values():
            found.update(times[bisect_left(times, start_s) : bisect_right(times, end_s)])
        return sorted(found)


def powered_at(history: History, t_s: float) -> frozenset[str]:
    """The nodes that have power at an instant (stops at that very instant count)."""
    powered: set[str] = set()
    for event in history.of(NodeStarted, NodeStopped):
        if event.t_s > t_s:
            break
        if isinstance(event, NodeStarted):
            powered.add(event.node)
        elif isinstance(event, NodeStopped):
            powered.discard(event.node)
    return frozenset(powered)


PowerCut = Literal["none", "process death", "power"]
POWER_CUTS: dict[PowerCut, str] = {
    "none": "no node lost power",
    "process death": "power cuts were the death of processes: unsynced writes survive on this engine",
    "power": "power cuts took unsynced writes with them",
}
"""What a run can say of writes that were acknowledged and not synced, by the power cuts in it."""


def power_cut_of(history: History) -> PowerCut:
    """What it meant in this run that nodes lost their power."""
    if not any(stop.how == "power-cut" for stop in history.of(NodeStopped)):
        return "none"
    return "power" if any(started.loses_unsynced_writes for started in history.of(RunStarted)) else "process death"
