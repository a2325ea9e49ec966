"""What stored runs have covered: which fault hit which role in which phase, on what. Pure, over histories.

A role is what the node that was hit was at that moment: it held the first address, or another node did, or nobody.
A phase is what the cluster was doing: settled, electing (nobody holds the address), already under
another fault, or recovering (the address has just moved, or a fault has just been healed).
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

from harness.checks.holding import HeldBy, holdings
from harness.checks.story import FaultWindow, fault_windows
from harness.events import AddressAdded, RunStarted
from harness.history import History
from harness.topology import Topology

Role = Literal["holder", "follower", "nobody holds", "network"]
Phase = Literal["settled", "electing", "recovering", "under another fault"]
ROLES: tuple[Role, ...] = ("holder", "follower", "nobody holds", "network")
PHASES: tuple[Phase, ...] = ("settled", "electing", "recovering", "under another fault")
RECOVERING_S = 3.0
FACTORS = ("fault", "role", "phase", "topology", "engine", "profile")


@dataclass(frozen=True, slots=True)
class Hit:
    """One fault that bit, on one role of a node, in one phase; where it was. ``profile`` "" where there is none."""

    fault: str
    role: Role
    phase: Phase
    topology: str
    engine: str
    profile: str

    def value(self, factor: str) -> str:
        """Of one of FACTORS."""
        return str(getattr(self, factor))


def hits(history: History, aimless: Container[str] = ()) -> tuple[Hit, ...]:
    """Every fault of a run that bit, once for each role that it hit. A run without a beginning has none.

    Those in ``aimless`` are aimed at nothing but the network, whoever is parted by them.
    """
    started = history.of(RunStarted)
    if not started or not started[0].topology:
        return ()
    topology = Topology.from_json(started[0].topology)
    profile = _profile(started[0].software, started[0].subject)
    frame = _Frame.of(history)
    return tuple(
        Hit(window.fault, role, frame.phase(window), topology.name, started[0].engine, profile)
        for window in frame.windows
        if window.effective_s is not None
        for role in (("network",) if window.fault in aimless else frame.roles(window, topology))
    )


def _profile(software: Mapping[str, Any], subject: str) -> str:
    settings = software.get(subject, {})
    return str(settings.get("profile", "")) if isinstance(settings, Mapping) else ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the phases of one run are told from."""

    windows: tuple[FaultWindow, ...]
    held: tuple[Any, ...]
    address: str

    @classmethod
    def of(cls, history: History) -> "_Frame":
        addresses = sorted({one.address for one in history.of(AddressAdded)})
        address = addresses[0] if addresses else ""
        return cls(fault_windows(history), holdings(history, address) if address else (), address)

    def holders(self, t_s: float) -> tuple[str, ...]:
        return HeldBy(self.held).at(t_s)

    def phase(self, window: FaultWindow) -> Phase:
        t_s = window.injected_s
        others = [one for one in self.windows if one.fault_id != window.fault_id]
        if self.address and not self.holders(t_s):
            return "electing"
        if any(one.injected_s <= t_s and (one.healed_s is None or t_s < one.healed_s) for one in others):
            return "under another fault"
        healed = any(one.healed_s is not None and 0 <= t_s - one.healed_s < RECOVERING_S for one in others)
        moved = any(0 <= t_s - one.start_s < RECOVERING_S for one in self.held)
        return "recovering" if healed or moved else "settled"

    def roles(self, window: FaultWindow, topology: Topology) -> tuple[Role, ...]:
        nodes: set[str] = set()
        for word in (part for target in window.targets for part in target.split("+")):
            nodes |= {word} & set(topology.node_names)
            nodes |= set(topology.nodes_of(word)) if word in topology.site_names else set()
        if not nodes:
            return ("network",)
        holders = self.holders(window.injected_s)
        found: set[Role] = {
            "holder" if node in holders else "follower" if holders else "nobody holds" for node in nodes
        }
        return tuple(role for role in ROLES if role in found)


@dataclass(slots=True)
class Coverage:
    """Hits of many runs, counted."""

    aimless: Container[str] = ()
    counts: Counter[Hit] = field(default_factory=Counter)
    runs: int = 0

    def take(self, history: History) -> None:
        """Count one run more."""
        self.counts.update(hits(history, self.aimless))
        self.runs += 1

    def values(self, factor: str) -> tuple[str, ...]:
        """What was seen of a factor, in alphabetical order."""
        return tuple(sorted({one.value(factor) for one in self.counts}))

    def matrix(self, rows: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
        """A row for each fault: how often it hit each role of ROLES, then how often in each phase of PHASES."""
        for fault in rows:
            mine = [(one, count) for one, count in self.counts.items() if one.fault == fault]
            by_role = (sum(count for one, count in mine if one.role == role) for role in ROLES)
            by_phase = (sum(count for one, count in mine if one.phase == phase) for phase in PHASES)
            yield fault, (*by_role, *by_phase)


Pair = tuple[tuple[str, str], tuple[str, str]]


def pairs_of(levels: Mapping[str, Sequence[str]]) -> Iterator[Pair]:
    """Every pair of values of two factors, as long as it can be."""
    for one, other in combinations(levels, 2):
        for left in levels[one]:
            for right in levels[other]:
                if possible({one: left, other: right}):
                    yield (one, left), (other, right)


def possible(values: Mapping[str, str]) -> bool:
    """Whether these can be there together: nobody holds the address while it is being elected who will, and then only.

    What is aimed at no node has no role, and is not aimed at an election either.
    """
    if "phase" not in values or "role" not in values:
        return True
    return (values["phase"] == "electing") == (values["role"] == "nobody holds")


def covered(coverage: Coverage, factors: Sequence[str] = ("fault", "role", "phase")) -> frozenset[Pair]:
    """The pairs that some run has."""
    return frozenset(
        ((one, hit.value(one)), (other, hit.value(other)))
        for hit in coverage.counts
        for one, other in combinations(factors, 2)
    )


def uncovered(coverage: Coverage, wanted: Iterable[Pair]) -> tuple[Pair, ...]:
    """Those of the pairs that no run has."""
    seen = covered(coverage)
    return tuple(pair for pair in wanted if pair not in seen)
