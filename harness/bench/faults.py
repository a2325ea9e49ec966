"""How quickly each fault takes effect once it is called for, and how quickly it is undone: on one cluster, in turn."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.bench.clusters import drawn
from harness.bench.figures import Figure
from harness.cluster import Cluster
from harness.errors import FaultImpossible
from harness.events import FaultEffective, FaultHealed
from harness.faults.catalogue import catalogue
from harness.faults.daemons import processes_of
from harness.faults.declaration import Declaration
from harness.faults.written import example_of
from harness.history import History
from harness.subjects.found import subject_called
from harness.wait import until

METHOD = (
    "Three nodes that run Redis; each fault as in its own example. Effect: from the call to the end of the call that "
    "injects or, where the first look from outside did not show all of the effect, to the look that did. Heal: from "
    "the call to when all that undoes it has been done (that nothing of the effect is left is seen afterwards, and not "
    "counted). Faults that wait by design (a heal that is slow, a daemon that ends in good order) show it."
)
_DAEMON = "redis-server"
_SETTLED_S = 20.0


def measure(directory: Path, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """Every fault, so many times."""
    return asyncio.run(_measure(directory, runs, say))


async def _measure(directory: Path, runs: int, say: Callable[[str], None]) -> list[Figure]:
    cluster = drawn("faults", (subject_called("redis"),), directory)
    figures: list[Figure] = []
    try:
        await cluster.start(observed=False)
        for declaration in catalogue().values():
            say(declaration.name)
            figures += await _of(cluster, declaration, runs)
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    return figures


async def _of(cluster: Cluster, declaration: Declaration, runs: int) -> list[Figure]:
    effects_s: list[float] = []
    heals_s: list[float] = []
    for _ in range(runs):
        await until(lambda: _settled(cluster), within_s=_SETTLED_S, what=f"{_DAEMON} runs everywhere")
        try:
            async with cluster.under(example_of(declaration)):
                pass
        except FaultImpossible as error:
            return [Figure(declaration.name, (), str(error))]
        history = History.read(cluster.run_directory)
        effective, healed = history.of(FaultEffective)[-1], history.of(FaultHealed)[-1]
        effects_s.append(effective.t_s - effective.call_s)
        heals_s.append(healed.t_s - healed.call_s)
    return [
        Figure(f"{declaration.name}: effect", tuple(effects_s)),
        Figure(f"{declaration.name}: heal", tuple(heals_s)),
    ]


def _settled(cluster: Cluster) -> bool:
    nodes = cluster.topology.node_names
    return all(cluster.is_up(node) and processes_of(cluster, node, _DAEMON) for node in nodes)
