"""What a fault offers to whoever plans: whom it can be aimed at, and how much of it there may be.

Two faults at once must not spoil each other's proof: of two cuts through the same wires neither can show that it is
the one that drops, and what runs on a node without power shows nothing. So faults have a footprint.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.plans.plan import Operation, Step, Value
from harness.topology import Topology

AimKind = Literal["nodes", "sites", "endpoint", "group", "vip", "told"]
"""What a word of an aim is. *told*: only somebody who knows the product can say it (a daemon, a path)."""
Group = Literal["power", "node", "network", "packets"]
ROLES = ("leader", "any", "holder", "follower")
SETTLING_S = 2.0
"""So long after its heal what a fault hit may still be on its way back: a node boots, a link comes up."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that a fault takes: its unit and its limits, as the fault declares them; without a default, told."""

    name: str
    unit: str
    at_least: float
    at_most: float
    whole: bool
    has_default: bool = True

    def allows(self, value: Value) -> bool:
        """Whether a value is within the limits."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.at_least <= value <= self.at_most


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words that a fault takes."""

    name: str
    words: tuple[str, ...]

    def allows(self, value: Value) -> bool:
        """Whether a value is one of them."""
        return value in self.words


@dataclass(frozen=True, slots=True)
class Offer:
    """One fault, as far as a plan needs to know it."""

    name: str
    family: str
    group: Group
    aims: tuple[AimKind, ...]
    options: tuple[Amount | Words, ...] = ()
    variadic: bool = False
    """Whether the last aim may be said several times."""

    @property
    def drawable(self) -> bool:
        """Whether chance alone can aim it and say how much: nothing needs knowledge of the product."""
        known = all(not isinstance(one, Amount) or one.has_default for one in self.options)
        return known and "told" not in self.aims


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a fault needs for itself while it lasts: these nodes, for faults of its group."""

    group: Group
    nodes: frozenset[str]

    def spoils(self, other: "Footprint") -> bool:
        """Whether one of two that are there at once may take the other's proof away."""
        if self.group == other.group == "network":
            return True  # each cut parts somebody from everybody: two of them share wires
        return (self.group == other.group or "power" in (self.group, other.group)) and bool(self.nodes & other.nodes)


def footprint(offer: Offer, aims: Sequence[str], topology: Topology) -> Footprint:
    """The nodes that a step may hit, whoever has a role at that time."""
    if offer.group == "network" and not {"nodes", "sites"} & {*offer.aims}:
        return Footprint(offer.group, frozenset(topology.node_names))
    kinds = [*offer.aims, *offer.aims[-1:] * len(aims)]  # the last one may be said several times
    found = [nodes_meant(word, topology) for word, kind in zip(aims, kinds, strict=False) if kind != "told"]
    found = found or [frozenset(topology.node_names)]
    return Footprint(offer.group, frozenset().union(*found))


def operation_footprint(operation: Operation) -> Footprint:
    """A node that is shut down has no power."""
    return Footprint("power", frozenset((operation.node,)))


def nodes_meant(words: str, topology: Topology) -> frozenset[str]:
    """Every node that these words can mean; those of a virtual address any."""
    found: set[str] = set()
    for word in words.split(","):
        if word in topology.node_names:
            found.add(word)
        elif word in topology.site_names:
            found.update(topology.nodes_of(word))
        elif word.startswith("site:") and word.removeprefix("site:") in topology.site_names:
            found.update(topology.nodes_of(word.removeprefix("site:")))
        elif word not in {client.name for client in topology.clients}:
            found.update(topology.node_names)
    return frozenset(found)


def unknown_words(kind: AimKind, words: str, topology: Topology) -> tuple[str, ...]:
    """The words of an aim that mean nothing of this topology: nothing but the cluster can ever be aimed at."""
    if kind == "told":
        return ()
    allowed = set(topology.node_names)
    if kind == "vip":
        allowed = {vip.name for vip in topology.vips}
    if kind == "sites":
        allowed |= set(topology.site_names)
    if kind == "endpoint":
        allowed |= {client.name for client in topology.clients}
    if kind in ("nodes", "sites"):
        allowed |= {"all", "any"} | {f"site:{site}" for site in topology.site_names}
        vips = [vip.name for vip in topology.vips]
        allowed |= {"leader", "holder:", "follower:", "holder", "follower"} if vips else set()
        allowed |= {f"{role}:{vip}" for role in ("holder", "follower") for vip in vips}
    return tuple(word for word in words.split(",") if word not in allowed)


def by_name(offers: Iterable[Offer]) -> dict[str, Offer]:
    """Offers by the names of their faults."""
    return {one.name: one for one in offers}


def role_of(step: Step) -> str:
    """The role that a step is aimed at, in a word: *named* where it names what it hits."""
    for word in (part for aim in step.aims for part in aim.split(",")):
        if word.partition(":")[0] in ROLES:
            return word.partition(":")[0]
    return "named"
