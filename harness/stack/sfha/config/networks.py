"""Whether the mesh has a network of its own. Pure.

A mesh whose network is the LAN's as well has two ways to each of its addresses, and the kernel takes the wrong one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address

from .load import Mesh, Vip

CANDIDATES = tuple(
    IPv4Network(text)
    for text in (
        *(f"10.{second}.0.0/24" for second in range(90, 100)),
        *(f"172.{second}.90.0/24" for second in (31, 30, 29)),
        *(f"192.168.{third}.0/24" for third in range(190, 200)),
        "100.64.90.0/24",
    )
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A network that this node uses already: by an address on ``interface``, or by a route through it."""

    network: IPv4Network
    interface: str


def taken_of(addresses: object, routes: object, *, but: str) -> tuple[Taken, ...]:
    """The networks in what `ip -j -4 address` and `ip -j -4 route` said, but those of the interface ``but``.

    Without the default route, which is nobody's network, and the loopback's own.
    """
    found: list[Taken] = []
    for link in addresses if isinstance(addresses, list) else []:
        for info in link.get("addr_info", ()):
            _add(found, f"{info.get('local')}/{info.get('prefixlen')}", str(link.get("ifname")))
            if info.get("address"):  # the far end of a point-to-point link
                _add(found, f"{info['address']}/{info.get('prefixlen')}", str(link.get("ifname")))
    for route in routes if isinstance(routes, list) else []:
        _add(found, str(route.get("dst")), str(route.get("dev", "-")))
    return tuple(dict.fromkeys(one for one in found if one.interface != but and one.network.prefixlen))


def _add(found: list[Taken], text: str, interface: str) -> None:
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        return
    if not network.is_loopback:
        found.append(Taken(network, interface))


def overlapping(network: IPv4Network, taken: Iterable[Taken]) -> Taken | None:
    """The first of the networks that shares addresses with this one."""
    return next((one for one in taken if one.network.overlaps(network)), None)


def free_network(taken: Sequence[Taken], vips: Iterable[str] = ()) -> IPv4Network | None:
    """A private network that nothing here uses."""
    used = [ip_address(vip) for vip in vips]
    for candidate in CANDIDATES:
        if overlapping(candidate, taken) is None and not any(vip in candidate for vip in used):
            return candidate
    return None


def vip_inside(network: IPv4Network, vips: Iterable[Vip]) -> Vip | None:
    """The first virtual address that is one of this network's."""
    return next((vip for vip in vips if ip_address(vip.address) in network), None)


def network_of(mesh: Mesh) -> IPv4Network:
    """The mesh's network."""
    return IPv4Network(f"{mesh.own.address}/{mesh.prefix}", strict=False)
