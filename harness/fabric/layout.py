"""How a topology becomes bridges and ports, and where a flow has to be dropped. Pure.

Every place (a site, or the hub of the WAN) is a bridge. A site's bridge has one uplink; its other end
is a port of the hub's bridge (stretched), or a port of the router, which is the fabric's own
namespace (routed; the hub's bridge then has an uplink too).

A packet is marked where it enters the fabric with the number of the port it came through, and
keeps that mark until it leaves. So a cut knows the sender by its cable, whatever addresses the
sender puts into its packets.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.topology import WAN, Link, Topology

_FIRST_CLIENT_MARK = 1001  # above every node id


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes from any of the sources to any of the destinations (nodes and clients), in this direction only."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop what carries one of the marks when it is about to leave by one of the ports."""

    marks: tuple[int, ...]
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Where packets of a flow can be met one by one: those with one of the marks, about to leave by this port."""

    port: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of the links, all within the 15 characters of the kernel, and marks of the ports."""

    topology: Topology
    marks: dict[str, int] = field(init=False, hash=False, compare=False)
    _members: dict[str, tuple[str, ...]] = field(init=False, hash=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        clients = (client.name for client in self.topology.clients)
        marks = {node.name: node.id for node in self.topology.nodes}
        marks |= {name: mark for mark, name in enumerate(clients, start=_FIRST_CLIENT_MARK)}
        object.__setattr__(self, "marks", marks)
        # Looked up once: cutting must take well under a millisecond, however many nodes there are.
        members = {place: self.topology.endpoints_at(place) for place in self.places}
        object.__setattr__(self, "_members", members)

    @property
    def routed(self) -> bool:
        """Whether sites are networks of their own."""
        return self.topology.lan == "routed"

    @property
    def places(self) -> tuple[str, ...]:
        """The sites and the hub."""
        return (*self.topology.site_names, WAN)

    def bridge(self, place: str) -> str:
        """The bridge of a site, or of the hub."""
        return "wan" if place == WAN else f"s-{place}"

    def port(self, endpoint: str) -> str:
        """The fabric's end of a node's or client's cable."""
        return f"p-{endpoint}"

    def stranger_port(self, number: int) -> str:
        """The fabric's end of the cable of a host that is no node."""
        return f"x-stranger{number}"

    def uplink(self, place: str) -> str:
        """The port of a place's bridge that leads out of it (the hub has one only when routed)."""
        return "wan-up" if place == WAN else f"u-{place}"

    def far_end(self, place: str) -> str:
        """The other end of the uplink: a port of the hub's bridge, or of the router."""
        return "wan-far" if place == WAN else f"w-{place}"

    def witness(self, place: str) -> tuple[str, str]:
        """The two ends of the cable of a place's witness: the port of its bridge, and where the witness looks."""
        return f"y-{place}", f"z-{place}"

    def has_uplink(self, place: str) -> bool:
        """Every place has one, except the hub that is itself what the uplinks lead to."""
        return place != WAN or self.routed

    def drops(self, flows: Iterable[Flow]) -> tuple[Drop, ...]:
        """Rules that stop exactly these flows, each as early on its way as nothing else is stopped with it.

        Early matters: a bridge beyond a dead line must not learn addresses from what never crossed it.
        Raises UsageError for a name that is not in the topology: it would be a cut that never bites.
        """
        marks_at: dict[str, set[int]] = {}
        for flow in flows:
            for name in {*flow.sources, *flow.destinations} - self.marks.keys():
                self.topology.place_of(name)
            wanted = frozenset(flow.destinations)
            for place, here in self._members.items():
                marks = {self.marks[name] for name in flow.sources if name in here}
                if marks:
                    for port in self._ports_before(wanted, place, here):
                        marks_at.setdefault(port, set()).update(marks)
        ports_of: dict[tuple[int, ...], list[str]] = {}
        for port in sorted(marks_at):
            ports_of.setdefault(tuple(sorted(marks_at[port])), []).append(port)
        return tuple(Drop(marks, tuple(ports)) for marks, ports in ports_of.items())

    def passages(self, flow: Flow) -> tuple[Passage, ...]:
        """Ports by which every packet of a flow passes just once, and no other with the same mark does.

        Unlike a drop, it may be as late as it likes: what is met here goes on.
        """
        marks_at: dict[str, set[int]] = {}
        for name in {*flow.sources, *flow.destinations} - self.marks.keys():
            self.topology.place_of(name)
        wanted = frozenset(flow.destinations)
        for place, here in self._members.items():
            if marks := {self.marks[name] for name in flow.sources if name in here}:
                for port in self._ports_to(wanted, place, here):
                    marks_at.setdefault(port, set()).update(marks)
        return tuple(Passage(port, tuple(sorted(marks))) for port, marks in sorted(marks_at.items()))

    def _ports_to(self, wanted: frozenset[str], place: str, here: tuple[str, ...]) -> list[str]:
        ports = [self.port(name) for name in here if name in wanted]
        outside = self.marks.keys() - frozenset(here)
        if self.has_uplink(place) and outside and outside <= wanted:
            return [*ports, self.uplink(place)]
        for other, there in self._members.items():
            if other != place and not wanted.isdisjoint(there):
                whole = wanted.issuperset(there) and self.has_uplink(other)
                ports += [self.far_end(other)] if whole else [self.port(name) for name in there if name in wanted]
        return ports

    def _ports_before(self, wanted: frozenset[str], place: str, here: tuple[str, ...]) -> list[str]:
        """The ports through which packets from ``place`` reach the wanted endpoints and nobody else."""
        if self.routed:  # an earlier drop would also hit what a node says to its own router, which is not cut off
            return [self.port(name) for name in wanted]
        ports = [self.port(name) for name in here if name in wanted]
        outside = self.marks.keys() - frozenset(here)
        if place != WAN and outside and outside <= wanted:
            return [*ports, self.uplink(place)]
        for other, there in self._members.items():
            if other == place or wanted.isdisjoint(there):
                continue
            whole = wanted.issuperset(there) and other != WAN
            ports += [self.far_end(other)] if whole else [self.port(name) for name in there if name in wanted]
        return ports


# --- the cuts people ask for -----------------------------------------------------------------------


def drop(source: str, destination: str) -> tuple[Flow, ...]:
    """One way only: what ``source`` sends no longer reaches ``destination``."""
    return (Flow((source,), (destination,)),)


def partition(*groups: Iterable[str]) -> tuple[Flow, ...]:
    """No traffic between the groups, in either direction; nodes and clients in no group reach everybody."""
    members = [tuple(group) for group in groups]
    return tuple(
        Flow(group, tuple(name for other in members if other is not group for name in other)) for group in members
    )


def isolate(topology: Topology, endpoint: str) -> tuple[Flow, ...]:
    """This node or client from everybody else."""
    topology.place_of(endpoint)
    return partition((endpoint,), (name for name in topology.endpoints if name != endpoint))


def cut_site(topology: Topology, site: str) -> tuple[Flow, ...]:
    """This site, with the clients in it, from all other sites and from the clients on the WAN."""
    inside = topology.endpoints_at(site)
    return partition(inside, (name for name in topology.endpoints if name not in inside))


def wan_down(topology: Topology) -> tuple[Flow, ...]:
    """All sites from each other; clients on the hub still reach every site."""
    return partition(*(topology.endpoints_at(site) for site in topology.site_names))


# --- the two directions of links -------------------------------------------------------------------


def there_and_back(inside: Iterable[str], outside: Iterable[str]) -> tuple[Flow, ...]:
    """What goes from these endpoints to those, and what comes back; nothing where one side is empty."""
    one, other = tuple(inside), tuple(outside)
    return (Flow(one, other), Flow(other, one)) if one and other else ()


def of_link(topology: Topology, link: Link) -> tuple[Flow, ...]:
    """The two directions of a link of the topology."""
    if link.between is not None:
        return there_and_back(*map(topology.endpoints_at, link.between))
    inside = topology.endpoints_at(link.site) if link.site is not None else (str(link.node),)
    return there_and_back(inside, (name for name in topology.endpoints if name not in inside))
