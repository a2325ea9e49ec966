"""How an interface is, and how it is repaired: a real one, in a network of its own."""

import os
from collections.abc import Iterator

import pytest

from harness.stack.sfha.mesh.core import Condition
from harness.stack.sfha.mesh.wireguard import WireGuardError, condition, repair
from tests.stack.sfha.kernel.kernel_rooms import Room

ADDRESS = "10.90.0.7/24"


@pytest.fixture
def room() -> Iterator[Room]:
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    room = Room()
    room.ip("link", "add", "wg-sfha", "type", "veth", "peer", "name", "far")
    yield room
    room.close()


def test_one_that_is_not_there(room: Room) -> None:
    assert room.call(condition, "wg-none") == Condition()
    with pytest.raises(WireGuardError, match="wg-none"):
        room.call(repair, "wg-none", ADDRESS, 1420)


def test_one_that_is_down_is_known_as_that(room: Room) -> None:
    found = room.call(condition, "wg-sfha")
    assert (found.there, found.up, found.addresses) == (True, False, frozenset())
    assert not found.serves(ADDRESS)


@pytest.mark.parametrize(
    "breakage",
    [
        (),
        ("link", "set", "wg-sfha", "down"),
        ("address", "flush", "dev", "wg-sfha"),
        ("link", "set", "wg-sfha", "mtu", "1300"),
    ],
    ids=["never set up", "down", "without address", "another mtu"],
)
def test_it_is_repaired_and_well_afterwards(room: Room, breakage: tuple[str, ...]) -> None:
    if breakage:
        room.call(repair, "wg-sfha", ADDRESS, 1420)
        room.ip(*breakage)
    room.call(repair, "wg-sfha", ADDRESS, 1420)
    room.call(repair, "wg-sfha", ADDRESS, 1420)
    found = room.call(condition, "wg-sfha")
    assert found == Condition(there=True, up=True, addresses=frozenset({"10.90.0.7"}), mtu=1420)
    assert found.serves(ADDRESS)
    assert not found.serves("10.90.0.8")


def test_an_address_that_somebody_added_before_ours_is_no_matter(room: Room) -> None:
    room.ip("address", "add", "10.1.1.1/24", "dev", "wg-sfha", "label", "wg-sfha:1")
    room.ip("address", "add", "10.90.0.9/24", "dev", "wg-sfha")
    room.ip("address", "add", "10.90.0.77/24", "dev", "far")
    room.call(repair, "wg-sfha", ADDRESS, 1420)
    found = room.call(condition, "wg-sfha")
    assert found.addresses == {"10.1.1.1", "10.90.0.9", "10.90.0.7"}
    assert found.serves(ADDRESS)
