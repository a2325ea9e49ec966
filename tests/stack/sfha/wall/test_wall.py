"""What comes for the mesh comes through the tunnel: the rules against a real kernel, and what keeps them from being."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.config.networks import Taken
from harness.stack.sfha.kernel.nft import Nft
from harness.stack.sfha.wall import wall
from harness.stack.sfha.wall.wall import Wall, WallError, routed, stands
from tests.stack.sfha.kernel.kernel_rooms import Room, two_rooms

OWN, MEMBER, FORGED, LAN = "10.90.0.1", "10.90.0.2", "10.90.0.3", "10.9.0.9"
COROSYNC, ANY = 5405, 9000
MESH = Mesh("", MeshNode(1, "n1", OWN), 24, ())
WITHIN_S, AFTERWARDS_S = 5.0, 0.5
ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
wg-sfha\t00005A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def ignored(event: str, **fields: object) -> None:
    """What is logged does not matter here."""
    del event, fields


@pytest.fixture
def rooms() -> Iterator[tuple[Room, Room]]:
    """A node and a neighbour, with a network (10.9.0.0/24) and, beside it, a cable that stands for the tunnel."""
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    node, other = two_rooms()
    node.ip("link", "add", "wg-sfha", "type", "veth", "peer", "name", "wg-sfha", "netns", str(other.thread_id))
    for room, address in ((node, OWN), (other, MEMBER)):
        room.ip("address", "add", f"{address}/24", "dev", "wg-sfha")
        room.ip("link", "set", "wg-sfha", "up")
        room.ip("link", "set", "lo", "up")
    for name in ("all", "eth0", "wg-sfha"):
        node.call(Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text, "0")
    other.ip("address", "add", f"{FORGED}/32", "dev", "eth0")
    other.ip("route", "add", f"{OWN}/32", "via", "10.9.0.1", "dev", "eth0", "table", "7")
    for source in (FORGED, LAN):
        other.ip("rule", "add", "from", source, "table", "7")
    yield node, other
    node.close()
    other.close()


def listening(port: int) -> socket.socket:
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind((OWN, port))
    link.settimeout(WITHIN_S)
    return link


def send(source: str, target: str, port: int, text: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((source, 0))
        link.sendto(text, (target, port))


def heard(rooms: tuple[Room, Room], port: int, *sources: str) -> list[str]:
    """Which of these are heard, of datagrams that are sent one after the other, and a genuine one of a member last.

    What is not heard has had the time that the genuine one took, and half a second more.
    """
    node, other = rooms
    with node.call(listening, port) as link:
        for source in (*sources, MEMBER):
            other.call(send, source, OWN, port, source.encode())
        found: set[str] = set()
        while MEMBER not in found:
            found.add(node.call(link.recv, 100).decode())
        link.settimeout(AFTERWARDS_S)
        with suppress(TimeoutError):
            while found != {*sources, MEMBER}:
                found.add(node.call(link.recv, 100).decode())
    return sorted(found - {MEMBER})


def test_a_mesh_address_is_believed_of_the_tunnel_alone(rooms: tuple[Room, Room]) -> None:
    assert heard(rooms, ANY, FORGED) == [FORGED], "nothing is shown: the kernel drops it anyway"
    rooms[0].call(Wall(MESH, ignored).put_up)
    assert heard(rooms, ANY, FORGED) == []
    assert heard(rooms, ANY, LAN) == [LAN], "the node's own services are its owner's affair"


@pytest.mark.parametrize("port", [COROSYNC, 7778])
def test_the_ports_of_the_mesh_are_reached_through_the_tunnel_alone(rooms: tuple[Room, Room], port: int) -> None:
    assert heard(rooms, port, LAN) == [LAN]
    rooms[0].call(Wall(MESH, ignored).put_up)
    assert heard(rooms, port, LAN, FORGED) == []


def test_users_without_root_do_not_speak_to_corosync(rooms: tuple[Room, Room]) -> None:
    node, _ = rooms

    node.call(Wall(MESH, ignored).put_up)
    assert _in_child_as_nobody(node, OWN, MEMBER, COROSYNC) == "PermissionError"
    assert _in_child_as_nobody(node, OWN, MEMBER, ANY) == "sent"
    node.call(send, OWN, MEMBER, COROSYNC, b"")


def _in_child_as_nobody(node: Room, source: str, target: str, port: int) -> str:
    program = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind(("{source}", 0))
try:
    link.sendto(b"", ("{target}", {port}))
    print("sent")
except OSError as error:
    print(type(error).__name__)
"""
    done = node.call(
        lambda: subprocess.run(["/usr/bin/python3", "-c", program], capture_output=True, check=True, text=True)
    )
    return str(done.stdout.strip())


def test_rules_that_somebody_took_away_are_put_up_again(
    rooms: tuple[Room, Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = rooms
    monkeypatch.setattr(wall, "LOOK_EVERY_S", 0.01)

    async def body() -> None:
        up_again = asyncio.Event()

        def log(event: str, **_fields: object) -> None:
            if event == "mesh-guarded-again":
                up_again.set()

        one = Wall(MESH, log)
        watching = asyncio.create_task(one.watch())
        for _ in range(2):
            await up_again.wait()
            up_again.clear()
            assert stands()
            Nft().run(f"delete table {wall.TABLE}")
            assert not stands()
        one.end()
        await asyncio.wait_for(watching, WITHIN_S)
        assert not stands()

    node.call(_run_here, body)


def _run_here(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In this thread's namespace, where the threads are as well that the loop hands work to."""
    asyncio.run(asyncio.wait_for(body(), 2 * WITHIN_S))


def test_a_network_that_is_not_the_meshs_alone_is_not_shut_out(rooms: tuple[Room, Room]) -> None:
    node, _ = rooms
    node.ip("address", "add", "10.90.0.77/16", "dev", "eth0")
    said: list[str] = []

    def log(event: str, **fields: object) -> None:
        said.append(f"{event} {fields['message']}")

    one = Wall(MESH, log)
    assert not node.call(one.try_to)
    assert not node.call(one.try_to)
    assert len(said) == 1
    assert "eth0" in said[0]
    assert not node.call(stands)
    with pytest.raises(WallError):
        node.call(one.put_up)


def test_nothing_is_left_of_it(rooms: tuple[Room, Room]) -> None:
    node, _ = rooms
    node.call(wall.remove)
    node.call(Wall(MESH, ignored).put_up)
    node.call(Wall(MESH, ignored).put_up)
    assert node.call(stands)
    node.call(wall.remove)
    assert not node.call(stands)
    assert heard(rooms, ANY, FORGED) == [FORGED]


def test_what_is_routed_where() -> None:
    assert routed(ROUTES) == [
        Taken(IPv4Network("192.0.2.0/24"), "eth0"),
        Taken(IPv4Network("10.90.0.0/24"), "wg-sfha"),
    ]
    assert routed("Iface\n") == []
