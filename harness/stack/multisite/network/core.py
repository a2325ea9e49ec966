"""Which address a machine has in the tunnel, what WireGuard is to be told, and when to shake hands anew. Pure.

Keys are changed without a gap in the same way on both sides. Whoever gets a new key says so first; the other side
takes it as one more peer that may send nothing yet. Then the key is changed, and its first handshake is what tells
the other side to let that peer have the addresses.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from itertools import islice

from ...kit.wireguard_peers import SeenPeer

NETWORK = "10.200.0.0/16"
SITE_PREFIX = 24
KEEPALIVE_S = 25
LOST_AFTER_S = 1.0
"""So long nothing came, although the other side was asked all the time."""
STEADY_S = 3.0
"""So long a hub is heard without a gap before machines go back to it."""
FIRST_PAUSE_S, LAST_PAUSE_S, GROWTH = 1.0, 10.0, 1.5
"""Between handshakes that are forced; WireGuard itself tries again after 5 s only."""


class NoRoom(Exception):
    """There is no address left; says where."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """A machine as the hub knows it. ``next_key`` is the one it will change to; ``endpoint``: where it says it is
    reached, empty if nobody can tell."""

    machine: str
    site: str
    address: str
    key: str
    next_key: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer as WireGuard is told of it; ``allowed`` is empty where it may send nothing."""

    key: str
    allowed: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """An address that a machine has already."""

    site: str
    address: str


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A hub as a machine knows it."""

    address: str
    key: str
    next_key: str
    endpoint: str


def hub_address(network: str = NETWORK, place: int = 0) -> str:
    """That of a hub: the first hosts of the first subnet, which is no site's."""
    return str(ipaddress.ip_network(network)[1 + place])


def is_in(address: str, subnet: str) -> bool:
    """Whether it is one of the subnet."""
    return ipaddress.ip_address(address) in ipaddress.ip_network(subnet)


def address_for(
    machine: str, site: str, declared: Mapping[str, str], given: Mapping[str, Given], network: str = NETWORK
) -> str:
    """The address of a machine of a site: the one that it has if that is right, else the lowest that is free.

    ``declared`` has the subnets that people chose for sites; any other site keeps the subnet that its machines are in,
    or gets the lowest that nobody has. Raises NoRoom.
    """
    subnet = _subnet_of(site, declared, given, IPv4Network(network))
    before = given.get(machine)
    if before is not None and before.site == site and IPv4Address(before.address) in subnet:
        return before.address
    taken = {one.address for name, one in given.items() if name != machine} | {hub_address(network)}
    for one in subnet.hosts():
        if str(one) not in taken:
            return str(one)
    raise NoRoom(f"site {site}: {subnet} has no address left for {machine}")


def _subnet_of(site: str, declared: Mapping[str, str], given: Mapping[str, Given], network: IPv4Network) -> IPv4Network:
    if site in declared:
        chosen = ipaddress.ip_network(declared[site])
        if not isinstance(chosen, IPv4Network) or not chosen.subnet_of(network):
            raise NoRoom(f"site {site}: its subnet {chosen} is no part of {network}, the network of tunnels")
        return chosen
    chosen_by_others = [ipaddress.ip_network(one) for one in declared.values()]
    taken = [one for one in chosen_by_others if isinstance(one, IPv4Network)]
    taken += [_around(one.address) for one in given.values() if one.site != site]
    own = sorted({_around(one.address) for one in given.values() if one.site == site})
    for subnet in (*own, *islice(network.subnets(new_prefix=SITE_PREFIX), 1, None)):
        if subnet.subnet_of(network) and not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise NoRoom(f"{network} has no subnet left for site {site}")


def _around(address: str) -> IPv4Network:
    return IPv4Network(f"{address}/{SITE_PREFIX}", strict=False)


def announced(said: str, came_from: str) -> str:
    """Where a machine is reached, by its own word, if it is there that it speaks from: behind a NAT its word leads
    nowhere, and WireGuard learns the right place from its first packet."""
    host = said.rpartition(":")[0].strip("[]")
    return said if host and host == came_from.removeprefix("::ffff:") else ""


def in_force(key: str, next_key: str, seen: Mapping[str, SeenPeer]) -> str:
    """The key that has the addresses: the next one as soon as a handshake was made with it."""
    return next_key if next_key and next_key in seen and seen[next_key].handshake_at_s > 0 else key


def peers_of_hub(spokes: Iterable[Spoke], seen: Mapping[str, SeenPeer]) -> list[Peer]:
    """What the hub is to have."""
    return [peer for one in spokes for peer in _both(one.key, one.next_key, f"{one.address}/32", one.endpoint, seen)]


def peers_of_spoke(hubs: Iterable[HubPlace], by: str, network: str, seen: Mapping[str, SeenPeer]) -> list[Peer]:
    """What a machine is to have: the hub with the address ``by``, by which it reaches everybody, and each other one for
    itself, which reaches this machine as well: whose question comes by one is answered by the same."""
    return [
        peer for one in hubs for peer in _both(one.key, one.next_key, allowed_of(one, by, network), one.endpoint, seen)
    ]


def allowed_of(hub: HubPlace, by: str, network: str) -> str:
    """What comes by it."""
    return network if hub.address == by else f"{hub.address}/32"


def _both(key: str, next_key: str, allowed: str, endpoint: str, seen: Mapping[str, SeenPeer]) -> Iterator[Peer]:
    chosen = in_force(key, next_key, seen)
    for one in dict.fromkeys(one for one in (key, next_key) if one):
        yield Peer(one, allowed if one == chosen else "", endpoint)


def where_it_is(peer: Peer, seen: Mapping[str, SeenPeer]) -> Peer:
    """The peer with the endpoint that WireGuard has learnt, which is right also behind a NAT."""
    learnt = seen[peer.key].endpoint if peer.key in seen else ""
    return replace(peer, endpoint=learnt or peer.endpoint)


@dataclass(slots=True)
class Telling:
    """What was said of endpoints already: one that is announced again does not undo what WireGuard learnt since."""

    _said: dict[str, str] = field(default_factory=dict)

    def changes(self, wanted: Sequence[Peer], seen: Mapping[str, SeenPeer]) -> list[list[str]]:
        """The arguments of `wg set INTERFACE` that lead from what is there to what is wanted, each a change; to be
        given at once. Addresses are taken away before they are given to somebody else."""
        known = {one.key for one in wanted}
        gone = [["peer", key, "remove"] for key in seen if key not in known]
        for key in set(self._said) - known:
            del self._said[key]
        changed = [(one, words) for one in wanted for words in [self._change(one, seen.get(one.key))] if words]
        return gone + [words for _, words in sorted(changed, key=lambda each: bool(each[0].allowed))]

    def _change(self, peer: Peer, seen: SeenPeer | None) -> list[str]:
        news = bool(peer.endpoint) and self._said.get(peer.key) != peer.endpoint
        self._said[peer.key] = peer.endpoint
        moves = bool(peer.endpoint) and (seen is None or not seen.endpoint or (news and seen.endpoint != peer.endpoint))
        if seen is not None and seen.allowed == peer.allowed and seen.keepalive_s == KEEPALIVE_S and not moves:
            return []
        where = ["endpoint", peer.endpoint] if moves else []
        return ["peer", peer.key, *where, "persistent-keepalive", str(KEEPALIVE_S), "allowed-ips", peer.allowed]


def anew(peer: Peer) -> list[str]:
    """The arguments of `wg set INTERFACE` that make it shake hands with a peer now."""
    where = ["endpoint", peer.endpoint] if peer.endpoint else []
    added = [*where, "persistent-keepalive", str(KEEPALIVE_S), "allowed-ips", peer.allowed]
    return ["peer", peer.key, "remove", "peer", peer.key, *added]


@dataclass(slots=True)
class Care:
    """Of the way to the hub, from a machine: it is asked all the time, so silence means that no keys work any more, or
    that they lead where nobody is."""

    _bytes: int = -1
    _heard_s: float = float("-inf")
    _forced_s: float = float("-inf")
    _pause_s: float = FIRST_PAUSE_S
    _source: str = ""

    def due(self, received_bytes: int, source: str, now_s: float) -> bool:
        """Whether to shake hands anew now. ``source`` is the address that this machine speaks from; empty if it has no
        way at all, where nothing can be done."""
        moved = bool(source) and bool(self._source) and source != self._source
        self._source = source or self._source
        if received_bytes > self._bytes:
            self._heard_s, self._pause_s = now_s, FIRST_PAUSE_S
        self._bytes = received_bytes
        if moved:
            self._forced(now_s, FIRST_PAUSE_S)
            return True
        silent = now_s - self._heard_s >= LOST_AFTER_S and now_s - self._forced_s >= self._pause_s
        if not silent or not source:
            return False
        self._forced(now_s, min(self._pause_s * GROWTH, LAST_PAUSE_S))
        return True

    def well(self, now_s: float) -> bool:
        """Whether something was heard lately."""
        return now_s - self._heard_s < LOST_AFTER_S

    def _forced(self, now_s: float, pause_s: float) -> None:
        self._forced_s, self._pause_s, self._bytes = now_s, pause_s, 0  # a peer that is set anew begins at nothing


@dataclass(slots=True)
class Choice:
    """By which hub a machine reaches all others: the first that is heard, so that all machines choose the same. One
    that comes back is waited for, or traffic would go back and forth with each of its words."""

    by: str = ""
    _since_s: dict[str, float] = field(default_factory=dict)

    def choose(self, well: Mapping[str, bool], now_s: float) -> str:
        """``well``: the addresses of all hubs in their order, and whether each is heard now. While none is, nothing
        changes: it is of no use to have another one."""
        for address, heard in well.items():
            if heard:
                self._since_s.setdefault(address, now_s)
            else:
                self._since_s.pop(address, None)
        if self.by not in well:
            self.by = next(iter(well))
        present = [address for address in well if address in self._since_s]
        steady = [address for address in present if now_s - self._since_s[address] >= STEADY_S]
        if present and self.by not in present:
            self.by = (steady or present)[0]
        elif steady and list(well).index(steady[0]) < list(well).index(self.by):
            self.by = steady[0]
        return self.by


def generation_due(generation: int, wanted: int, age_s: float, rotate_s: float, *, changing: bool) -> int:
    """Which key is to be used: the next one where somebody asked for it, or the present one is too old."""
    if changing or wanted > generation:
        return wanted
    return generation + 1 if rotate_s and age_s >= rotate_s else wanted
