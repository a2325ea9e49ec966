"""Addresses in a real kernel."""

import errno
import time

import pytest

from harness.stack.sfha.kernel.netlink import AddressTable
from tests.stack.sfha.kernel.kernel_rooms import Room

VIP = "10.9.0.100"


@pytest.fixture
def table(rooms: tuple[Room, Room]) -> AddressTable:
    return rooms[0].call(AddressTable)


def ipv4(node: Room, table: AddressTable) -> set[tuple[str, int]]:
    return {found for found in node.call(table.addresses, "eth0") if ":" not in found[0]}


def test_an_address_comes_and_goes(table: AddressTable, rooms: tuple[Room, Room]) -> None:
    node, _ = rooms
    node.call(table.put, "eth0", VIP, 24)
    assert ipv4(node, table) == {("10.9.0.1", 24), (VIP, 24)}
    assert node.call(table.remove, "eth0", VIP, 24) is True
    assert node.call(table.remove, "eth0", VIP, 24) is False
    assert ipv4(node, table) == {("10.9.0.1", 24)}


def test_a_short_life_ends_by_itself_unless_renewed(table: AddressTable, rooms: tuple[Room, Room]) -> None:
    node, _ = rooms
    renew_until_s = time.monotonic() + 1.5
    while time.monotonic() < renew_until_s:
        node.call(table.put, "eth0", VIP, 32, 1)
        assert (VIP, 32) in node.call(table.addresses, "eth0")
        time.sleep(0.2)  # the pace of the renewals, not a wait for something
    ended_s = time.monotonic()
    while (VIP, 32) in node.call(table.addresses, "eth0"):
        assert time.monotonic() < ended_s + 10
        time.sleep(0.01)


def test_the_kernels_own_words_come_through(table: AddressTable, rooms: tuple[Room, Room]) -> None:
    node, _ = rooms
    with pytest.raises(OSError, match="No such device: eth7") as missing:
        node.call(table.put, "eth7", VIP, 24)
    assert missing.value.errno == errno.ENODEV
    with pytest.raises(OSError, match="Invalid argument") as wrong:
        node.call(table.put, "eth0", VIP, 77)
    assert wrong.value.errno == errno.EINVAL
