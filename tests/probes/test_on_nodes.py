"""Observer, membership and ledger together on three real nodes with Corosync and etcd: a holder is killed."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from harness.addresses import AddressPlan
from harness.clock import now_s
from harness.engines.engine import NodeDefinition, NodeFile
from harness.engines.local import LocalEngine
from harness.events import (
    AddressRemoved,
    Announced,
    Completed,
    ConnectTried,
    Invoked,
    MembershipSeen,
    ObserverStalled,
    ReadBack,
)
from harness.fabric.fabric import Fabric
from harness.fabric.namespaces import call_in
from harness.history import History, Recorder
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.ledger import ledger_load
from harness.probes.commands import StartConnects, WatchNode, WatchWire
from harness.probes.observer_process import Observer
from harness.probes.workload import Settings
from harness.probes.workload_process import Clients
from harness.rundir import RunDirectory
from harness.subjects.sfha.membership import MembershipMonitors
from harness.topology import Topology, load
from harness.wait import until

from .conftest import seen, written

TOPOLOGY = Path(__file__).parents[2] / "fixtures" / "topologies" / "single-site.toml"
ETCD_PORT = 2379


@dataclass
class Bench:
    """Three nodes with power and network, and a client's namespace."""

    topology: Topology
    plan: AddressPlan
    engine: LocalEngine
    fabric: Fabric
    client: Path

    @property
    def vip(self) -> str:
        """The address that the test moves by hand."""
        return self.plan.vip(self.topology.vips[0].name)

    async def hold(self, node: str) -> None:
        """Give the VIP to a node and announce it."""
        finished = await self.engine.exec(node, ["ip", "address", "add", f"{self.vip}/32", "dev", "eth0"])
        assert finished.exit_code == 0, finished.stderr
        mac, vip = bytes.fromhex(self.plan.mac(node).replace(":", "")), socket.inet_aton(self.vip)
        wire = call_in(
            Path(f"/proc/{self.engine.pid(node)}/ns/net"), lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        )
        wire.bind(("eth0", 0))
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, vip, bytes(6), vip)
        wire.send(b"\xff" * 6 + mac + b"\x08\x06" + body)
        wire.close()


def _corosync_conf(topology: Topology, plan: AddressPlan) -> str:
    nodes = "".join(
        f"  node {{\n    ring0_addr: {plan.address(node.name)}\n    name: {node.name}\n    nodeid: {node.id}\n  }}\n"
        for node in topology.nodes
    )
    return (
        "totem {\n  version: 2\n  cluster_name: probes\n  transport: udpu\n  token: 300\n  token_coefficient: 0\n}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n  provider: corosync_votequorum\n}}\nsystem {{\n  sched_rr: no\n}}\n"
        "logging {\n  to_stderr: yes\n  to_logfile: no\n}\n"
    )


def _etcd(topology: Topology, plan: AddressPlan, node: str) -> str:
    peers = ",".join(f"{name}=http://{plan.address(name)}:2380" for name in topology.node_names)
    mine = f"http://{plan.address(node)}:2380"
    return (
        f"#!/bin/sh\nexec etcd --name {node} --data-dir /var/lib/etcd-bench --initial-cluster {peers} "
        f"--initial-advertise-peer-urls {mine} --listen-peer-urls {mine} --log-level error "
        f"--listen-client-urls http://0.0.0.0:{ETCD_PORT} --advertise-client-urls http://{plan.address(node)}:{ETCD_PORT}\n"
    )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A single site with three nodes."""
    topology = load(TOPOLOGY)
    run = RunDirectory.create(f"probes-{os.getpid()}")
    keeper = Keeper.start(run)
    plan = AddressPlan(topology, run.run_id)
    engine, fabric, image = LocalEngine(run), Fabric(topology, plan, keeper.namespace), ensure_image()
    try:
        fabric.build()
        for node in topology.node_names:
            files = (
                NodeFile("/etc/corosync/corosync.conf", _corosync_conf(topology, plan).encode()),
                NodeFile("/etc/boot.d/10-corosync", b"#!/bin/sh\nexec corosync -f\n", 0o755),
                NodeFile("/etc/boot.d/20-etcd", _etcd(topology, plan, node).encode(), 0o755),
            )
            await engine.create(NodeDefinition(node, image, files=files))
        client = keeper.add_namespace("clients")
        fabric.plug_client(topology.clients[0].name, client)
        for node in topology.node_names:
            fabric.plug(node, await engine.start(node))
        yield Bench(topology, plan, engine, fabric, client)
    finally:
        fabric.close()
        await keeper.end()


def _names(topology: Topology) -> dict[int, str]:
    return {node.id: node.name for node in topology.nodes}


async def _watch(bench: Bench, observer: Observer) -> None:
    for node in bench.topology.node_names:
        pid = bench.engine.pid(node)
        assert pid is not None
        await observer.do(WatchNode(node=node, pid=pid, addresses=(bench.vip,), table="sfha"))
    macs = {bench.plan.mac(node): node for node in bench.topology.node_names}
    client = bench.topology.clients[0].name
    where = str(bench.client)
    wire = WatchWire(
        client=client, namespace=where, interface="eth0", addresses=(bench.vip,), nodes=macs, ask_every_s=0.01
    )
    await observer.do(wire)
    await observer.do(StartConnects(client=client, namespace=where, address=bench.vip, port=ETCD_PORT))


async def test_a_killed_holder_seen_from_everywhere(bench: Bench, history: Path) -> None:
    settings = Settings(
        history=str(history),
        namespace=str(bench.client),
        loads=(ledger_load(bench.vip, "etcd", ETCD_PORT),),
    )
    monitors = MembershipMonitors(bench.engine.spawn, Recorder(history), _names(bench.topology))
    async with Observer(history) as observer, Clients(settings) as ledger:
        await _watch(bench, observer)
        await asyncio.gather(*(monitors.watch(node) for node in bench.topology.node_names))
        await until(lambda: _agreed(history, 3), within_s=15, what="every Corosync sees three members")
        await bench.hold("n1")
        for node in bench.topology.node_names:
            await ledger.read_back(node, bench.plan.address(node), within_s=20)
        async with ledger.running():
            await until(lambda: _acknowledged(history) >= 30, within_s=10, what="writes are acknowledged")
            killed_s = now_s()
            # The kernel of a node goes on answering while the node's processes are still being ended.
            bench.fabric.unplug("n1")
            unplugged_s = now_s()
            await bench.engine.kill("n1")
            await until(lambda: _agreed(history, 2), within_s=10, what="the survivors agree")
            await bench.hold("n2")
            moved_s = now_s()
            assert await until(written(ledger, after_s=moved_s), within_s=10, what="a write after the move")
        counts = await ledger.counts()
        for node in ("n2", "n3"):
            await ledger.read_back(node, bench.plan.address(node))
    await monitors.close()

    recorded = History.read(history)
    assert counts.invoked == counts.ok + counts.failed + counts.unknown == len(seen(history, Invoked))
    acknowledged = {event.value for event in seen(history, Completed) if event.outcome == "ok"}
    assert len(acknowledged) == counts.ok
    assert all(acknowledged <= set(event.values) for event in recorded.of(ReadBack)[-2:])
    (removed,) = recorded.of(AddressRemoved)
    assert removed.node == "n1"
    stalled_s = sum(event.gap_s for event in recorded.of(ObserverStalled))
    assert killed_s < removed.t_s < unplugged_s + 0.05 + stalled_s
    assert [event.node for event in recorded.of(Announced)] == ["n1", "n2"]
    attempts = sorted((e for e in recorded.of(ConnectTried) if e.ok), key=lambda event: event.t_s)
    last, first = max(pairwise(attempts), key=lambda pair: pair[1].t_s - pair[0].t_s)
    assert killed_s - 0.05 - stalled_s < last.sent_s < unplugged_s + stalled_s
    assert first.t_s < moved_s + 0.05 + stalled_s


def _agreed(history: Path, members: int) -> bool:
    """Whether as many nodes as there are members say that they see that many, with quorum."""
    latest = {event.node: event for event in History.read(history).of(MembershipSeen)}
    return sum(event.quorate and len(event.members) == members for event in latest.values()) == members


def _acknowledged(history: Path) -> int:
    return sum(event.outcome == "ok" for event in seen(history, Completed))
