"""Which nodes and clients could reach each other, by the faults that were in effect and by power. Pure.

Only clean splits are told. While a fault of another kind is at work, such as a one-way drop, who
reaches whom is not certain, and nothing may be concluded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.checks.story import Electorate, FaultWindow, electorate, fault_windows
from harness.events import NodeStarted, NodeStopped, RunEnded, RunStarted
from harness.history import History

HUB = "wan"
"""The place of clients that belong to no site."""

PARTING = frozenset({"partition", "halves"})
CUTTING_SITES = frozenset({"cut-site", "slow-heal"})
ISOLATING = frozenset({"isolate", "unplug"})
CLEAN = frozenset({"kill", "freeze", "suspend", "wan-down", "operate"}) | PARTING | CUTTING_SITES | ISOLATING
"""Kinds of faults of which it is known who still reaches whom."""

HEAL_LASTS_S = 6.0
"""From a heal's beginning to the proof of it, at most. Histories of format 1 tell both only when it is proven."""

Groups = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The groups of nodes and clients that could talk to each other, from an instant until the next change."""

    from_s: float
    until_s: float
    groups: Groups
    frozen: frozenset[str]
    hung: frozenset[str]
    """Nodes with power of which one daemon was stopped."""
    certain: bool
    """False while a fault was just being injected or healed, or left it open who reaches whom."""

    def together(self, first: str, second: str) -> bool:
        """Whether both are in one group."""
        return any(first in group and second in group for group in self.groups)


def reach_over_time(history: History) -> tuple[Reach, ...]:
    """The groups over the whole run, one piece for each stretch without a change. Frozen nodes are in no group."""
    if not history:
        return ()
    people = electorate(history)
    windows = fault_windows(history)
    ends_s = [history.first_s, history.last_s]
    power = history.of(NodeStarted, NodeStopped)
    edges = {*ends_s, *(event.t_s for event in power)}
    for window in windows:
        edges.update(t for t in (window.injected_s, window.effective_s, window.heal_began_s, window.healed_s) if t)
    doubtful_s = _doubtful_from_s(history, windows)
    if history.first_s < doubtful_s < history.last_s:
        edges.add(doubtful_s)
    ordered = sorted(edges)
    pieces = []
    # Without any power event in the history, every node is taken to be on.
    powered = set(people.nodes) if not power else set()
    position = 0
    for from_s, until_s in pairwise(ordered):
        while position < len(power) and power[position].t_s <= from_s:
            event = power[position]
            if isinstance(event, NodeStarted):
                powered.add(event.node)
            elif isinstance(event, NodeStopped):
                powered.discard(event.node)
            position += 1
        piece = _piece(people, windows, frozenset(powered), from_s, until_s)
        pieces.append(piece if from_s < doubtful_s else replace(piece, certain=False))
    return tuple(pieces)


def _doubtful_from_s(history: History, windows: tuple[FaultWindow, ...]) -> float:
    """From when on some fault may have been lifted already, in a history that broke off before it could say so."""
    announced = any(started.format >= 2 for started in history.of(RunStarted))
    # Who gets power back is told at once, whoever gives it.
    open_ = any(one.effective_s and one.heal_began_s is None and kind_of(one) != "kill" for one in windows)
    return history.last_s - HEAL_LASTS_S if open_ and not announced and not history.of(RunEnded) else float("inf")


def _piece(
    people: Electorate, windows: tuple[FaultWindow, ...], powered: frozenset[str], from_s: float, until_s: float
) -> Reach:
    middle_s = (from_s + until_s) / 2
    active = [window for window in windows if _is_active(window, middle_s)]
    unsettled = any(window.covers(middle_s) and not _is_active(window, middle_s) for window in windows)
    frozen = _targets(active, "freeze")
    clients = set(people.site_of) - people.nodes
    groups: Groups = (frozenset((powered | clients) - frozen),)
    for window in active:
        groups = _split(groups, window, people)
    return Reach(
        from_s=from_s,
        until_s=until_s,
        groups=groups,
        frozen=frozen & powered,
        hung=_targets(active, "suspend") & powered,
        certain=not unsettled and all(_is_clean(window, people) for window in active),
    )


def _targets(windows: Iterable[FaultWindow], kind: str) -> frozenset[str]:
    return frozenset(target for window in windows if kind_of(window) == kind for target in window.targets)


def _is_clean(window: FaultWindow, people: Electorate) -> bool:
    """Whether a fault leaves each node either on one side or on the other."""
    kind = kind_of(window)
    return kind in CLEAN and (kind not in PARTING or people.nodes <= frozenset().union(*_sides(window)))


def _sides(window: FaultWindow) -> list[frozenset[str]]:
    """The groups of a partition, each written as one target: ``n1+n2``."""
    return [frozenset(target.split("+")) for target in window.targets]


def _is_active(window: FaultWindow, t_s: float) -> bool:
    if window.effective_s is None or t_s < window.effective_s:
        return False
    return window.heal_began_s is None or t_s < window.heal_began_s


def kind_of(window: FaultWindow) -> str:
    """The kind of a fault, however it is written: ``CutSite``, ``cut_site`` and ``cut-site`` are the same."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", window.fault).lower()
    return re.split(r"[^a-z-]", words.replace("_", "-").replace(" ", "-"), maxsplit=1)[0]


def _split(groups: Groups, window: FaultWindow, people: Electorate) -> Groups:
    kind = kind_of(window)
    if kind in CUTTING_SITES:
        inside = _at(people, window.targets)
        return _divide(groups, [inside])
    if kind == "wan-down":
        sites = sorted({people.site_of[node] for node in people.nodes})
        return _divide(_without(groups, _at(people, [HUB])), [_at(people, [site]) for site in sites])
    if kind in ISOLATING:
        return _divide(groups, [frozenset([target]) for target in window.targets])
    if kind in PARTING:
        sides = _sides(window)
        clients = frozenset(people.site_of) - people.nodes - frozenset().union(*sides)
        return _divide(_without(groups, clients), sides)
    return groups


def _without(groups: Groups, whom: frozenset[str]) -> Groups:
    """Leave out clients that reach every side still, and so belong to none."""
    return tuple(group - whom for group in groups if group - whom)


def _at(people: Electorate, sites: Iterable[str]) -> frozenset[str]:
    wanted = set(sites)
    return frozenset(name for name, site in people.site_of.items() if site in wanted)


def _divide(groups: Groups, sides: Iterable[frozenset[str]]) -> Groups:
    found = groups
    for side in sides:
        found = tuple(part for group in found for part in (group & side, group - side) if part)
    return found
