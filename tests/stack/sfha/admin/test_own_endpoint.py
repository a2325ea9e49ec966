"""Where this node is reached, and whether another one can be: in networks of its own."""

import os
import socket
from collections.abc import Iterator

import pytest

from harness.stack.sfha.admin.own_endpoint import (
    EndpointUnknown,
    guess_endpoint,
    refuse_unreachable,
    resolved,
)
from tests.stack.sfha.kernel.kernel_rooms import Room

SIX = "fd00:1::5"


@pytest.fixture
def room() -> Iterator[Room]:
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    room = Room()
    room.ip("link", "set", "lo", "up")
    room.ip("link", "add", "eth0", "type", "veth", "peer", "name", "far")
    for name in ("eth0", "far"):
        room.ip("link", "set", name, "up")
    yield room
    room.close()


def with_six(room: Room) -> Room:
    room.ip("-6", "address", "add", f"{SIX}/64", "dev", "eth0", "nodad")
    return room


def test_a_node_without_an_address_cannot_tell(room: Room) -> None:
    with pytest.raises(EndpointUnknown, match=r"--endpoint HOST:PORT \(\[ADDRESS\]:PORT for IPv6\)"):
        room.call(guess_endpoint, 51820)


def test_a_node_with_ipv6_alone_has_brackets(room: Room) -> None:
    assert with_six(room).call(guess_endpoint, 51820) == f"[{SIX}]:51820"
    assert room.call(guess_endpoint, 51820, "[fd00:1::9]") == f"[{SIX}]:51820"
    room.ip("-6", "route", "add", "default", "via", "fd00:1::1", "dev", "eth0")
    assert room.call(guess_endpoint, 51820) == f"[{SIX}]:51820"


def test_a_node_with_both_has_ipv4_unless_the_other_is_reached_by_ipv6(room: Room) -> None:
    with_six(room).ip("address", "add", "192.0.2.5/24", "dev", "eth0")
    assert room.call(guess_endpoint, 51820) == "192.0.2.5:51820"
    assert room.call(guess_endpoint, 51820, "[fd00:1::9]") == f"[{SIX}]:51820"
    assert room.call(guess_endpoint, 51820, "192.0.2.9") == "192.0.2.5:51820"


def test_no_route_is_known_at_once(room: Room) -> None:
    with pytest.raises(EndpointUnknown, match=r"n1 cannot be reached from here at 198\.51\.100\.1:51820 \(Network is"):
        room.call(refuse_unreachable, "198.51.100.1:51820", "n1")


def test_a_host_where_nobody_listens_is_known_at_once(room: Room) -> None:
    for endpoint in ("127.0.0.1:51820", "[::1]:51820"):
        with pytest.raises(EndpointUnknown, match="refused"):
            room.call(refuse_unreachable, endpoint, "n1")


def test_silence_is_no_refusal() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        refuse_unreachable(f"127.0.0.1:{link.getsockname()[1]}", "n1")


def test_a_name_without_an_address_is_named() -> None:
    with pytest.raises(EndpointUnknown, match=r"n9\.invalid has no address here .*stead \(`--endpoint ADDRESS"):
        resolved("n9.invalid:51820")
    with pytest.raises(EndpointUnknown, match=r"n9\.invalid has no address here .*\(n1: `sfha token --endpoint"):
        refuse_unreachable("n9.invalid:51820", "n1")
