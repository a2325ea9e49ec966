"""How quickly each fault takes effect once it is called for, and how quickly it is undone: on one cluster, in turn.

What a fault needs that the first engine has not (a kernel of the node's own) is measured on the next one. What
operators do is measured on nodes that run sfha, which has more of it.
"""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import drawn
from harness.bench.figures import chosen, in_ms, table
from harness.cluster import Cluster
from harness.engines.choice import why_unusable
from harness.errors import FaultImpossible, HarnessError
from harness.events import FaultEffective, FaultHealed
from harness.fault import Fault
from harness.faults.catalogue import catalogue
from harness.faults.daemons import processes_of
from harness.faults.operator import Operate
from harness.faults.written import example_of
from harness.history import History
from harness.subjects.found import subject_called
from harness.subjects.redis.rest import is_at_rest
from harness.wait import until

METHOD = (
    "Three nodes that run Redis; each fault as in its own example; medians, and the worst. Effect: from the "
    "call to the end of the call that injects or, where the first look from outside did not show all of the "
    "effect, to the look that did. Heal: from the call to when all that undoes it has been done (that nothing "
    "of the effect is left is seen afterwards, and not counted). Faults that wait by design (a heal that is "
    "slow, a daemon that ends in good order, clocks and pressures that have to be seen over a time) show it. A fault "
    "that needs a node with a kernel of its own is measured on the engine uml. What an operator does is measured on "
    "nodes that run sfha, to the last of three."
)
ENGINES = ("local", "uml")
_DAEMON = "redis-server"
_SETTLED_S = 60.0
_OPERATED = "n3"
_TOLD_CHARACTERS = 160
Made = Callable[[], Fault[Cluster]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One fault: every time of each kind, or why it could not be measured; ``lacking`` what it was impossible for."""

    fault: str
    engine: str
    effects_s: tuple[float, ...] = ()
    heals_s: tuple[float, ...] = ()
    remark: str = ""
    lacking: bool = False


def section(found: Sequence[Measured]) -> str:
    """The section of the benchmark page."""
    header = ("fault", "runs", "effect ms", "worst ms", "heal ms", "worst heal ms", "remark")
    return table("Faults", METHOD, header, [_row(one) for one in found])


def _row(one: Measured) -> tuple[str, ...]:
    runs, on = str(len(one.effects_s)), "" if one.engine == ENGINES[0] else f"on {one.engine}"
    remark = "; ".join(filter(None, (on, one.remark)))
    if not one.effects_s:
        return (one.fault, runs, "-", "-", "-", "-", remark)
    times = [part for values in (one.effects_s, one.heals_s) for part in (statistics.median(values), max(values))]
    return (one.fault, runs, *map(in_ms, times), remark)


def measure(directory: Path, runs: int, say: Callable[[str], None], only: str = "") -> list[Measured]:
    """Every fault whose name contains ``only``, so many times. Raises UsageError where there is none."""
    names = chosen(only, catalogue())
    found: dict[str, Measured] = {}
    for engine in ENGINES:
        left = [name for name in names if name not in found or found[name].lacking]
        if left and not why_unusable(engine):
            faults = {name: _example(name) for name in left}
            cluster = drawn("faults", (subject_called("redis"),), directory, engine)
            for one in asyncio.run(_measure(cluster, faults, runs, say)):
                if not one.lacking or one.fault not in found:
                    found[one.fault] = one
    rows = [found[name] for name in names if name in found]
    if Operate.name in names:
        cluster = drawn("operators", (subject_called("sfha"), subject_called("etcd")), directory)
        rows += asyncio.run(_measure(cluster, _operated(cluster), runs, say))
    return rows


def _example(name: str) -> Made:
    return lambda: example_of(catalogue()[name])


def _operated(cluster: Cluster) -> dict[str, Made]:
    """What an operator may do to a member of sfha."""
    actions = cluster.design.subjects[0].operator_actions(_OPERATED, cluster.topology, cluster.plan)
    return {f"{Operate.name} {action.name}": _to_member(action.name) for action in actions}


def _to_member(action: str) -> Made:
    return lambda: Operate(_OPERATED, action)


async def _measure(cluster: Cluster, faults: dict[str, Made], runs: int, say: Callable[[str], None]) -> list[Measured]:
    found: list[Measured] = []
    try:
        await cluster.start(observed=not _runs_redis(cluster))
        for name, make in faults.items():
            say(f"{name} ({cluster.design.engine})")
            found.append(await _of(cluster, name, make, runs))
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    return found


async def _of(cluster: Cluster, name: str, make: Made, runs: int) -> Measured:
    effects_s: list[float] = []
    heals_s: list[float] = []
    remark = ""
    for _ in range(runs):
        try:
            await _settle(cluster)
            async with cluster.under(make()):
                pass
        except FaultImpossible as error:
            return Measured(name, cluster.design.engine, remark=str(error), lacking=True)
        except HarnessError as error:  # the others are worth knowing all the same
            remark = f"of {runs} some failed: {error!s:.{_TOLD_CHARACTERS}}".replace("\n", " ")
            continue
        history = History.read(cluster.run_directory)
        effective, healed = history.of(FaultEffective)[-1], history.of(FaultHealed)[-1]
        effects_s.append(effective.t_s - effective.call_s)
        heals_s.append(healed.t_s - healed.call_s)
    return Measured(name, cluster.design.engine, tuple(effects_s), tuple(heals_s), remark)


def _runs_redis(cluster: Cluster) -> bool:
    return cluster.design.subjects[0].name == "redis"


async def _settle(cluster: Cluster) -> None:
    """Wait until every node is as it was before any fault."""
    if not _runs_redis(cluster):
        await cluster.until_settled(within_s=_SETTLED_S)
        return

    async def at_rest() -> bool:
        nodes = cluster.topology.node_names
        if not all(cluster.is_up(node) and processes_of(cluster, node, _DAEMON) for node in nodes):
            return False
        told = await asyncio.gather(*(cluster.engine.exec(node, ("redis-cli", "info")) for node in nodes))
        return all(is_at_rest(one.stdout) for one in told)

    await until(at_rest, within_s=_SETTLED_S, what=f"{_DAEMON} runs everywhere, at rest")
