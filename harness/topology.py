"""A topology as drawn: sites, nodes with votes, links, virtual addresses, clients; and what its votes imply.

Topologies are TOML files. Everything here is pure, immutable and independent of a run;
addresses, which are unique per run, are in :mod:`harness.addresses`.
"""

import ipaddress
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from harness.errors import UsageError
from harness.mistakes import explained, suggestion
from harness.topology_parts import WAN, Client, Link, Named, Node, Part, Site, Subnet, Vip

__all__ = (
    "FIRST_VIP",
    "LAST_VIP",
    "WAN",
    "Client",
    "Link",
    "Node",
    "Site",
    "Topology",
    "Vip",
    "engine_words",
    "load",
)

MAX_SITES = 16
MAX_NODES = 64
MAX_VIPS = 64
MAX_CLIENTS = 32
MAX_LINKS = 256
FIRST_VIP, LAST_VIP = 100, 199
"""Host numbers of a service network kept for virtual addresses; nodes are below, clients above."""

MAX_BYTES = 1 << 20
RESERVED_NAMES = ("localhost", WAN)
"""What means something else already: this very host, and the hub between the sites."""


def engine_words(engine: str, engines: Mapping[str, str]) -> str:
    """What a run's nodes ran on, in words: the engine of most, and who was on another (``engines``, by node)."""
    elsewhere = [f"{node} on {own}" for node, own in engines.items() if own != engine]
    if len(elsewhere) == len(engines):
        return "; ".join(elsewhere) or engine
    return "; ".join([engine, *elsewhere])


class Topology(Part):
    """A whole drawing, validated: names unique, references resolved, every site inhabited."""

    name: str = Field(min_length=1, max_length=60)
    lan: Literal["stretched", "routed"] = "stretched"
    subnet: Subnet | None = None
    """The service network of a stretched LAN; by default each run has its own."""
    sites: tuple[Site, ...] = Field(min_length=1, max_length=MAX_SITES)
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MAX_NODES)
    links: tuple[Link, ...] = Field(default=(), max_length=MAX_LINKS)
    vips: tuple[Vip, ...] = Field(default=(), max_length=MAX_VIPS)
    clients: tuple[Client, ...] = Field(default=(), max_length=MAX_CLIENTS)

    @model_validator(mode="before")
    @classmethod
    def _number_the_nodes(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("nodes"), list | tuple):
            return data
        numbered = [
            {"id": position, **node} if isinstance(node, dict) else node
            for position, node in enumerate(data["nodes"], start=1)
        ]
        return {**data, "nodes": numbered}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*_unique(self), *_reserved(self), *_references(self), *_addresses(self)]
        if self.total_votes == 0:
            problems.append("nodes: no node has a vote; give at least one node votes = 1 or more")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    # --- who is where ----------------------------------------------------------------------------

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes, in the order of the file."""
        return tuple(node.name for node in self.nodes)

    @property
    def site_names(self) -> tuple[str, ...]:
        """Names of the sites, in the order of the file."""
        return tuple(site.name for site in self.sites)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Everything that has a port in the network: nodes, then clients."""
        return (*self.node_names, *(client.name for client in self.clients))

    def node(self, name: str) -> Node:
        """The node of this name (UsageError with the allowed names)."""
        return _found(name, self.nodes, "node")

    def link(self, name: str) -> Link:
        """The link of this name (UsageError with the allowed names)."""
        return _found(name, self.links, "link")

    def vip(self, name: str) -> Vip:
        """The virtual address of this name (UsageError with the allowed names)."""
        return _found(name, self.vips, "VIP")

    def client(self, name: str) -> Client:
        """The client of this name (UsageError with the allowed names)."""
        return _found(name, self.clients, "client")

    def nodes_of(self, site: str) -> tuple[str, ...]:
        """Names of a site's nodes (UsageError with the allowed names)."""
        _found(site, self.sites, "site")
        return tuple(node.name for node in self.nodes if node.site == site)

    def endpoints_at(self, place: str) -> tuple[str, ...]:
        """Nodes and clients at a place: a site, or "wan"."""
        nodes = () if place == WAN else self.nodes_of(place)
        return (*nodes, *(client.name for client in self.clients if client.place == place))

    def place_of(self, endpoint: str) -> str:
        """The site of a node; the site of a client, or "wan" (UsageError with the allowed names)."""
        places = {node.name: node.site for node in self.nodes} | {client.name: client.place for client in self.clients}
        if endpoint not in places:
            raise UsageError(f"the topology has no node or client {endpoint!r}{suggestion(endpoint, places)}")
        return places[endpoint]

    def engines(self, others: str) -> dict[str, str]:
        """The engine that each node runs on, where ``others`` is that of those for which none is drawn."""
        return {node.name: node.engine or others for node in self.nodes}

    @property
    def longest_way_ms(self) -> float:
        """No packet between two nodes takes longer, one way, by the links on its way: a bound for who sets timers."""
        latest: dict[str, list[float]] = {"site": [0.0], "between": [0.0], "node": [0.0]}
        for link in self.links:
            kind = "between" if link.between else "site" if link.site else "node"
            latest[kind].append(link.character.latency_ms + link.character.jitter_ms)
        sites, nodes = (sum(sorted(latest[kind])[-2:]) for kind in ("site", "node"))
        return sites + nodes + max(latest["between"])

    # --- what the votes imply ----------------------------------------------------------------------

    @property
    def total_votes(self) -> int:
        """Votes of all nodes together."""
        return sum(node.votes for node in self.nodes)

    @property
    def quorum_votes(self) -> int:
        """Votes that make a partition quorate: more than half, so that there is never a second one.

        That some systems let one of two nodes go on is no majority, and not counted here.
        """
        return self.total_votes // 2 + 1

    def votes_of(self, nodes: Iterable[str]) -> int:
        """Votes of these nodes together; naming one twice counts once."""
        return sum(self.node(name).votes for name in set(nodes))

    def has_quorum(self, nodes: Iterable[str]) -> bool:
        """Whether these nodes, and only they, talking to each other, may act."""
        return self.votes_of(nodes) >= self.quorum_votes

    def quorate_nodes(self, groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
        """The nodes of that group which has quorum when the cluster is split like this; () when none has."""
        return next((tuple(group) for group in groups if self.has_quorum(group)), ())

    def minority_nodes_when_wan_down(self) -> tuple[str, ...]:
        """The nodes that must give up when every site is on its own."""
        majority = self.quorate_nodes([self.nodes_of(site) for site in self.site_names])
        return tuple(name for name in self.node_names if name not in majority)

    # --- to and from text --------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain data for the history; :meth:`from_json` takes it back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: object, source: str = "topology") -> Self:
        """A topology from plain data (UsageError naming ``source``, key path and allowed values)."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            lines = "\n".join(f"{source}: {problem}" for problem in explained(error, cls, _PARTS))
            raise UsageError(lines) from None


def load(path: Path) -> Topology:
    """Read a topology file.

    Raises UsageError naming the file, the key path and what is allowed there, one problem a line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: is too large for a topology; allowed: {MAX_BYTES:,} bytes")
        # Windows puts a mark before text in UTF-8, which TOML does not know.
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such topology file") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}: cannot be read: line {line} is not text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not TOML: {error!s:.200}") from None
    except RecursionError:
        raise UsageError(f"{path}: is nested too deeply for a topology") from None
    except ValueError as error:  # Python refuses numbers of thousands of digits by itself
        raise UsageError(f"{path}: has a number that is too long ({str(error).split(':', maxsplit=1)[0]})") from None
    return Topology.from_json(data, str(path))


# --- validation ------------------------------------------------------------------------------------

_PARTS: dict[str, type[Part]] = {"sites": Site, "nodes": Node, "links": Link, "vips": Vip, "clients": Client}


def _found(name: str, parts: Iterable[Named], what: str) -> Named:
    by_name = {part.name: part for part in parts}
    if name not in by_name:
        raise UsageError(f"the topology has no {what} {name!r}{suggestion(name, by_name)}")
    return by_name[name]


def _unique(topology: Topology) -> Iterable[str]:
    endpoints = [
        *((f"nodes[{index}].name", node.name) for index, node in enumerate(topology.nodes)),
        *((f"clients[{index}].name", client.name) for index, client in enumerate(topology.clients)),
    ]
    yield from _repeated(endpoints)
    yield from _repeated((f"sites[{index}].name", site.name) for index, site in enumerate(topology.sites))
    yield from _repeated((f"vips[{index}].name", vip.name) for index, vip in enumerate(topology.vips))
    yield from _repeated((f"links[{index}].name", link.name) for index, link in enumerate(topology.links))
    yield from _repeated((f"links[{index}].place", link.place) for index, link in enumerate(topology.links))
    yield from _repeated((f"nodes[{index}].id", str(node.id)) for index, node in enumerate(topology.nodes))
    given = ((f"vips[{index}].address", vip.address) for index, vip in enumerate(topology.vips))
    yield from _repeated((path, address) for path, address in given if address is not None)


def _repeated(values: Iterable[tuple[str, str]]) -> Iterable[str]:
    first: dict[str, str] = {}
    for path, value in values:
        if value in first:
            yield f"{path}: {value!r} is already that of {first[value].rpartition('.')[0]}; allowed: any other"
        first.setdefault(value, path)


def _reserved(topology: Topology) -> Iterable[str]:
    """Names of nodes and clients that would mean something else wherever a name can be given."""
    taken = {**dict.fromkeys(topology.site_names, "a site"), **dict.fromkeys(RESERVED_NAMES, "something else")}
    for part, members in (("nodes", topology.nodes), ("clients", topology.clients)):
        for index, member in enumerate(members):
            if member.name in taken:
                means = f"{member.name!r} means {taken[member.name]} already"
                yield f"{part}[{index}].name: {means}; allowed: any other name"


def _references(topology: Topology) -> Iterable[str]:
    sites = topology.site_names
    for index, site in enumerate(sites):
        if site == WAN:
            yield f'sites[{index}].name: "{WAN}" means the hub between the sites; allowed: any other name'
        elif not any(node.site == site for node in topology.nodes):
            yield f"sites[{index}]: site {site!r} has no node; give it one, or remove it"
    used = [
        *((f"nodes[{index}].site", node.site, sites) for index, node in enumerate(topology.nodes)),
        *((path, site, sites) for path, site in _sites_of_links(topology)),
        *((f"clients[{index}].place", client.place, (*sites, WAN)) for index, client in enumerate(topology.clients)),
    ]
    for path, place, allowed in used:
        if place not in allowed:
            yield f"{path}: there is no site {place!r}{suggestion(place, allowed)}"
    for index, link in enumerate(topology.links):
        if link.node is not None and link.node not in topology.node_names:
            nodes = topology.node_names
            yield f"links[{index}].node: there is no node {link.node!r}{suggestion(link.node, nodes)}"


def _sites_of_links(topology: Topology) -> Iterable[tuple[str, str]]:
    for index, link in enumerate(topology.links):
        yield from ((f"links[{index}].between", site) for site in link.between or ())
        if link.site is not None:
            yield f"links[{index}].site", link.site


def _addresses(topology: Topology) -> Iterable[str]:
    if topology.subnet is not None and topology.lan == "routed":
        yield 'subnet: a routed LAN has one network per site; allowed: only with lan = "stretched"'
        return
    for index, vip in enumerate(topology.vips):
        path = f"vips[{index}].address"
        if vip.address is None:
            continue
        if topology.subnet is None:
            yield f'{path}: needs a fixed service network; add subnet = "a.b.c.0/24" at the top, or leave it out'
        elif not _in_vip_range(vip.address, topology.subnet):
            first, last = (topology.subnet.replace(".0/24", f".{host}") for host in (FIRST_VIP, LAST_VIP))
            yield f"{path}: {vip.address} is not free for a VIP; allowed: {first} to {last}"


def _in_vip_range(address: str, subnet: str) -> bool:
    network = ipaddress.IPv4Network(subnet)
    host = int(ipaddress.IPv4Address(address)) - int(network.network_address)
    return FIRST_VIP <= host <= LAST_VIP
