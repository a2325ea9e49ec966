"""Virtual addresses beside a node's own, in a real kernel."""

import socket
import subprocess
import time

import pytest

from harness.stack.sfha.kernel.netlink import AddressTable, interface_index
from harness.stack.sfha.vips.host_addresses import HostAddresses
from harness.stack.sfha.vips.orders import Put, Removal
from tests.stack.sfha.kernel.kernel_rooms import Room

Rooms = tuple[Room, Room]
ONE, TWO = "10.9.0.100", "10.9.0.101"


def shown(node: Room, *words: str) -> str:
    return node.call(lambda: subprocess.check_output(["ip", *words], text=True))


def put(address: str, prefix: int) -> Put:
    return Put(1, address, "eth0", address, prefix, verify=False, until_s=0.0)


def removal(address: str, prefix: int = 24) -> Removal:
    return Removal(2, address, "eth0", address, prefix)


@pytest.fixture
def hosts(rooms: Rooms) -> HostAddresses:
    """Addresses stay for as long as a test takes."""
    return HostAddresses(rooms[0].call(AddressTable), interface_index, life_s=60)


def test_a_nodes_own_address_stays_when_the_virtual_one_goes(rooms: Rooms, hosts: HostAddresses) -> None:
    """It came after the virtual one, as it does when a network card is configured anew."""
    node, _ = rooms
    node.ip("address", "flush", "dev", "eth0")
    node.call(hosts.put, put(ONE, 24))
    node.ip("address", "add", "10.9.0.1/24", "dev", "eth0")
    assert "src 10.9.0.1 " in shown(node, "route", "get", "10.9.0.9")
    assert node.call(hosts.remove, removal(ONE, 24))
    assert "10.9.0.1/24" in shown(node, "address")
    assert ONE not in shown(node, "address") + shown(node, "route")


def test_of_two_in_one_network_either_goes_alone(rooms: Rooms, hosts: HostAddresses) -> None:
    node, client = rooms
    node.ip("address", "flush", "dev", "eth0")
    for address in (ONE, TWO):
        node.call(hosts.put, put(address, 24))
    with node.call(_monitor) as monitor:
        assert node.call(hosts.remove, removal(ONE, 24))
        node.ip("address", "add", "10.9.0.50/32", "dev", "eth0")  # the monitor has seen all that was before
        assert monitor.stdout is not None
        seen = ""
        while "10.9.0.50" not in seen:
            seen += monitor.stdout.readline()
        monitor.kill()
    assert ONE in seen
    assert TWO not in seen
    with pytest.raises(ConnectionRefusedError):  # by its kernel: nobody listens there
        client.call(socket.create_connection, (TWO, 9), 5)


def _monitor() -> "subprocess.Popen[str]":
    monitor = subprocess.Popen(["ip", "monitor", "address"], stdout=subprocess.PIPE, text=True)
    deadline_s = time.monotonic() + 5
    while not _listens(monitor.pid):
        assert time.monotonic() < deadline_s
    return monitor


def _listens(pid: int) -> bool:
    """Whether it has subscribed: a line of its namespace's netlink sockets has its number and groups."""
    with open(f"/proc/{pid}/net/netlink") as sockets:
        return any(line.split()[2] == str(pid) and int(line.split()[3], 16) for line in list(sockets)[1:])


def test_without_an_own_address_the_network_is_reached_from_the_virtual_one(rooms: Rooms) -> None:
    node, _ = rooms
    hosts = HostAddresses(node.call(AddressTable), interface_index)
    node.ip("address", "flush", "dev", "eth0")
    node.call(hosts.put, put(ONE, 24))
    assert f"src {ONE} " in shown(node, "route", "get", "10.9.0.9")
    node.ip("route", "flush", "dev", "eth0")
    node.call(hosts.put, put(ONE, 24))
    assert f"src {ONE} " in shown(node, "route", "get", "10.9.0.9")
    deadline_s = time.monotonic() + 5
    while "10.9.0.0/24" in shown(node, "route"):
        assert time.monotonic() < deadline_s, "address and route live for a second"
    assert ONE not in shown(node, "address")


def test_the_network_of_an_ipv6_address_keeps_its_own_life(rooms: Rooms) -> None:
    """The route of a network that a router told of would have ended with the virtual address."""
    node, _ = rooms
    hosts = HostAddresses(node.call(AddressTable), interface_index)
    node.ip("address", "add", "fd00:9::1/64", "dev", "eth0", "valid_lft", "1000", "preferred_lft", "1000", "nodad")
    node.call(hosts.put, put("fd00:9::100", 64))
    own = [line for line in shown(node, "-6", "route").splitlines() if "proto kernel" in line and "fd00:9::/64" in line]
    assert own
    assert int(own[0].split("expires ")[1].split("sec")[0]) > 900
    assert "src fd00:9::1 " in shown(node, "-6", "route", "get", "fd00:9::9")
    assert node.call(hosts.remove, removal("fd00:9::100", 64))


def test_it_is_taken_from_where_it_was_put_whatever_that_is_called_now(rooms: Rooms, hosts: HostAddresses) -> None:
    node, _ = rooms
    node.call(hosts.put, put(ONE, 24))
    node.ip("link", "set", "eth0", "down")
    node.ip("link", "set", "eth0", "name", "lan9")
    assert node.call(hosts.remove, removal(ONE, 24))
    assert ONE not in shown(node, "address")
