"""A packet socket that hears all that is on its way, or what is of one port only."""

import asyncio

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from harness.fabric.sieve import of_port
from harness.fabric.tap import ANY_ETHERTYPE, Tap
from tests.fabric.conftest import Built

PORT = 5405


async def _came_through(fabric_ends: Built, protocol: str, packets: dict[str, IP]) -> set[str]:
    """Which of these, sent from n1 to n2, are heard in between by who listens for one port only."""
    fabric = fabric_ends.fabric
    ears, mouth = Tap(fabric.everywhere, ANY_ETHERTYPE, of_port(protocol, PORT)), fabric.speaker("n1")
    found: set[str] = set()

    def note(frame: bytes) -> bool:
        name = next((name for name in packets if name.encode() in frame), "")
        found.add(name)
        return name == "last"

    last = IP(src="10.0.0.1", dst="10.0.0.2") / {"udp": UDP, "tcp": TCP}[protocol](dport=PORT)
    try:
        listening = asyncio.create_task(ears.count(note, within_s=5.0, enough=1))
        for name, packet in (*packets.items(), ("last", last)):
            packets = {**packets, name: packet}
            head = Ether(src=fabric.end("n1").mac, dst=fabric.end("n2").mac)
            mouth.send(bytes(head / packet / Raw(name)))
        assert await listening == 1
    finally:
        await ears.close()
        mouth.close()
    return found - {"last"}


@pytest.mark.parametrize(("protocol", "other"), [("udp", TCP), ("tcp", UDP)])
async def test_what_is_of_one_port_is_heard_on_its_way_and_nothing_else(
    stretched: Built, protocol: str, other: type
) -> None:
    own, ip = {"udp": UDP, "tcp": TCP}[protocol], IP(src="10.0.0.1", dst="10.0.0.2")
    packets = {
        "to it": ip / own(sport=1, dport=PORT),
        "from it": ip / own(sport=PORT, dport=1),
        "of a longer head": IP(src="10.0.0.1", dst="10.0.0.2", options=[b"\x01\x01\x01\x01"]) / own(dport=PORT),
        "of another port": ip / own(sport=1, dport=PORT + 1),
        "of another protocol": ip / other(dport=PORT),
        "a first piece": IP(src="10.0.0.1", dst="10.0.0.2", flags="MF") / own(dport=PORT),
        "a later piece": IP(src="10.0.0.1", dst="10.0.0.2", frag=10) / own(dport=PORT),
    }
    assert await _came_through(stretched, protocol, packets) == {"to it", "from it", "of a longer head"}
