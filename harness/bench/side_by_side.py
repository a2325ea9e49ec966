"""What nodes cost that an engine runs side by side, and how soon one that lost its power can be reached again."""

import asyncio
import ctypes
import platform
import secrets
import socket
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from harness.addresses import AddressPlan
from harness.bench.clusters import THREE_SITES, drawn
from harness.bench.figures import Figure
from harness.clock import now_s
from harness.cluster import Cluster
from harness.engines.choice import engine_for
from harness.engines.engine import Engine, NodeDefinition, NodeFile
from harness.fabric.namespaces import call_in
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.procfs import memory_bytes
from harness.rundir import RunDirectory
from harness.subjects.subject import Subject
from harness.topology import Topology
from harness.wait import together, until

MANY = 8
SETTLED_S, IDLE_S = 3.0, 5.0
PORT = 1
"""Where nobody listens: a node says so as soon as it can be reached."""
TRYING_S, REACHED_WITHIN_S = 0.1, 60.0
METHOD = (
    "Plugged in: a cluster of three nodes in three sites without software, from nothing until each has run `true`, "
    "with fabric, disks and observers. Reachable again: from the call of a power cut, followed by power on, until a "
    "client on the WAN is answered by the node (a TCP connection that is refused; it tries all the time). "
    f"{MANY} nodes: created and started at once, until each has run `true`; then, {SETTLED_S:g} s later, the processor "
    f"time of a node in a second of {IDLE_S:g} idle ones, and the memory of its processes (proportional share, PSS)."
)
Rows = dict[str, list[float]]


_KCMP, _KCMP_VM = (312 if platform.machine() == "x86_64" else 272), 1


class Nothing(Subject):
    """No software."""

    name = "nothing"
    service_port = PORT

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """None."""
        return ()


def measure(engine_name: str, directory: Path, rows: Rows) -> float:
    """One run on an engine: times into ``rows``; gives the memory of an idle node, in bytes."""
    asyncio.run(_plugged(engine_name, directory, rows))
    return asyncio.run(_many(engine_name, rows))


def figures(engine_name: str, rows: Rows, memories_bytes: Sequence[float]) -> list[Figure]:
    """The rows of an engine's table."""
    idle = f"{max(memories_bytes) / 1e6:.0f} MB at most" if memories_bytes else ""
    return [
        Figure(f"{engine_name}: {what}", tuple(values), idle if what == _IDLE else "") for what, values in rows.items()
    ]


def new_rows() -> Rows:
    """None yet."""
    return defaultdict(list)


_PLUGGED = "nothing to three nodes, plugged in, a command run on each"
_CUT, _REACHABLE = "power cut of a node that is plugged in", "power cut to reachable again"
_MANY, _IDLE = f"nothing to {MANY} nodes, a command run on each", "an idle node, each second"


async def _plugged(engine_name: str, directory: Path, rows: Rows) -> None:
    cluster = drawn("plugged", (Nothing(),), directory, engine_name)
    try:
        began_s = now_s()
        await cluster.start()
        await together(*(cluster.engine.exec(name, ["true"]) for name in THREE_SITES.node_names))
        rows[_PLUGGED].append(now_s() - began_s)
        began_s = now_s()
        await cluster.power_cut("n1")
        rows[_CUT].append(now_s() - began_s)
        on = asyncio.create_task(cluster.power_on("n1"))
        await _reachable(cluster, "n1")
        rows[_REACHABLE].append(now_s() - began_s)
        await on
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()


async def _reachable(cluster: Cluster, node: str) -> None:
    namespace = cluster.life.machines.client_namespaces["user"]
    address = cluster.plan.address(node)

    def tried() -> bool:
        with socket.socket() as link:
            link.settimeout(TRYING_S)
            try:
                link.connect((address, PORT))
            except ConnectionRefusedError:
                return True
            except OSError:
                return False
            return True

    async def answers() -> bool:
        return await asyncio.to_thread(call_in, namespace, tried)

    await until(answers, within_s=REACHED_WITHIN_S, what=f"{node} can be reached")


async def ready(engine: Engine, names: Sequence[str]) -> None:
    """Create and start nodes, at once, until each has run a command."""

    async def one(node: str) -> None:
        await engine.create(NodeDefinition(node, ensure_image()))
        await engine.start(node)
        await engine.exec(node, ["true"])

    await together(*map(one, names))


async def _many(engine_name: str, rows: Rows) -> float:
    run = RunDirectory.create(f"bench-{secrets.token_hex(4)}")
    keeper = Keeper.start(run)
    names = [f"n{number}" for number in range(1, MANY + 1)]
    try:
        engine = engine_for(engine_name, run)
        began_s = now_s()
        await ready(engine, names)
        rows[_MANY].append(now_s() - began_s)
        await asyncio.sleep(SETTLED_S)
        used_s, began_s = sum(map(engine.cpu_used_s, names)), now_s()
        await asyncio.sleep(IDLE_S)
        rows[_IDLE].append((sum(map(engine.cpu_used_s, names)) - used_s) / (now_s() - began_s) / MANY)
        return sum(map(_memory_bytes, (engine.processes(name) for name in names))) / MANY
    finally:
        await keeper.end()


def _memory_bytes(pids: Sequence[int]) -> int:
    """Of a node's processes. Some are threads of a kernel, and share their memory with another one."""
    counted: list[int] = []
    for pid in pids:
        if not any(_same_memory(pid, other) for other in counted):
            counted.append(pid)
    return sum(map(memory_bytes, counted))


def _same_memory(one: int, other: int) -> bool:
    """See kcmp(2)."""
    return bool(ctypes.CDLL(None).syscall(_KCMP, one, other, _KCMP_VM, 0, 0) == 0)
