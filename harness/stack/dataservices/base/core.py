"""Who may reach which port of a server, as nftables rules, and what its kernel is told. Pure.

All of it follows from the inventory and from what modules say of themselves (their footprints). What nobody said is
closed. SSH from the installer is open whatever anybody says: a server that it cannot reach is nobody's any more.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..inventory.core import Inventory, Role, Server
from ..plan.footprint import ANYBODY, Opening, Setting, spans
from ..plan.module import ModuleImpossible

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SSH_PORT = 22
TABLE = "keyservices"
"""Of family inet, and all that is ever touched: the tables of others stay as they are."""


@dataclass(frozen=True, slots=True)
class Door:
    """These ports of one server are open to these networks."""

    protocol: str
    ports: tuple[tuple[int, int], ...]
    networks: tuple[str, ...]


def doors_of(server: Server, inventory: Inventory, openings: Iterable[Opening]) -> tuple[Door, ...]:
    """All that is open at this server; first of all what it is administered by."""
    ssh = ((SSH_PORT, SSH_PORT),)
    # Who administers the installer is not in the inventory; he has a key.
    admin = ANYBODY if server == inventory.installer else _addresses((inventory.installer,))
    doors = [Door("tcp", ssh, admin)]
    for one in openings:
        if server.roles & set(one.roles) and (networks := _networks(one.to, server, inventory)):
            doors.append(Door(one.protocol, tuple(spans(one.ports)), networks))
    return tuple(dict.fromkeys(doors))


def _networks(to: Iterable[Role | str], server: Server, inventory: Inventory) -> tuple[str, ...]:
    roles = [one for one in to if isinstance(one, Role)]
    servers = [one for one in inventory.of(*roles) if one != server]
    return (*(one for one in to if isinstance(one, str)), *_addresses(servers))


def _addresses(servers: Iterable[Server]) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(one.address)) for one in servers)


def admits(doors: Iterable[Door], address: str, port: int, protocol: str = "tcp") -> bool:
    """Whether a new connection from this address gets to this port."""
    came = ipaddress.ip_address(address)
    return any(
        door.protocol == protocol
        and any(first <= port <= last for first, last in door.ports)
        and any(came in ipaddress.ip_network(one) for one in door.networks)
        for door in doors
    )


def ruleset(doors: Sequence[Door]) -> str:
    """The table, for ``nft -f``: what was there of it before is replaced by all of this at once, or not at all."""
    lines = "".join(f"        {line}\n" for door in doors for line in _lines(door))
    return f"""\
# Written by keyservices (module 2). Loaded by firewall.sh.
table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
{lines}    }}
}}
"""


def _lines(door: Door) -> Iterable[str]:
    ports = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in door.ports)
    # A set of nftables takes no address twice, and no network that is within another one.
    for version, word in ((4, "ip"), (6, "ip6")):
        found = [one for one in map(ipaddress.ip_network, door.networks) if one.version == version]
        if any(not one.prefixlen for one in found):  # to nftables, 0.0.0.0/0 is none
            yield f"meta nfproto ipv{version} {door.protocol} dport {{ {ports} }} accept"
        elif found:
            sources = [str(one) for one in dict.fromkeys(found) if not any(_within(one, other) for other in found)]
            yield f"{word} saddr {{ {', '.join(sources)} }} {door.protocol} dport {{ {ports} }} accept"


def _within(one: Network, other: Network) -> bool:
    return one != other and one.prefixlen > other.prefixlen and one.network_address in other


def settings_of(server: Server, settings: Iterable[Setting]) -> Mapping[str, str]:
    """What this server's kernel is told. Raises ModuleImpossible where its services want different things."""
    wanted: dict[str, str] = {}
    for one in settings:
        if not server.roles & set(one.roles):
            continue
        if wanted.setdefault(one.key, one.value) != one.value:
            raise ModuleImpossible(f"{server.name}: {one.key} has to be {wanted[one.key]}, and {one.value} as well")
    return wanted
