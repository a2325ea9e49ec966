"""What the kernel tells of interfaces and addresses."""

import select
import subprocess

import pytest

from harness.stack.sfha.kernel.netlink import AddressTable, interface_index
from harness.stack.sfha.vips.host_addresses import HostAddresses
from harness.stack.sfha.vips.interface import Link
from harness.stack.sfha.vips.links import LinkWatch
from harness.stack.sfha.vips.orders import Put
from tests.stack.sfha.kernel.kernel_rooms import Room

Rooms = tuple[Room, Room]
VIP = "10.9.0.100"


@pytest.fixture
def watch(rooms: Rooms) -> LinkWatch:
    return rooms[0].call(LinkWatch)


def state(watch: LinkWatch, within_s: float = 5.0) -> Link | None:
    """After the news have come."""
    assert select.select([watch], [], [], within_s)[0], "the kernel has nothing to say"
    watch.read()
    return watch.link("eth0")


def until(watch: LinkWatch, *, up: bool, carrier: bool) -> None:
    """The kernel tells of a carrier in news of its own."""
    link = watch.link("eth0")
    while link is None or (link.up, link.carrier) != (up, carrier):
        link = state(watch)


def test_an_interface_goes_down_loses_its_link_its_name_and_its_life(rooms: Rooms, watch: LinkWatch) -> None:
    node, client = rooms
    until(watch, up=True, carrier=True)
    client.ip("link", "set", "eth0", "down")
    until(watch, up=True, carrier=False)
    client.ip("link", "set", "eth0", "up")
    until(watch, up=True, carrier=True)
    node.ip("link", "set", "eth0", "down")
    until(watch, up=False, carrier=False)
    node.ip("link", "set", "eth0", "name", "lan9")
    assert state(watch) is None
    assert watch.link("lan9") is not None
    node.ip("link", "set", "lan9", "name", "eth0")
    assert state(watch) is not None
    node.ip("link", "delete", "eth0")
    assert state(watch) is None


def test_what_a_bridge_loses_is_not_gone(rooms: Rooms, watch: LinkWatch) -> None:
    node, _ = rooms
    node.ip("link", "add", "br0", "type", "bridge")
    node.ip("link", "set", "eth0", "master", "br0")
    node.ip("link", "set", "eth0", "nomaster")
    assert state(watch) is not None


@pytest.mark.parametrize("address", [VIP, "fd00:9::100"])
def test_an_address_that_was_given_for_good_is_known(rooms: Rooms, watch: LinkWatch, address: str) -> None:
    node, _ = rooms
    prefix = 64 if ":" in address else 24
    node.ip("address", "add", f"{address}/{prefix}", "dev", "eth0")
    state(watch)
    assert watch.is_lasting(address)
    node.ip("address", "delete", f"{address}/{prefix}", "dev", "eth0")
    state(watch)
    assert not watch.is_lasting(address)


def put(address: str) -> Put:
    return Put(1, address, "eth0", address, 24, verify=False, until_s=0.0)


def test_the_life_of_our_own_addresses_wakes_nobody(rooms: Rooms) -> None:
    """It is renewed several times a second."""
    node, _ = rooms
    hosts = HostAddresses(node.call(AddressTable), interface_index)
    node.call(hosts.put, put(VIP))
    watch = node.call(LinkWatch)
    while select.select([watch], [], [], 0)[0]:
        watch.read()
    node.call(hosts.put, put(VIP))
    node.call(hosts.put, put("10.9.0.101"))
    assert not select.select([watch], [], [], 0)[0]
    assert not watch.is_lasting(VIP)
    node.ip("address", "change", f"{VIP}/32", "dev", "eth0", "valid_lft", "100", "preferred_lft", "100")
    state(watch)
    assert watch.is_lasting(VIP)


def taken(node: Room, watch: LinkWatch) -> bool:
    """Whether a default route has come or gone, when the kernel says something."""
    assert select.select([watch], [], [], 5.0)[0], "the kernel has nothing to say"
    return node.call(watch.read)


@pytest.mark.parametrize(
    ("own", "router", "vip"),
    [("10.7.0.1/24", "10.7.0.254", "10.7.0.100"), ("fd00:7::1/64", "fd00:7::fe", "fd00:7::100")],
)
def test_a_default_route_that_was_there_and_is_lost_is_missed(rooms: Rooms, own: str, router: str, vip: str) -> None:
    """Taken away, or gone with its address or interface, of which IPv4 gives no notice."""
    node, _ = rooms
    family = "-6" if ":" in own else "-4"
    give = ("address", "add", own, "dev", "eth0", *(("nodad",) if ":" in own else ()))
    node.ip(*give)
    watch = node.call(LinkWatch)
    assert not watch.has_lost_way("eth0", vip), "what was never there is not missed"
    ways_of_going = [
        (("route", "delete", "default"),),
        (("link", "set", "eth0", "down"), ("link", "set", "eth0", "up"), give),
        (("address", "flush", "dev", "eth0"), give),
    ]
    if family == "-6":
        ways_of_going.pop()  # a default route of IPv6 outlives the addresses
    else:
        ways_of_going[1] = ways_of_going[1][:-1]  # an address of IPv4 outlives that the interface is down
    for going in ways_of_going:
        node.ip(family, "route", "replace", "default", "via", router, "dev", "eth0")
        until_way(node, watch, vip, lost=False)
        for command in going:
            node.ip(family, *command)
        until_way(node, watch, vip, lost=True)
        assert not watch.has_lost_way("eth1", vip)
        assert not watch.has_lost_way("eth0", "fd00::1" if family == "-4" else "10.0.0.1")


def until_way(node: Room, watch: LinkWatch, vip: str, *, lost: bool) -> None:
    """Until the kernel's news say so; each time they are taken in, nothing else is asked for."""
    while True:
        taken(node, watch)
        while select.select([watch], [], [], 0)[0]:
            taken(node, watch)
        if watch.has_lost_way("eth0", vip) == lost:
            return


def test_routes_to_single_networks_wake_nobody(rooms: Rooms) -> None:
    """There may be many, and they may come and go all the time."""
    node, _ = rooms
    node.ip("-6", "address", "flush", "dev", "eth0")  # whether it is alone with its address takes the kernel a second
    watch = node.call(LinkWatch)
    while select.select([watch], [], [], 0)[0]:
        node.call(watch.read)
    node.ip("route", "add", "10.77.0.0/16", "dev", "eth0")
    node.ip("route", "delete", "10.77.0.0/16", "dev", "eth0")
    assert not select.select([watch], [], [], 0)[0]
    node.ip("route", "add", "default", "dev", "eth0")
    assert select.select([watch], [], [], 5.0)[0]


def test_more_than_could_be_heard_is_read_again(rooms: Rooms, watch: LinkWatch) -> None:
    node, _ = rooms
    commands = "\n".join(f"address add 10.8.{one // 250}.{one % 250 + 1}/32 dev eth0" for one in range(2000))
    node.call(_batch, commands)
    node.ip("link", "set", "eth0", "name", "lan9")
    node.call(watch.read)
    assert watch.link("eth0") is None
    assert watch.is_lasting("10.8.7.250")


def _batch(commands: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input=commands, text=True, check=True, capture_output=True)
