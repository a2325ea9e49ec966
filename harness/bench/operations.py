"""What an administrator waits for, and failover with a service that must never run twice."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

from harness.bench.clusters import drawn, started
from harness.bench.figures import Figure
from harness.checks.verdict import Outcome
from harness.checks.writers import one_writer
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate, written_by_one_of
from harness.errors import HarnessError
from harness.events import FaultInjected, ServiceWrote, SubjectSaid
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, node
from harness.history import History
from harness.outside import PowerSwitch, WriteRecorder
from harness.subjects.found import subject_called
from harness.subjects.sfha.fenced import SERVICE

LOOP_LIMIT = 3
"""So often a node is fenced in a row (docs/fencing.md)."""

METHOD = (
    "Join, removal: from the call of `sfha join TOKEN` (of the second and the third node) and of `sfha node remove` "
    "(of a node that lost its power) to the command's end, on a new cluster each time. Service: a service that must "
    "never run twice writes every 20 ms to a place outside; its holder is killed or frozen, the others fence it 2 s "
    "after they missed it, and the value is the longest silence between two of its writes. Event to action: on the new "
    "holder, from what Corosync reported to the first request for the lease, by the daemon's own log."
)
Say = Callable[[str], None]


async def _sfha(cluster: Cluster, on: str, *words: str) -> tuple[str, float]:
    """What a command said, and how long it took."""
    start_s = now_s()
    done = await cluster.engine.exec(on, ("sfha", *words), timeout_s=60)
    if done.exit_code != 0:
        raise HarnessError(f"{on}: sfha {words[0]} ended with {done.exit_code}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().strip(), now_s() - start_s


async def _membership(directory: Path) -> Mapping[str, list[float]]:
    """One cluster founded, joined twice, and left by a dead node."""
    took_s: dict[str, list[float]] = defaultdict(list)
    cluster = drawn("operations", (subject_called("sfha-unconfigured"), subject_called("etcd")), directory)
    first, *others = cluster.topology.node_names
    vip = cluster.plan.vip(cluster.topology.vips[0].name)
    try:
        await cluster.start()
        await _sfha(cluster, first, "init", "--name", "harness")
        await cluster.until(held_by_one_of(vip, (first,)), within_s=20)
        for name in others:
            token, _ = await _sfha(cluster, first, "token")
            took_s["a node joins"].append((await _sfha(cluster, name, "join", token))[1])
        await cluster.until(quorate(cluster.topology.node_names, cluster.topology.node_names), within_s=20)
        *rest, gone = cluster.topology.node_names
        async with cluster.under(Kill(node(gone))):
            await cluster.until(quorate(rest, rest), within_s=20)
            took_s["an offline node is removed"].append((await _sfha(cluster, first, "node", "remove", gone))[1])
    finally:
        cluster.record_ending("passed", "")
        await cluster.end()
    return took_s


async def _fenced(fault: type[Kill] | type[Freeze], runs: int, directory: Path) -> History:
    """One cluster whose holder is lost, and fenced, as often as one node may be without a person looking at it."""
    settings = {"min_delay_s": 1, "max_fences": 100}
    subjects = (subject_called("sfha-fenced", settings), subject_called("etcd"))

    def outside(cluster: Cluster) -> None:
        PowerSwitch(cluster)
        WriteRecorder(cluster)

    async with started(f"operations {fault.name}", subjects, directory, outside) as cluster:
        vip = cluster.plan.vip(cluster.topology.vips[0].name)
        for _ in range(runs):
            await cluster.until(written_by_one_of(SERVICE, cluster.topology.node_names[:1]), within_s=20)
            async with cluster.under(fault(holder_of(vip))) as lost:
                await cluster.until(written_by_one_of(SERVICE, cluster.all_but(lost.targets)), within_s=20)
                for name in lost.targets:
                    if not cluster.is_up(name):
                        await cluster.power_on(name)
            await cluster.until_settled(within_s=60)
    return History.read(cluster.run_directory)


def _silences(history: History) -> tuple[float, ...]:
    """The longest silence of the service between each fault and the next."""
    starts_s = [event.t_s for event in history.of(FaultInjected)]
    writes_s = [event.t_s for event in history.of(ServiceWrote)]
    gaps = [(later - sooner, later) for sooner, later in pairwise(writes_s)]
    ends_s = [*starts_s[1:], float("inf")]
    # The second silence of a trial, when the service moves back, is shorter: its holder need not be fenced.
    return tuple(
        max((gap for gap, at_s in gaps if start_s < at_s <= end_s), default=0.0)
        for start_s, end_s in zip(starts_s, ends_s, strict=True)
    )


def _reactions(history: History) -> tuple[float, ...]:
    """From a view that Corosync reported to the lease being asked for, where the one led to the other."""
    found = []
    for name in {event.node for event in history.of(SubjectSaid)}:
        reported_s: float | None = None
        for event in history.of(SubjectSaid):
            if event.node != name:
                continue
            if event.event == "membership-changed":
                reported_s = event.t_s
            elif event.event == "lease-requested" and reported_s is not None:
                found.append(event.t_s - reported_s)
                reported_s = None
            elif event.event != "leader-elected":
                reported_s = None  # it was something else that led to the request
    return tuple(found)


def run(runs: int, directory: Path, say: Say) -> tuple[Figure, ...]:
    """Measure ``runs`` of each."""
    took_s: dict[str, list[float]] = defaultdict(list)
    for number in range(runs):
        say(f"join and removal {number + 1} of {runs}")
        for what, values_s in asyncio.run(_membership(directory)).items():
            took_s[what] += values_s
    rows = [Figure(what, tuple(values_s)) for what, values_s in took_s.items()]
    reactions: list[float] = []
    for fault, name in ((Kill, "holder killed"), (Freeze, "holder frozen")):
        silences: list[float] = []
        wrong: list[str] = []
        while len(silences) < runs:
            say(f"{name}, service, fencing: {len(silences) + 1} of {runs}")
            history = asyncio.run(_fenced(fault, min(LOOP_LIMIT, runs - len(silences)), directory))
            reactions += _reactions(history)
            silences += _silences(history)
            verdict = one_writer(history, SERVICE)
            wrong += [verdict.summary] if verdict.outcome is not Outcome.HOLDS else []
        remark = "; ".join(wrong) or "never on two nodes at a time"
        rows.append(Figure(f"{name}, service, fencing: silence of the service", tuple(silences), remark))
    return (*rows, Figure("event to action in the daemon", tuple(reactions)))
