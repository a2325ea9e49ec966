"""What a plan could hit at worst, before it runs: for the reader of a dry run. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.plans.offers import Offer, nodes_meant, role_of
from harness.plans.plan import Plan, Step
from harness.topology import Topology


@dataclass(frozen=True, slots=True)
class Reach:
    """Of one step: whom it may hit, and whether all of them or one of them."""

    step: Step
    nodes: tuple[str, ...]
    one_of_them: bool

    def __str__(self) -> str:
        return f"{'one of ' if self.one_of_them else ''}{', '.join(self.nodes)}"


def reaches(plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> Iterator[Reach]:
    """Of every step, in the plan's order."""
    for step in plan.steps:
        found = _hit(step, offers[step.fault], topology)
        nodes = tuple(name for name in topology.node_names if name in found)
        yield Reach(step, nodes, role_of(step) != "named" and len(nodes) > 1)


def _hit(step: Step, offer: Offer, topology: Topology) -> frozenset[str]:
    if not offer.aims:
        return frozenset(topology.node_names)
    kinds = [*offer.aims, *offer.aims[-1:] * len(step.aims)]  # the last one may be said several times
    named = [nodes_meant(word, topology) for word, kind in zip(step.aims, kinds, strict=False) if kind != "told"]
    return frozenset().union(*named)


def radius(plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> str:
    """How many nodes may be hit at once at worst, when, and whether the others still have a majority: a sentence.

    Nothing but nodes and network of the cluster is ever hit.
    """
    found = tuple(reaches(plan, topology, offers))
    worst, at_s = frozenset[str](), 0.0
    for moment_s in sorted({one.step.earliest_s for one in found}):
        hit = _hit_at(found, moment_s)
        if len(hit) > len(worst):
            worst, at_s = hit, moment_s
    others = [name for name in topology.node_names if name not in worst]
    quorum = "the others keep quorum" if topology.has_quorum(others) else "quorum may be lost"
    names = ", ".join(name for name in topology.node_names if name in worst)
    return f"at worst {len(worst)} of {len(topology.nodes)} nodes at once ({names}, from {at_s:g} s on): {quorum}"


def _hit_at(found: tuple[Reach, ...], moment_s: float) -> frozenset[str]:
    there = [one for one in found if one.step.earliest_s <= moment_s < one.step.over_s]
    named = {name for one in there if not one.one_of_them for name in one.nodes}
    for one in there:
        if one.one_of_them:  # the worst case is one that nobody else has hit
            named.update([name for name in one.nodes if name not in named][:1])
    return frozenset(named)
