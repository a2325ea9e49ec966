"""The observer process against real namespaces: what it reports happened, and when it did."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import sys
import threading
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.errors import HarnessError
from harness.events import (
    AddressAdded,
    AddressRemoved,
    Announced,
    ArpAnswered,
    GateClosed,
    GateInstalled,
    GateOpened,
    ObserverStalled,
    TcpAnswered,
    WatchEnded,
    WatchStarted,
)
from harness.fabric.namespaces import call_in
from harness.history import History
from harness.probes.commands import StartConnects, StopConnects, UnwatchNode, WatchNode, WatchWire
from harness.probes.frames import who_has
from harness.probes.observer_process import Observer
from harness.wait import until

from .conftest import VIP, Host, Lan, seen

TABLE = "sfha"
GATE = """nft -f - <<X
table netdev sfha {
  set lease { type ipv4_addr; flags timeout; }
  set guarded { type ipv4_addr; elements = { 10.99.0.100 } }
  chain in { type filter hook ingress device eth0 priority 0; ip daddr @guarded ip daddr != @lease drop; }
}
X"""


async def test_addresses_are_reported_when_they_come_and_go(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        before_s = now_s()
        node.run(f"ip address add {VIP}/32 dev eth0")
        added_s = now_s()
        node.run(f"ip address change {VIP}/32 dev eth0 valid_lft 100 preferred_lft 100")
        node.run("ip address add 10.99.0.200/32 dev eth0")  # not watched
        node.run(f"ip address delete {VIP}/32 dev eth0")
        removed_s = now_s()
    (added,) = History.read(history).of(AddressAdded)
    (removed,) = History.read(history).of(AddressRemoved)
    assert (added.node, added.address, added.interface) == ("n1", VIP, "eth0")
    assert (removed.node, removed.address, removed.interface) == ("n1", VIP, "eth0")
    assert before_s <= added.t_s <= added_s + 0.002
    assert added_s <= removed.t_s <= removed_s + 0.002


async def test_what_is_there_already_is_reported_at_the_start(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    node.run(GATE + f"\nip address add {VIP}/32 dev eth0; nft add element netdev sfha lease '{{ {VIP} timeout 10s }}'")
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        assert len(seen(history, AddressAdded)) == 1
        assert len(seen(history, GateInstalled)) == 1
        (opened,) = History.read(history).of(GateOpened)
        assert 5.0 < opened.until_s - opened.t_s <= 10.0


async def test_a_table_that_is_no_gate_of_the_subject_is_none(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    node.run(GATE)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,)))
        node.run(f"nft add element netdev sfha lease '{{ {VIP} timeout 10s }}'; ip address add {VIP}/32 dev eth0")
        await until(lambda: seen(history, AddressAdded), within_s=10, what="the address is reported")
    assert not History.read(history).of(GateInstalled, GateOpened, GateClosed)


async def test_an_unplugged_node_has_lost_the_address(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        node.run(f"ip address add {VIP}/32 dev eth0")
        lan.unplug(node)
        await until(lambda: seen(history, AddressRemoved), within_s=10, what="the address is reported gone")


async def test_a_dead_node_has_lost_the_address_and_its_namespace_is_let_go(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        node.run(f"ip address add {VIP}/32 dev eth0")
        killed_s = now_s()
        node.kill()
        await until(lambda: seen(history, WatchEnded), within_s=10, what="the watch ends with the node")
        (removed,) = History.read(history).of(AddressRemoved)
        assert removed.t_s - killed_s < 0.05
        # The other end of the veth goes when the namespace does, which an open socket would prevent.
        await until(lambda: not _has_port(lan, "n1"), within_s=5, what="the port of the dead node is gone")
        await observer.do(UnwatchNode(node="n1"))


def _has_port(lan: Lan, name: str) -> bool:
    return call_in(lan.switch.namespace, lambda: name in [name for _, name in socket.if_nameindex()])


async def test_a_renewed_lease_stays_open_and_an_early_end_is_told_from_an_expiry(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        node.run(GATE)
        add = f"add element netdev sfha lease {{ {VIP} timeout 300ms }}"
        delete = f"delete element netdev sfha lease {{ {VIP} }}"
        node.run(f"nft '{add}'; printf '{delete}\\n{add}\\n' | nft -f -; nft '{delete}'; nft '{add}'; sleep 0.4")
        node.run("nft delete table netdev sfha")
        node.run(GATE)
    kinds = [type(event) for event in History.read(history).of(GateInstalled, GateOpened, GateClosed)]
    # Without a table everything passes: that is an open gate, until the next gate is there.
    assert kinds[:6] == [GateInstalled, GateOpened, GateOpened, GateClosed, GateOpened, GateOpened]
    assert kinds[6:] == [GateInstalled, GateClosed]
    opened = History.read(history).of(GateOpened)
    assert opened[0].until_s - opened[0].t_s == pytest.approx(0.3, abs=0.005)
    assert opened[3].until_s - opened[3].t_s > 1e6


@pytest.mark.parametrize("timeout_ms", [100, 150, 293])
async def test_packets_stop_when_the_observer_says_the_gate_goes_dark(lan: Lan, history: Path, timeout_ms: int) -> None:
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    node.run(f"ip address add {VIP}/32 dev eth0")
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        node.run(GATE)
        with _Stream(node, client) as stream:
            await until(lambda: len(stream.sent_s) > 10, within_s=5, what="datagrams are sent")
            node.run(f"nft add element netdev sfha lease '{{ {VIP} timeout {timeout_ms}ms }}'")
            (opened,) = await until(lambda: seen(history, GateOpened), within_s=10, what="the gate is seen to open")
            assert isinstance(opened, GateOpened)
            until_s = opened.until_s
            await until(lambda: now_s() > until_s + 0.1, within_s=5, what="the gate is dark")
    error_s = 0.005 + sum(event.gap_s for event in History.read(history).of(ObserverStalled))
    first, last = min(stream.arrived), max(stream.arrived)
    # The first that came through was sent after the opening, the one before it not long after it; and so on.
    assert stream.sent_s[first][1] > opened.t_s - error_s
    assert stream.sent_s[first - 1][0] < opened.t_s
    assert stream.sent_s[last][0] < until_s + 0.001
    assert stream.sent_s[last + 1][1] > until_s - error_s


class _Stream:
    """Numbered datagrams to the VIP every half millisecond: between which times each was sent, which arrived."""

    def __init__(self, node: Host, client: Host) -> None:
        self.arrived: set[int] = set()
        self.sent_s: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._sink = call_in(node.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._sink.bind((VIP, 5000))
        self._sink.settimeout(0.2)
        self._source = call_in(client.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        # Else the first datagrams would wait for ARP rather than for the gate.
        client.run(f"ip neigh replace {VIP} lladdr {node.mac} dev eth0 nud permanent")
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def _send(self) -> None:
        while not self._stop.wait(0.0005):
            before_s = now_s()
            self._source.sendto(str(len(self.sent_s)).encode(), (VIP, 5000))
            self.sent_s.append((before_s, now_s()))

    def _receive(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                self.arrived.add(int(self._sink.recv(16)))

    def __enter__(self) -> "_Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._sink.close()
        self._source.close()


async def test_the_wire_shows_who_answers_and_who_announces(lan: Lan, history: Path) -> None:
    node, other, client = lan.add("n1", 1), lan.add("n2", 2), lan.add("c1", 201)
    async with Observer(history) as observer:
        await observer.do(
            WatchWire(
                client="c1",
                namespace=str(client.namespace),
                interface="eth0",
                addresses=(VIP, "10.99.0.101"),
                nodes={node.mac: "n1"},
                ask_every_s=0.01,
            )
        )
        node.run(f"ip address add {VIP}/32 dev eth0")
        await until(lambda: len(seen(history, ArpAnswered)) >= 5, within_s=10, what="answers are seen")
        announcements = _announcements(other)
        await until(lambda: len(seen(history, Announced)) >= 2, within_s=10, what="both announcements are seen")
        _refused_connect(client)
        await until(lambda: seen(history, TcpAnswered), within_s=10, what="the RST is seen")
    recorded = History.read(history)
    assert {(event.mac, event.node) for event in recorded.of(ArpAnswered)} == {(node.mac, "n1")}
    assert [(event.form, event.mac, event.node) for event in recorded.of(Announced)] == [
        ("request", other.mac, None),
        ("reply", other.mac, None),
    ]
    for sent_s, event in zip(announcements, recorded.of(Announced), strict=True):
        assert abs(event.t_s - sent_s) < 0.002
    assert all(event.node in ("n1", None) for event in recorded.of(TcpAnswered))


def _announcements(host: Host) -> list[float]:
    wire = call_in(host.namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    wire.bind(("eth0", 0))
    mac, vip = bytes.fromhex(host.mac.replace(":", "")), socket.inet_aton(VIP)
    sent_s = []
    for operation in (1, 2):
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, mac, vip, b"\xff" * 6, vip)
        wire.send(b"\xff" * 6 + mac + b"\x08\x06" + body)
        sent_s.append(now_s())
    wire.close()
    return sent_s


def _refused_connect(client: Host) -> None:
    attempt = call_in(client.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    attempt.settimeout(0.5)
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        attempt.connect((VIP, 9))
    attempt.close()


async def test_asking_who_has_an_address_cures_no_stale_cache(lan: Lan, history: Path) -> None:
    """Else the harness would hide the very defect it looks for: a holder that does not announce itself."""
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    node.run(f"ip address add {VIP}/32 dev eth0")
    client.run(f"ip neigh replace {VIP} lladdr 02:00:00:00:00:77 dev eth0 nud reachable")
    async with Observer(history) as observer:
        await observer.do(
            WatchWire(
                client="c1",
                namespace=str(client.namespace),
                interface="eth0",
                addresses=(VIP,),
                nodes={},
                ask_every_s=0.005,
            )
        )
        await until(lambda: len(seen(history, ArpAnswered)) >= 20, within_s=10, what="answers are seen")
    client.run(f"ip neigh show {VIP} | grep -q 02:00:00:00:00:77")
    node.run("! ip neigh show | grep -q .")  # nor does a node learn anything


def test_a_question_is_an_arp_probe_from_nobody() -> None:
    frame = who_has(VIP, b"\x02abcde")
    assert len(frame) == 60
    assert frame[28:32] == bytes(4)


async def test_a_command_that_cannot_be_obeyed_is_an_error_that_says_why(lan: Lan, history: Path) -> None:
    client = lan.add("c1", 201)
    async with Observer(history) as observer:
        with pytest.raises(HarnessError, match="node ghost has no process"):
            await observer.do(WatchNode(node="ghost", pid=2**22 + 1, addresses=(VIP,), table=TABLE))
        with pytest.raises(HarnessError, match="No such device"):
            await observer.do(
                WatchWire(client="c1", namespace=str(client.namespace), interface="eth7", addresses=(VIP,), nodes={})
            )
        where = str(client.namespace)
        with pytest.raises(HarnessError, match="fd00::1"):
            await observer.do(
                WatchWire(client="c1", namespace=where, interface="eth0", addresses=("fd00::1",), nodes={})
            )
        await observer.do(StopConnects(client="c1", address=VIP, port=1))


async def test_an_observer_that_was_killed_is_noticed(history: Path) -> None:
    observer = Observer(history)
    await observer.start()
    assert observer.pid is not None
    os.kill(observer.pid, signal.SIGKILL)
    with pytest.raises(HarnessError, match="ended by itself"):
        await observer.do(StopConnects(client="c1", address=VIP, port=1))
    with pytest.raises(HarnessError, match="ended by itself"):
        await observer.close()
    await observer.close()


async def test_the_observer_ends_when_its_owner_is_killed(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    script = (
        "import asyncio, sys, os, signal; from pathlib import Path\n"
        "from harness.probes.observer_process import Observer; from harness.probes.commands import WatchNode\n"
        "async def main():\n"
        "    observer = Observer(Path(sys.argv[1])); await observer.start()\n"
        "    await observer.do(WatchNode(node='n1', pid=int(sys.argv[2]), addresses=('10.99.0.100',)))\n"
        "    print(observer.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(history), str(node.pid)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    output, _ = await owner.communicate()
    await until(lambda: not Path(f"/proc/{int(output)}").exists(), within_s=10, what="the observer is gone")
    assert len(seen(history, WatchEnded)) == 1


async def test_a_gate_that_is_replaced_in_one_transaction_stays_installed(lan: Lan, history: Path) -> None:
    node = lan.add("n1", 1)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        replace = GATE.replace("table netdev", "add table netdev sfha\ndelete table netdev sfha\ntable netdev", 1)
        node.run(replace)
        node.run(f"nft add element netdev sfha lease '{{ {VIP} timeout 10s }}'")
        node.run(replace)
    recorded = History.read(history).of(GateInstalled, GateOpened, GateClosed)
    assert [type(event) for event in recorded] == [GateInstalled, GateOpened, GateClosed]


async def test_watches_are_bracketed_in_the_history(lan: Lan, history: Path) -> None:
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    async with Observer(history) as observer:
        await observer.do(WatchNode(node="n1", pid=node.pid, addresses=(VIP,), table=TABLE))
        await observer.do(StartConnects(client="c1", namespace=str(client.namespace), address=VIP, port=80))
        await asyncio.to_thread(node.run, "true")
    started = {(event.what, event.target) for event in History.read(history).of(WatchStarted)}
    ended = {(event.what, event.target) for event in History.read(history).of(WatchEnded)}
    assert started == ended == {("addresses", "n1"), ("connects", f"c1>{VIP}:80")}
