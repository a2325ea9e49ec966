"""Cuts bite exactly where they should, at once, and heal as fast; each stands alone."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from harness.clock import now_s
from harness.errors import UsageError
from harness.fabric.cuts import Cut, cut_table
from harness.fabric.layout import Flow, cut_site, drop, isolate, partition, wan_down
from harness.fabric.namespaces import NamespaceThread, call_in
from harness.fabric.nft import Nft
from harness.topology import Topology
from tests.fabric.conftest import Built, KeptNamespaces

Flows = Callable[[Topology], tuple[Flow, ...]]

CUTS: dict[str, Flows] = {
    "one-way": lambda topology: drop("n1", "n3"),
    "one-way-inside-a-site": lambda topology: drop("n2", "n1"),
    "one-way-to-a-client": lambda topology: drop("n4", "user"),
    "site": lambda topology: cut_site(topology, "dijon"),
    "site-with-client": lambda topology: cut_site(topology, "thory"),
    "wan": wan_down,
    "isolated": lambda topology: isolate(topology, "n2"),
    "partition": lambda topology: partition(["n1", "user"], ["n2", "n3"]),
    "partition-of-three": lambda topology: partition(["n1", "n2"], ["n3", "clerk"], ["n4"]),
}


def pairs(flows: tuple[Flow, ...]) -> set[tuple[str, str]]:
    return {(a, b) for flow in flows for a in flow.sources for b in flow.destinations if a != b}


@pytest.mark.parametrize("name", CUTS)
async def test_a_cut_stops_exactly_its_flows_and_heals(built: Built, name: str) -> None:
    flows = CUTS[name](built.topology)
    cut = built.fabric.cut(name, flows)
    assert cut.in_force()
    assert await built.unreachable() == pairs(flows)
    assert cut.dropped_packets() > 0
    cut.heal()
    assert not cut.in_force()
    assert await built.unreachable() == set()


async def test_overlapping_cuts_do_not_know_of_each_other(stretched: Built) -> None:
    site, node, one_way = (
        stretched.fabric.cut(name, CUTS[name](stretched.topology)) for name in ("site", "isolated", "one-way")
    )
    everything = pairs(CUTS["site"](stretched.topology)) | pairs(CUTS["isolated"](stretched.topology))
    assert await stretched.unreachable() == everything
    site.heal()
    assert await stretched.unreachable() == pairs(CUTS["isolated"](stretched.topology)) | {("n1", "n3")}
    node.heal()
    assert await stretched.unreachable() == {("n1", "n3")}
    one_way.heal()
    assert await stretched.unreachable() == set()


async def test_cutting_and_healing_again_changes_nothing(stretched: Built) -> None:
    first = stretched.fabric.cut("again", drop("n1", "n3"))
    second = stretched.fabric.cut("again", drop("n1", "n4"))  # replaces the older of that name
    assert await stretched.unreachable() == {("n1", "n4")}
    first.heal()
    second.heal()
    second.heal()
    assert second.dropped_packets() == 0
    assert await stretched.unreachable() == set()


async def test_a_cut_holds_for_a_node_that_was_dead_when_it_was_made(
    stretched: Built, namespaces: KeptNamespaces
) -> None:
    stretched.ends["n3"].end()
    cut = stretched.fabric.cut("while-dead", drop("n3", "n1"))
    stretched.ends["n3"] = namespaces()
    stretched.fabric.plug("n3", stretched.ends["n3"].pid)
    assert await stretched.unreachable() == {("n3", "n1")}
    stretched.ends["n3"].end()
    cut.heal()
    assert not cut.in_force()


def test_a_sender_cannot_escape_by_another_hardware_address(stretched: Built) -> None:
    """As keepalived does with a virtual MAC: the cable counts, not what the frame says."""
    destination = stretched.fabric.plan.mac("n3")

    def frame_arrived(mark: bytes) -> bool:
        def receiver() -> socket.socket:
            listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5))
            listening.settimeout(0.2)
            return listening

        def sender() -> socket.socket:
            sending = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sending.bind(("eth0", 0))
            return sending

        with call_in(stretched.ends["n3"].path, receiver) as listening:
            with call_in(stretched.ends["n1"].path, sender) as sending:
                addresses = bytes.fromhex(destination.replace(":", "")) + bytes.fromhex("00005e000133")
                sending.send(addresses + b"\x88\xb5" + mark)
            try:
                return mark in listening.recv(100)
            except TimeoutError:
                return False

    assert frame_arrived(b"before")
    cut = stretched.fabric.cut("spoofed", drop("n1", "n3"))
    assert not frame_arrived(b"during")
    cut.heal()
    assert frame_arrived(b"after")


async def test_a_cut_can_be_healed_by_somebody_who_knows_its_table_only(stretched: Built) -> None:
    cut = stretched.fabric.cut("orphan", drop("n1", "n3"))
    thread = NamespaceThread(stretched.fabric.namespace)
    nft = thread.run(Nft)
    thread.run(lambda: nft.run(f"delete table bridge {cut_table('orphan')}"))
    thread.run(nft.close)
    thread.close()
    assert not cut.in_force()
    assert await stretched.fabric.canary("n1", "n3", within_s=5.0)
    cut.heal()


def test_a_cut_is_found_by_its_name_alone(stretched: Built) -> None:
    cut = stretched.fabric.cut("fault-1.b", drop("n1", "n3"))
    assert (cut.family, cut.table) == ("bridge", cut_table("fault-1.b"))
    for name in ("", "a b", "x}", "-x", "x" * 65):
        with pytest.raises(UsageError, match="cannot name a cut"):
            stretched.fabric.cut(name, ())


def test_a_cut_of_somebody_unknown_is_refused_and_not_made(stretched: Built) -> None:
    with pytest.raises(UsageError, match="n9"):
        stretched.fabric.cut("unknown", drop("n9", "n1"))


class Stream:
    """Packets every millisecond from n1 to n3. Each carries when its sending began, by which it is known."""

    def __init__(self, built: Built) -> None:
        address = built.fabric.plan.address("n3")
        self.received_sent_s: list[float] = []
        self.sending_ended_s: dict[float, float] = {}
        self.ended = threading.Event()

        def receiver() -> socket.socket:
            listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            listening.bind((address, 0))
            listening.settimeout(0.05)
            return listening

        self._receiver = call_in(built.ends["n3"].path, receiver)
        self._target = (address, self._receiver.getsockname()[1])
        self._sender = call_in(built.ends["n1"].path, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def _send(self) -> None:
        while not self.ended.wait(0.001):
            began_s = now_s()
            self._sender.sendto(struct.pack("d", began_s), self._target)
            self.sending_ended_s[began_s] = now_s()

    def _receive(self) -> None:
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                self.received_sent_s.append(struct.unpack("d", self._receiver.recv(8))[0])

    def until_sent_after(self, moment_s: float) -> None:
        """Wait for a packet sent later than this to be received."""
        deadline_s = now_s() + 5.0
        waiting = threading.Event()
        while not any(sent_s > moment_s for sent_s in self.received_sent_s[-20:]):
            assert now_s() < deadline_s, "no packet came through"
            waiting.wait(0.002)

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        self.until_sent_after(0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()
        self._sender.close()
        self._receiver.close()


@pytest.fixture
def stream(stretched: Built) -> Iterator[Stream]:
    with Stream(stretched) as running:
        yield running


def drops_some(cut: Cut, packets: int) -> None:
    deadline_s = now_s() + 5.0
    waiting = threading.Event()
    while cut.dropped_packets() < packets:
        assert now_s() < deadline_s, "the cut does not bite"
        waiting.wait(0.002)


def test_a_cut_is_effective_when_the_call_returns_and_so_is_its_heal(stretched: Built, stream: Stream) -> None:
    """Seen by the packets themselves: none sent after the call returned comes through, and they come again at once.

    The sender may be held up between its look at the clock and its packet, until after the heal: only a packet
    that had left by then is one that should have been dropped.
    """
    flows = drop("n1", "n3")
    for _ in range(20):
        before_s = now_s()
        cut = stretched.fabric.cut("timed", flows)
        effective_s = now_s()
        drops_some(cut, packets=5)
        healing_s = now_s()
        cut.heal()
        healed_s = now_s()
        stream.until_sent_after(healed_s)
        came = [began_s for began_s in stream.received_sent_s if before_s < began_s]
        assert not [
            began_s
            for began_s in came
            if effective_s < began_s and stream.sending_ended_s.get(began_s, healing_s) < healing_s
        ]
