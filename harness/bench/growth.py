"""How a cluster grows: time to power, time to quorum and memory, from a few nodes to many, on each engine."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import SITES, drawn, first_sights
from harness.bench.figures import table
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import quorate
from harness.engines.choice import why_unusable
from harness.errors import DeadlinePassed
from harness.events import NodeStarted
from harness.history import History
from harness.procfs import host_memory_bytes, memory_bytes
from harness.subjects.found import subject_called
from harness.topology import Client, Node, Site, Topology, Vip

METHOD = (
    "Nodes spread over three sites, each with the HA stack in its wan profile (a mesh of every node with every other, "
    "in user space, and Corosync), one client, observers on. The clock starts before the run's directory exists. "
    "Power: every node has been created, started and plugged in. Quorum: every node's own Corosync reports all "
    "members, or how many did when the time was over. Memory of a node is the proportional share (PSS) of what runs in "
    "it, in the end; of the host, what it has less of available (MemAvailable) than before, for each node: nodes, "
    "kernel, daemons, observers. Removal: from the call until nothing is left."
)
QUORUM_WITHIN_S = 90.0
PROFILE = "wan"
"""The timings for nodes that are slow to answer, as so many on one host are."""
WARM_UP_NODES = 3
_DISCARD_PORT = 9
"""Nobody listens: that a node refuses a connection is an answer."""


@dataclass(frozen=True, slots=True)
class Grown:
    """One cluster, as large as it was asked to be. Times in seconds from its beginning, memory in bytes."""

    engine: str
    nodes: int
    power_s: float
    quorum_s: float | None
    """None when not all saw all within the time."""
    seeing_all: int
    """How many nodes saw all of them in the end."""
    node_bytes: float
    """Proportional share of the processes of one node, on average."""
    host_bytes: float
    """What the host has less of available, for each node."""
    removal_s: float


def topology(nodes: int) -> Topology:
    """That many nodes, spread over three sites."""
    return Topology(
        name=f"{nodes} nodes",
        sites=tuple(Site(name=site) for site in SITES),
        nodes=tuple(Node(name=f"n{number}", site=SITES[number % 3], id=number + 1) for number in range(nodes)),
        vips=(Vip(name="web"),),
        clients=(Client(name="user"),),
    )


async def _once(engine: str, nodes: int, directory: Path) -> Grown:
    stack = subject_called("sfha", {"service_port": _DISCARD_PORT, "profile": PROFILE})
    cluster = drawn("growth", (stack,), directory, engine, topology(nodes))
    before_bytes, began_s = host_memory_bytes("MemAvailable"), now_s()
    try:
        await cluster.start()
        with suppress(DeadlinePassed):
            names = cluster.topology.node_names
            await cluster.until(quorate(names, names), within_s=QUORUM_WITHIN_S)
        host_bytes = (before_bytes - host_memory_bytes("MemAvailable")) / nodes
        processes = (pid for name in cluster.topology.node_names for pid in cluster.engine.processes(name))
        node_bytes = sum(map(memory_bytes, processes)) / nodes
    finally:
        removal_s = await _end(cluster)
    history = History.read(cluster.run_directory)
    seen = first_sights(history, cluster.topology.node_names)
    return Grown(
        engine=engine,
        nodes=nodes,
        power_s=max(event.t_s for event in history.of(NodeStarted)) - began_s,
        quorum_s=max(seen) - began_s if len(seen) == nodes else None,
        seeing_all=len(seen),
        node_bytes=node_bytes,
        host_bytes=host_bytes,
        removal_s=removal_s,
    )


async def _end(cluster: Cluster) -> float:
    cluster.record_ending("passed", "")
    began_s = now_s()
    await cluster.end()
    return now_s() - began_s


def run(engines: Sequence[str], sizes: Sequence[int], directory: Path, say: Callable[[str], None]) -> str:
    """A table: one row an engine and size. Engines that cannot be used here have a row that says why."""
    rows: list[tuple[str, ...]] = []
    for engine in engines:
        if reason := why_unusable(engine):
            rows.append((engine, "-", "-", f"not shown here: {reason}", "-", "-", "-"))
            continue
        say(f"{engine}: once to warm up")  # it may have to import the image
        asyncio.run(_once(engine, WARM_UP_NODES, directory))
        for nodes in sizes:
            say(f"{engine}: {nodes} nodes")
            rows.append(_row(asyncio.run(_once(engine, nodes, directory))))
    header = (
        "engine", "nodes", "power s", "quorum s", "MB a node", "MB of the host a node", "removal s"
    )  # fmt: skip
    return table("Growth", METHOD, header, rows)


def _row(one: Grown) -> tuple[str, ...]:
    quorum = f"{one.quorum_s:.1f}" if one.quorum_s is not None else (
        f"{one.seeing_all} of {one.nodes} saw all within {QUORUM_WITHIN_S:g} s"
    )  # fmt: skip
    memory = (f"{size_bytes / 1e6:.0f}" for size_bytes in (one.node_bytes, one.host_bytes))
    return (one.engine, str(one.nodes), f"{one.power_s:.2f}", quorum, *memory, f"{one.removal_s:.1f}")
