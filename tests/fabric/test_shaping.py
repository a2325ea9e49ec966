"""Links with a character, in a fabric of real namespaces: who is delayed, and who is not."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from harness.addresses import AddressPlan
from harness.character import Character
from harness.fabric.canary import Train
from harness.fabric.detours import detour_table
from harness.fabric.fabric import Fabric
from harness.fabric.layout import Flow, cut_site, drop, of_link
from harness.fabric.namespaces import call_in
from harness.fabric.shaping import FORCE_RELAY, Direction, Home
from harness.topology import Topology
from harness.wait import until
from tests.fabric.conftest import Built, KeptNamespaces, Lan, draw

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a fabric needs root")
ROOT = Path(__file__).parents[2]
LATER_MS = 40.0
SOON_S = 20.0
TRAIN = Train(6, 0.002, last_within_s=0.3)


@dataclass
class Shaped(Built):
    """A fabric whose links can have characters."""

    directory: Path

    def shape(self, name: str, flow: Flow, character: Character) -> None:
        self.fabric.shaping.shape(name, [Direction(flow, character)], seed=7)

    async def takes_ms(self, source: str, destination: str, expected_ms: float) -> None:
        """No canary is quicker than this, and one is not much slower: soon, for this host may be busy."""
        quickest_ms = float("inf")

        async def is_about() -> bool:
            nonlocal quickest_ms
            ride = await self.fabric.ride(source, destination, TRAIN)
            quickest_ms = min([quickest_ms, *(1000 * one.delay_s for one in ride)])
            assert quickest_ms >= expected_ms
            return quickest_ms < expected_ms + LATER_MS / 2

        await until(is_about, within_s=SOON_S, what=f"{source} to {destination} takes {expected_ms} ms")


def streamed(shaped: Shaped, source: str, destination: str, content: bytes) -> bytes:
    """What of this arrives by TCP."""
    address = shaped.fabric.plan.address(destination)
    with call_in(shaped.ends[destination].path, lambda: socket.create_server((address, 0))) as server:
        place = server.getsockname()
        with call_in(shaped.ends[source].path, lambda: socket.create_connection(place, timeout=10)) as sender:
            accepted, _ = server.accept()

            def send() -> None:
                sender.sendall(content)
                sender.shutdown(socket.SHUT_WR)

            sending = threading.Thread(target=send)
            sending.start()
            with accepted:
                arrived = b"".join(iter(lambda: accepted.recv(1 << 16), b""))
            sending.join()
            return arrived


@pytest.fixture(params=["relay", "netem"])
def driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each that there is on this host."""
    if request.param == "relay":
        monkeypatch.setenv(FORCE_RELAY, "relay")
    return str(request.param)


@pytest.fixture(params=["stretched", "routed"])
def shaped(request: pytest.FixtureRequest, driver: str, namespaces: KeptNamespaces) -> Iterator[Shaped]:
    """Built in a namespace in which the relay lives as well, as it does in the keeper's."""
    lan: Lan = request.param
    built = _built(draw(lan), namespaces)
    try:
        if built.fabric.shaping.driver.name != driver:
            pytest.skip("not shown here: this host has no netem")
        yield built
    finally:
        built.fabric.close()
        _end_relays(built.directory)


_relays: list[subprocess.Popen[bytes]] = []


def _end_relays(directory: Path) -> None:
    while _relays:
        with _relays.pop() as relay:
            relay.kill()
    shutil.rmtree(directory)


def _built(topology: Topology, namespaces: KeptNamespaces) -> Shaped:
    directory = Path(tempfile.mkdtemp(prefix="hs-"))
    namespace = namespaces()

    def start_relay() -> None:
        command = ["nsenter", f"--net={namespace.path}", sys.executable, "-S", "-m", "harness.fabric.relay.process"]
        relay = subprocess.Popen([*command, str(directory)], stdout=subprocess.PIPE, cwd=ROOT)
        _relays.append(relay)
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"ready\n"

    fabric = Fabric(topology, AddressPlan(topology, "shaped-run"), namespace.path, Home(directory, start_relay))
    fabric.build()
    ends = {name: namespaces() for name in topology.endpoints}
    for node in topology.node_names:
        fabric.plug(node, ends[node].pid)
    for client in topology.clients:
        fabric.plug_client(client.name, ends[client.name].path)
    return Shaped(fabric, ends, directory)


async def test_a_flow_is_delayed_in_its_direction_and_nothing_else_is(shaped: Shaped) -> None:
    shaped.shape("far", Flow(("n1", "n2"), ("n3", "clerk")), Character(latency_ms=LATER_MS))
    assert await shaped.unreachable(within_s=1.0) == set()
    for pair in (("n1", "n3"), ("n2", "clerk")):
        await shaped.takes_ms(*pair, LATER_MS)
    for pair in (("n3", "n1"), ("n1", "n2"), ("n1", "n4"), ("n1", "user"), ("n4", "n3"), ("user", "n3")):
        await shaped.takes_ms(*pair, 0)
    assert shaped.fabric.shaping.passed_packets("far") > 0
    shaped.fabric.delete_table("netdev", detour_table("far"))
    await shaped.takes_ms("n1", "n3", 0)
    assert shaped.fabric.shaping.passed_packets("far") == 0


async def test_cuts_still_know_senders_by_their_cables(shaped: Shaped) -> None:
    shaped.shape("far", Flow(("n1", "n2"), ("n3", "clerk", "n4")), Character(latency_ms=1))
    cut = shaped.fabric.cut("one", drop("n1", "n3"))
    assert await shaped.unreachable(within_s=0.5) == {("n1", "n3")}
    cut.heal()
    inside = {"n1", "n2"}
    cut = shaped.fabric.cut("site", cut_site(shaped.topology, "dijon"))
    assert {pair for pair in await shaped.unreachable(within_s=0.5) if len(inside & set(pair)) != 1} == set()
    assert len(await shaped.unreachable(within_s=0.5)) == 2 * len(inside) * 4
    cut.heal()
    assert await shaped.unreachable(within_s=1.0) == set()


async def test_several_detours_of_one_flow_add_up(shaped: Shaped) -> None:
    shaped.shape("one", Flow(("n1",), ("n3",)), Character(latency_ms=LATER_MS))
    shaped.shape("two", Flow(("n1", "n2"), ("n3", "clerk")), Character(latency_ms=LATER_MS))
    await shaped.takes_ms("n1", "n3", 2 * LATER_MS)
    await shaped.takes_ms("n2", "n3", LATER_MS)
    on_the_way = shaped.fabric.shaping.on_the_way
    assert on_the_way("n1", "n3").latency_s == pytest.approx(2 * LATER_MS / 1000)
    assert on_the_way("n1", "n3", but="one").latency_s == pytest.approx(LATER_MS / 1000)
    shaped.fabric.delete_table("netdev", detour_table("one"))
    await shaped.takes_ms("n1", "n3", LATER_MS)
    assert on_the_way("n1", "n3").latency_s == pytest.approx(LATER_MS / 1000)


async def test_a_cable_that_is_plugged_in_again_is_like_the_old_one_unless_that_was_healed(
    shaped: Shaped, namespaces: KeptNamespaces
) -> None:
    shaped.shape("far", Flow(("n1",), ("n2",)), Character(latency_ms=LATER_MS))
    shaped.shape("gone", Flow(("n1",), ("n2",)), Character(latency_ms=LATER_MS))
    shaped.fabric.delete_table("netdev", detour_table("gone"))
    await shaped.takes_ms("n1", "n2", LATER_MS)
    shaped.fabric.unplug("n2")
    shaped.fabric.plug("n2", namespaces().pid)
    await shaped.takes_ms("n1", "n2", LATER_MS)


async def test_a_stream_comes_through_whole_with_what_its_sender_left_for_later(shaped: Shaped) -> None:
    """Between namespaces the kernel passes on far more than a frame at once, without sums: the wire has neither."""
    shaped.shape("far", Flow(("n1",), ("n4",)), Character(latency_ms=1))
    content = os.urandom(4 << 20)
    assert await asyncio.to_thread(streamed, shaped, "n1", "n4", content) == content
    assert shaped.fabric.shaping.passed_packets("far") > 0


def test_links_of_a_topology_have_their_characters(namespaces: KeptNamespaces) -> None:
    drawn = draw().to_json()
    drawn["links"] = [
        {"name": "far", "between": ["dijon", "lyon"], "latency_ms": 3},
        {"name": "dsl", "site": "thory", "profile": "dsl"},
        {"name": "old", "node": "n2", "loss_percent": 1},
        {"name": "plain", "between": ["thory", "lyon"]},
    ]
    built = _built(Topology.from_json(drawn), namespaces)
    try:
        assert [link.name for link in built.fabric.shape_links(seed=7)] == ["far", "dsl", "old"]
        assert built.fabric.shaping.on_the_way("n2", "n4").latency_s == pytest.approx(0.003)
        assert built.fabric.shaping.on_the_way("n2", "n4").lost_share == pytest.approx(0.01)
        assert built.fabric.shaping.on_the_way("user", "n3").latency_s == pytest.approx(0.012)
        assert asdict(built.fabric.shaping.on_the_way("n3", "clerk")) == {
            "latency_s": 0, "longest_s": 0, "lost_share": 0,
        }  # fmt: skip
        directions = of_link(built.topology, built.topology.link("old"))
        assert directions[0].sources == ("n2",) == directions[1].destinations
    finally:
        built.fabric.close()
        _end_relays(built.directory)
