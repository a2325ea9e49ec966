"""The gate in a kernel that guards bridges alone: a real one, of a node on the engine uml.

The holder is frozen or killed there, and asked from the node's cable: its kernel alone keeps it from answering.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.engines.engine import NodeDefinition
from harness.engines.uml.engine import UmlEngine
from harness.engines.uml.launch import BRIDGE
from harness.fabric.namespaces import call_in
from harness.fabric.plug import Plug
from harness.images.program_layer import ensure_program_layer
from harness.stack.sfha.config.timing import KERNEL_TICK_S
from tests.engines.hosted_runs import engines, needs

pytestmark = needs("uml")
VIP, NODE, OTHER = "10.9.0.100", "10.9.0.1", "10.9.0.9"
LEASE_S = 0.45
HEARD_S = 0.3
"""How long somebody may take to answer who was kept from a processor."""
BEGUN_WITHIN_S = 60.0
"""A program in such a kernel on a busy host begins when it begins."""
PLUG = Plug("eth0", "02:00:00:00:00:01", NODE, 24, None)
_MAC = b"\x02\x00\x00\x00\x00\x09"
# Renews for as long as it lives. Continued after a stop, wherever that met it, it goes on with what it was about: the
# announcement.
_HOLDER = f"""
import os, sys, time
sys.path.insert(0, "/usr/lib/sfha")
from sfha.kernel.netlink import AddressTable
from sfha.lease.gate import Gate
from sfha.vips.arp import ArpAnnouncer
gate = Gate(["{VIP}"], ["eth0"], {LEASE_S})
gate.install()
AddressTable().put("eth0", "{VIP}", 24)
gate.arm()
print(gate.open(), os.getpid(), flush=True)
announce = ArpAnnouncer()
looked = time.monotonic()
while True:
    time.sleep(0.05)
    stopped = time.monotonic() - looked > {2 * LEASE_S}
    looked = time.monotonic()
    if stopped:
        announce("eth0", "{VIP}")  # a bridge does not tell that it was dropped
    renewed = gate.renew()
    if stopped:
        print("renewed", renewed, flush=True)
"""


@pytest.fixture
async def node(node_image: Path) -> AsyncIterator[UmlEngine]:
    """A node with sfha installed; its cable ends at a bridge that nobody else is plugged into."""
    async with engines("uml") as make:
        engine = make()
        assert isinstance(engine, UmlEngine)
        await engine.create(NodeDefinition("n1", node_image, (ensure_program_layer(node_image, "sfha"),)))
        await engine.start("n1")
        assert await engine.connect("n1", PLUG) == BRIDGE
        await engine.connected("n1", PLUG)
        yield engine


class Neighbour:
    """Somebody at the node's cable."""

    def __init__(self, engine: UmlEngine) -> None:
        self._socket = call_in(Path(f"/proc/{engine.pid('n1')}/ns/net"), _at_the_cable)

    def answers(self, address: str, within_s: float = HEARD_S) -> bool:
        """Whether the node says that it has an address, asked now."""
        self.heard(0.0, address)  # what it said before
        body = b"\x00\x01\x08\x00\x06\x04\x00\x01" + _MAC + socket.inet_aton(OTHER) + bytes(6)
        question = b"\xff" * 6 + _MAC + b"\x08\x06" + body + socket.inet_aton(address)
        self._socket.send(question)
        return self.heard(within_s, address)

    def heard(self, within_s: float, address: str) -> bool:
        """Whether the node says anything in the name of an address."""
        end_s = time.monotonic() + within_s
        heard = False
        while not heard or within_s == 0.0:
            self._socket.settimeout(max(0.001, end_s - time.monotonic()))
            try:
                frame = self._socket.recv(2048)
            except TimeoutError:
                return heard
            speaks = frame[28:32] if frame[12:14] == b"\x08\x06" else frame[26:30]
            heard = frame[6:12] != _MAC and speaks == socket.inet_aton(address)
        return heard

    def close(self) -> None:
        self._socket.close()


def _at_the_cable() -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.bind((BRIDGE, 3))
    membership = socket.if_nametoindex(BRIDGE).to_bytes(4, "little") + b"\x01\x00" + bytes(10)
    opened.setsockopt(263, 1, membership)  # SOL_PACKET, PACKET_ADD_MEMBERSHIP: promiscuous
    return opened


async def said(engine: UmlEngine, *command: str) -> str:
    """What a command in the node printed."""
    return (await engine.exec("n1", command)).stdout.decode()


@pytest.mark.parametrize("signal", ["STOP", "KILL"])
async def test_a_holder_whose_lease_ran_out_neither_answers_nor_sends(node: UmlEngine, signal: str) -> None:
    neighbour = Neighbour(node)
    try:
        await _run(node, neighbour, signal)
    finally:
        neighbour.close()


async def _run(node: UmlEngine, neighbour: Neighbour, signal: str) -> None:
    holder = await node.spawn("n1", ["python3", "-c", _HOLDER])
    assert holder.stdout is not None
    sending = f"import socket; s = socket.socket(2, 2); s.bind(('{VIP}', 0)); s.sendto(b'stale', ('{OTHER}', 9))"
    try:
        is_open, pid = (await asyncio.wait_for(holder.stdout.readline(), BEGUN_WITHIN_S)).decode().split()
        assert (is_open, await said(node, "nft", "list", "tables")) == ("True", "table bridge sfha\n")
        assert neighbour.answers(VIP, 2.0)
        await said(node, "ip", "neighbour", "replace", OTHER, "lladdr", "02:00:00:00:00:09", "dev", "eth0")
        await said(node, "python3", "-c", sending)
        assert neighbour.heard(2.0, VIP)

        await said(node, "kill", f"-{signal}", pid)
        stopped_s = time.monotonic()
        assert VIP in await said(node, "ip", "address", "show", "dev", "eth0"), "nobody took it away"
        await asyncio.sleep(max(0.0, stopped_s + LEASE_S + KERNEL_TICK_S - time.monotonic()))
        assert not any(neighbour.answers(VIP) for _ in range(5))
        assert neighbour.answers(NODE, 2.0), "it lives"
        await said(node, "python3", "-c", sending)
        assert not neighbour.heard(HEARD_S, VIP)
        if signal == "STOP":
            await said(node, "kill", "-CONT", pid)
            assert (await asyncio.wait_for(holder.stdout.readline(), BEGUN_WITHIN_S)).split() == [b"renewed", b"False"]
            assert not neighbour.heard(HEARD_S, VIP), "its announcement did not leave"
            assert not neighbour.answers(VIP)
    finally:
        with contextlib.suppress(ProcessLookupError):
            holder.kill()
        await holder.wait()
