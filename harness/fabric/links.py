"""Bridges, cables and addresses, by netlink (rtnetlink(7)).

Each function works in the namespace its ``IPRoute`` was opened in. All but the last are
called from the fabric's own thread.
"""

import array
import errno
import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from harness.clock import now_s
from harness.errors import FabricError
from harness.fabric.namespaces import call_in
from harness.fabric.plug import Plug

_FORWARDING = 3  # BR_STATE_FORWARDING of linux/if_bridge.h
_FORWARDING_WITHIN_S = 5.0
_ETHTOOL, _SET_TX_CHECKSUM, _SET_SEGMENTATION = 0x8946, 0x17, 0x1F  # of linux/sockios.h and linux/ethtool.h
_WIRE = "wire"
"""The far end of a cable that leads to another bridge."""


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable inside the fabric: from a bridge to another bridge, or (``far_bridge`` None) to the router."""

    near: str
    near_bridge: int
    far: str
    far_bridge: int | None
    far_mac: str


def index_of(route: IPRoute, name: str) -> int | None:
    """The index of a link, None when there is none of that name."""
    found: list[int] = list(route.link_lookup(ifname=name))
    return found[0] if found else None


def add_bridge(route: IPRoute, name: str) -> int:
    """A bridge that floods at once: no spanning tree, no multicast snooping. Returns its index."""
    _do(f"add bridge {name}", lambda: _add_link(route, name, kind="bridge", br_stp_state=0, br_mcast_snooping=0))
    return _index(route, name)


def add_cable(route: IPRoute, cable: Cable) -> int:
    """Lay a cable inside the fabric. Returns the index of its far end."""
    peer = {"ifname": cable.far, "address": cable.far_mac}
    _do(
        f"lay cable {cable.near}",
        lambda: _add_link(route, cable.near, kind="veth", master=cable.near_bridge, peer=peer),
    )
    index = _index(route, cable.far)
    bridge: dict[str, Any] = {} if cable.far_bridge is None else {"master": cable.far_bridge}
    _do(f"set {cable.far} up", lambda: route.link("set", index=index, state="up", **bridge))
    return index


def add_loose_cable(route: IPRoute, here: tuple[str, str], there: tuple[str, str]) -> None:
    """A cable inside the fabric of which neither end is plugged in, by name and hardware address; there is no other.

    What passes it are frames as they are on a wire, of the length that a wire takes and with all their sums: between
    namespaces the kernel leaves these for later, or for nobody.
    """
    (near, near_mac), (far, far_mac) = here, there
    peer = {"ifname": far, "address": far_mac}
    _do(f"lay cable {near}", lambda: _add_link(route, near, kind="veth", address=near_mac, peer=peer))
    _do(f"set {far} up", lambda: route.link("set", index=_index(route, far), state="up"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for setting in (_SET_TX_CHECKSUM, _SET_SEGMENTATION):
            value = array.array("B", struct.pack("=II", setting, 0))
            request = struct.pack("16sP16x", near.encode(), value.buffer_info()[0])
            fcntl.ioctl(any_socket, _ETHTOOL, request)


def add_address(route: IPRoute, index: int, address: str, prefix_length: int) -> None:
    """Give a link an address."""
    _do(f"add address {address}", lambda: route.addr("add", index=index, address=address, prefixlen=prefix_length))


def plug_in(route: IPRoute, port: str, bridge: int, plug: Plug, namespace: Path) -> None:
    """Lay a cable from a bridge into another namespace and configure that end; replaces an older cable."""
    try:
        descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FabricError(f"network namespace {namespace} is gone: {error.strerror}") from error
    # Closed before returning: whoever keeps a descriptor keeps a dead node's namespace, and its addresses, alive.
    try:
        peer = {"ifname": plug.interface, "address": plug.mac, "net_ns_fd": descriptor}
        _do(
            f"plug {port} into {namespace}",
            lambda: _replace_link(route, port, kind="veth", master=bridge, peer=peer),
            exists=f"it already has a link {plug.interface}",
        )
        call_in(descriptor, lambda: _configure(plug))
        wait_until_forwarding(route, port)
    finally:
        os.close(descriptor)


def plug_into_bridge(route: IPRoute, port: str, bridge: int, *, namespace: Path, inner: str) -> None:
    """Lay a cable from a bridge to one in another namespace; replaces an older cable."""
    try:
        descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FabricError(f"network namespace {namespace} is gone: {error.strerror}") from error
    try:
        peer = {"ifname": _WIRE, "net_ns_fd": descriptor}
        _do(
            f"plug {port} into {namespace}",
            lambda: _replace_link(route, port, kind="veth", master=bridge, peer=peer),
            exists=f"it already has a link {_WIRE}",
        )
        call_in(descriptor, lambda: _enslave(_WIRE, inner))
        wait_until_forwarding(route, port)
    finally:
        os.close(descriptor)


def _enslave(name: str, bridge: str) -> None:
    with IPRoute() as route:
        master = _index(route, bridge)
        _do(f"plug into {bridge}", lambda: route.link("set", index=_index(route, name), master=master, state="up"))
        wait_until_forwarding(route, name)


def wait_until_forwarding(route: IPRoute, port: str) -> None:
    """Return when a bridge passes packets through this port: a little later than both ends are up.

    What is sent before is lost, and when it was a question for an address, it is asked again only a
    second later. Raises FabricError when that does not happen within seconds.
    """
    index = _index(route, port)
    deadline_s = now_s() + _FORWARDING_WITHIN_S
    while True:
        late = now_s() >= deadline_s
        # Asking for this one link also makes newer kernels settle its state at once.
        link = route.get_links(index)[0]
        if link.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE") == _FORWARDING:
            return
        if late:
            raise FabricError(f"port {port} does not forward after {_FORWARDING_WITHIN_S:g} s")
        time.sleep(0.001)


def remove_link(route: IPRoute, name: str) -> None:
    """Remove a link with its other end; one that is not there is no error."""
    with suppress(NetlinkError):
        route.link("del", ifname=name)
    if index_of(route, name) is not None:
        raise FabricError(f"link {name} could not be removed")


def set_down(route: IPRoute, name: str) -> None:
    """Set a link down: the other end of a cable loses its carrier."""
    index = _index(route, name)
    _do(f"set {name} down", lambda: route.link("set", index=index, state="down"))


def has_carrier(name: str) -> bool:
    """Whether a link of the present namespace has a carrier."""
    with IPRoute() as route:
        return bool(route.get_links(_index(route, name))[0].get_attr("IFLA_CARRIER"))


def _configure(plug: Plug) -> None:
    with IPRoute() as route:
        index = _index(route, plug.interface)
        add_address(route, index, plug.address, plug.prefix_length)
        _do("set lo up", lambda: route.link("set", index=1, state="up"))
        _do(f"set {plug.interface} up", lambda: route.link("set", index=index, state="up"))
        if plug.gateway is not None:
            _do("add the default route", lambda: route.route("add", dst="default", gateway=plug.gateway))


def _add_link(route: IPRoute, name: str, **options: Any) -> None:
    route.link("add", ifname=name, state="up", **options)


def _replace_link(route: IPRoute, name: str, **options: Any) -> None:
    try:
        _add_link(route, name, **options)
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise
        # The old cable of a node that is plugged in twice, or was just killed: then the kernel may be
        # removing it at this very moment.
        remove_link(route, name)
        _add_link(route, name, **options)


def _index(route: IPRoute, name: str) -> int:
    index = index_of(route, name)
    if index is None:
        raise FabricError(f"link {name} is not there")
    return index


def _do(what: str, action: Callable[[], object], exists: str = "it is already there") -> None:
    try:
        action()
    except NetlinkError as error:
        reason = exists if error.code == errno.EEXIST else os.strerror(error.code)
        raise FabricError(f"cannot {what}: {reason}") from error
