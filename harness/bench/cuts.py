"""How quickly a cut is in force and gone again, and how well a known outage is measured."""

import asyncio
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import Figure
from harness.checks.outage import outages
from harness.clock import now_s
from harness.cluster import Cluster
from harness.fabric.layout import drop
from harness.fabric.namespaces import call_in
from harness.history import History
from harness.subjects.found import subject_called

METHOD_CUTS = (
    "A one-way cut between a client and a node. Call: the time the call takes. "
    "Effect, heal: from the call to the first datagram that is lost, or arrives again, of a stream of one every 0.2 ms "
    "from the client to the node. The peer is the same rule by a new nft process each time, in the same namespace."
)
METHOD_ERROR = (
    "The path from the client to the holder is cut, and healed again, for a time drawn between 50 and 800 ms. The true "
    "outage is that between the return of the cut and the return of the heal."
)
PORT = 9
DATAGRAM_EVERY_S = 0.0002


async def _packets(cluster: Cluster, runs: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    client, node = cluster.topology.clients[0].name, cluster.topology.node_names[1]
    address = cluster.plan.address(node)
    pid = cluster.engine.pid(node)
    found: dict[str, list[float]] = {"call": [], "effect": [], "heal call": [], "heal effect": []}
    with ExitStack() as stack:
        source = stack.enter_context(call_in(cluster.life.observation.client_namespaces[client], _datagram_socket))
        sink = stack.enter_context(call_in(Path(f"/proc/{pid}/ns/net"), _datagram_socket))
        sink.bind((address, PORT))
        stream = _Stream(source, sink, (address, PORT))
        for run in range(runs):
            say(f"cut {run + 1} of {runs}")
            await asyncio.to_thread(_one_cut, cluster, (client, node), stream, found)
    return found


@dataclass(frozen=True, slots=True)
class _Stream:
    """Where datagrams come from and go to."""

    source: socket.socket
    sink: socket.socket
    target: tuple[str, int]


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _one_cut(cluster: Cluster, ends: tuple[str, str], stream: _Stream, found: dict[str, list[float]]) -> None:
    """Each datagram carries when it was sent; a thread's worth of sending goes on around both calls."""
    sent_s: list[float] = []
    over = threading.Event()

    def send() -> None:
        due_s = now_s()
        while not over.is_set():
            stamp_s = now_s()
            sent_s.append(stamp_s)
            stream.source.sendto(repr(stamp_s).encode(), stream.target)
            due_s += DATAGRAM_EVERY_S
            over.wait(max(0.0, due_s - now_s()))

    sender = threading.Thread(target=send)
    sender.start()
    over.wait(0.02)
    cut_s = now_s()
    cut = cluster.fabric.cut("bench", drop(*ends))
    cut_done_s = now_s()
    over.wait(0.02)
    heal_s = now_s()
    cut.heal()
    healed_s = now_s()
    over.wait(0.02)
    over.set()
    sender.join()
    arrived = _drain(stream.sink)
    lost = [stamp_s for stamp_s in sent_s if stamp_s not in arrived and stamp_s >= cut_s]
    back = [stamp_s for stamp_s in sent_s if stamp_s in arrived and stamp_s >= heal_s]
    found["call"].append(cut_done_s - cut_s)
    found["heal call"].append(healed_s - heal_s)
    if lost and back:
        found["effect"].append(lost[0] - cut_s)
        found["heal effect"].append(back[0] - heal_s)


def _drain(sink: socket.socket) -> frozenset[float]:
    arrived = set()
    while True:
        try:
            arrived.add(float(sink.recv(64)))
        except BlockingIOError:
            return frozenset(arrived)


def _new_process_each_time(cluster: Cluster, runs: int) -> list[float]:
    namespace = cluster.fabric.namespace
    took_s = []
    for _ in range(runs):
        start_s = now_s()
        subprocess.run(
            ["nsenter", f"--net={namespace}", "nft", "add table bridge peer; delete table bridge peer"], check=True
        )
        took_s.append(now_s() - start_s)
    return took_s


async def _cuts(runs: int, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    async with started("cuts", (subject_called("sfha"), subject_called("etcd")), directory) as cluster:
        found = await _packets(cluster, runs, say)
        peer = await asyncio.to_thread(_new_process_each_time, cluster, runs)
    names = {
        "call": "cut: call returns",
        "effect": "cut: first datagram lost",
        "heal call": "heal: call returns",
        "heal effect": "heal: first datagram arrives again",
    }
    return (
        *(Figure(name, tuple(found[key])) for key, name in names.items()),
        Figure("peer: a new nft process", tuple(peer)),
    )


def run_cuts(runs: int, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """Measure ``runs`` cuts and heals."""
    return asyncio.run(_cuts(runs, directory, say))


async def _errors(runs: int, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    true: list[tuple[float, float]] = []
    async with started("outages", (subject_called("sfha"), subject_called("etcd")), directory) as cluster:
        client, vip = cluster.topology.clients[0].name, cluster.plan.vip(cluster.topology.vips[0].name)
        holder = await cluster.holder(vip)
        for run in range(runs):
            say(f"known outage {run + 1} of {runs}")
            cut = cluster.fabric.cut("bench", drop(client, holder))
            start_s = now_s()
            await asyncio.sleep(cluster.random.uniform(0.05, 0.8))
            cut.heal()
            true.append((start_s, now_s()))
            await asyncio.sleep(cluster.random.uniform(0.5, 0.6))
    seen = outages(History.read(cluster.run_directory), vip)
    errors, uncertainty = [], []
    for start_s, end_s in true:
        for outage in seen:
            if outage.end_s is not None and outage.start_s < end_s and outage.end_s > start_s:
                errors.append(abs(outage.length_s - (end_s - start_s)))
                uncertainty.append(outage.error_s)
    return (
        Figure("measured outage less the true one, absolute", tuple(errors), f"{len(true)} outages made"),
        Figure("error that the measurement states of itself", tuple(uncertainty)),
    )


def run_errors(runs: int, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """Measure ``runs`` outages of known length."""
    return asyncio.run(_errors(runs, directory, say))
