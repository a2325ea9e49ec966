"""Transactions on set elements in a real kernel."""

import errno
import socket
import subprocess
import time

import pytest

from harness.stack.sfha.kernel.nfnetlink import NFPROTO_NETDEV, NetfilterSocket, SetElements, Transaction, replacing
from tests.stack.sfha.kernel.kernel_rooms import Room

TABLE = "netdev t"
ONE, TWO, THREE = (bytes([10, 9, 0, number]) for number in (1, 2, 3))
SIX = bytes.fromhex("fd00" + 14 * "00")
LONG_S = 60.0


@pytest.fixture
def node(rooms: tuple[Room, Room]) -> Room:
    nft(
        rooms[0],
        f"add table {TABLE}; add set {TABLE} s {{ type ipv4_addr; flags timeout; }};"
        f"add set {TABLE} s6 {{ type ipv6_addr; flags timeout; }};"
        f"add element {TABLE} s {{ 10.9.0.1 timeout 60s, 10.9.0.2 timeout 60s }};"
        f"add element {TABLE} s6 {{ fd00:: timeout 60s }}",
    )
    return rooms[0]


@pytest.fixture
def link(node: Room) -> NetfilterSocket:
    return node.call(NetfilterSocket)


def nft(node: Room, *words: str) -> str:
    return node.call(lambda: subprocess.run(["nft", *words], check=True, capture_output=True, text=True).stdout)


def elements(node: Room, name: str = "s") -> str:
    return nft(node, "list", "set", *TABLE.split(), name)


def of(*keys: bytes, name: str = "s") -> SetElements:
    return SetElements(NFPROTO_NETDEV, "t", name, keys)


def refused_with(node: Room, link: NetfilterSocket, transaction: Transaction) -> int | None:
    with pytest.raises(OSError) as refused:  # noqa: PT011 - its number is what is looked at
        node.call(link.execute, transaction)
    return refused.value.errno


def test_elements_are_replaced_and_get_a_new_life(node: Room, link: NetfilterSocket) -> None:
    node.call(link.execute, replacing([of(ONE, TWO), of(SIX, name="s6")], [of(ONE, THREE), of(SIX, name="s6")], 7.5))
    shown = elements(node)
    assert "10.9.0.1 timeout 7s500ms" in shown
    assert "10.9.0.3 timeout 7s500ms" in shown
    assert "10.9.0.2" not in shown
    assert "fd00:: timeout 7s500ms" in elements(node, "s6")


@pytest.mark.parametrize(
    "transaction",
    [
        replacing([of(ONE, THREE)], [of(ONE, THREE)], LONG_S),  # in the middle of a list
        replacing([of(ONE), of(bytes(16), name="s6")], [of(THREE)], LONG_S),  # in a later message
        replacing([of(ONE)], [of(THREE, name="nothing")], LONG_S),  # in the last one
        replacing([of(THREE), of(THREE), of(THREE)], [of(THREE)], LONG_S),  # several times
    ],
)
def test_what_is_not_there_undoes_all_of_it(node: Room, link: NetfilterSocket, transaction: Transaction) -> None:
    assert refused_with(node, link, transaction) == errno.ENOENT
    shown = elements(node)
    assert "10.9.0.1 timeout 1m" in shown
    assert "10.9.0.2 timeout 1m" in shown
    assert "10.9.0.3" not in shown
    assert "fd00::" in elements(node, "s6")


def test_answers_of_a_refusal_are_not_taken_for_those_of_the_next(node: Room, link: NetfilterSocket) -> None:
    wrong, right = replacing([of(THREE), of(THREE)], [of(THREE)], LONG_S), replacing([of(ONE)], [of(ONE)], LONG_S)
    for _ in range(3):
        assert refused_with(node, link, wrong) == errno.ENOENT
        node.call(link.execute, right)


def test_an_element_that_has_run_out_is_not_there(node: Room, link: NetfilterSocket) -> None:
    node.call(link.execute, replacing([of(ONE)], [of(ONE)], 0.001))
    until_s = time.monotonic() + 5
    while "10.9.0.1 " in elements(node):
        assert time.monotonic() < until_s
    assert refused_with(node, link, replacing([of(ONE)], [of(ONE)], LONG_S)) == errno.ENOENT
    assert "10.9.0.1 " not in elements(node)


def test_interfaces_are_named_by_their_numbers(node: Room, link: NetfilterSocket) -> None:
    known = node.call(socket.if_nameindex)
    assert [node.call(link.interface_name, index) for index, _ in known] == [name for _, name in known]
    assert node.call(link.interface_name, 1 + max(index for index, _ in known)) is None
