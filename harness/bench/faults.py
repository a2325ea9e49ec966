"""How quickly each fault takes effect once it is called for, and how quickly it is undone: on one cluster, in turn."""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import drawn
from harness.bench.figures import in_ms, table
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
    "Three nodes that run Redis; each fault as in its own example; medians, and the worst. Effect: from the "
    "call to the end of the call that injects or, where the first look from outside did not show all of the "
    "effect, to the look that did. Heal: from the call to when all that undoes it has been done (that nothing "
    "of the effect is left is seen afterwards, and not counted). Faults that wait by design (a heal that is "
    "slow, a daemon that ends in good order) show it."
)
_DAEMON = "redis-server"
_SETTLED_S = 20.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One fault: every time of each kind, or why it was impossible."""

    fault: str
    effects_s: tuple[float, ...] = ()
    heals_s: tuple[float, ...] = ()
    impossible: str = ""


def section(found: Sequence[Measured]) -> str:
    """The section of the benchmark page."""
    header = ("fault", "runs", "effect ms", "worst ms", "heal ms", "worst heal ms", "remark")
    return table("Faults", METHOD, header, [_row(one) for one in found])


def _row(one: Measured) -> tuple[str, ...]:
    runs = str(len(one.effects_s))
    if not one.effects_s:
        return (one.fault, runs, "-", "-", "-", "-", one.impossible)
    times = [part for values in (one.effects_s, one.heals_s) for part in (statistics.median(values), max(values))]
    return (one.fault, runs, *map(in_ms, times), "")


def measure(directory: Path, runs: int, say: Callable[[str], None]) -> list[Measured]:
    """Every fault, so many times."""
    return asyncio.run(_measure(directory, runs, say))


async def _measure(directory: Path, runs: int, say: Callable[[str], None]) -> list[Measured]:
    cluster = drawn("faults", (subject_called("redis"),), directory)
    found: list[Measured] = []
    try:
        await cluster.start(observed=False)
        for declaration in catalogue().values():
            say(declaration.name)
            found.append(await _of(cluster, declaration, runs))
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    return found


async def _of(cluster: Cluster, declaration: Declaration, runs: int) -> Measured:
    effects_s: list[float] = []
    heals_s: list[float] = []
    for _ in range(runs):
        await until(lambda: _settled(cluster), within_s=_SETTLED_S, what=f"{_DAEMON} runs everywhere")
        try:
            async with cluster.under(example_of(declaration)):
                pass
        except FaultImpossible as error:
            return Measured(declaration.name, impossible=str(error))
        history = History.read(cluster.run_directory)
        effective, healed = history.of(FaultEffective)[-1], history.of(FaultHealed)[-1]
        effects_s.append(effective.t_s - effective.call_s)
        heals_s.append(healed.t_s - healed.call_s)
    return Measured(declaration.name, tuple(effects_s), tuple(heals_s))


def _settled(cluster: Cluster) -> bool:
    nodes = cluster.topology.node_names
    return all(cluster.is_up(node) and processes_of(cluster, node, _DAEMON) for node in nodes)
