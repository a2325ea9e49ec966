"""What visitors lose when a backend goes: the platform beside what others use, before the same backends in one run."""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.edge_losses import Losses, losses
from harness.bench.figures import chosen, table
from harness.checks.story import fault_windows
from harness.cluster import Cluster
from harness.faults.network import CutSite
from harness.faults.process import Freeze, Kill, KillDaemon
from harness.faults.select import node
from harness.history import History
from harness.shipped import definition_called
from harness.subjects.found import subject_called
from harness.subjects.multisite.optional import PACKAGES
from harness.subjects.multisite.program import missing
from harness.subjects.multisite.subject import WEB, WEB_SERVER, visits
from harness.subjects.subject import Subject
from harness.topology import load as load_topology
from harness.traffic import Traffic

METHOD = (
    "An edge, two sites of two machines with a web server each (10 ms of work a request), visitors outside. Open "
    "loop: 200 GET/s and 50 POST/s, a time-out of 12 s, connections kept. A fault lasts 3 s; its requests are "
    "those that were due from its begin to the next one's. *Failed*: not answered 200. *Done all the same*: POSTs"
    " that failed, and that a backend had begun, by its own notes. *Twice*: POSTs that backends began more than "
    "once. *Slowest*: from due to answered well. Values are medians and, in brackets, the worst of the runs; sums"
    " where it is said. Every edge has the whole list of backends. Plain: only that. Tuned Caddy: round robin, "
    "lb_try_duration 5s, fail_duration 10s, health checks every 2 s. Tuned HAProxy: checks every 100 ms, repeats "
    "all but POST on whatever failed and after 1 s without an answer; sessions of dead servers are not ended, since "
    "HAProxy 3.0 does not repeat those. Tuned Traefik: "
    "checks every 500 ms, the retry middleware. Tuned Envoy: checks every 100 ms, connections of who fails them ended, "
    "GETs tried elsewhere and after 1 s without an answer."
)
LOST, LOST_SITE = "d1", "dijon"
RATE_PER_S, TIMEOUT_S = 250.0, 12.0
STEADY, LASTS_S, RECOVERS_S = 250, 3.0, 3.0
STARTS_WITHIN_S = 60.0
EDGES = {
    "multisite": ("multisite", {}),
    "Caddy, plain": ("caddy", {"style": "plain"}),
    "Caddy, tuned": ("caddy", {"style": "tuned"}),
    "HAProxy, plain": ("haproxy", {"style": "plain"}),
    "HAProxy, tuned": ("haproxy", {"style": "tuned"}),
    "Traefik, plain": ("traefik", {"style": "plain"}),
    "Traefik, tuned": ("traefik", {"style": "tuned"}),
    "Envoy, plain": ("envoy", {"style": "plain"}),
    "Envoy, tuned": ("envoy", {"style": "tuned"}),
}
Say = Callable[[str], None]
AnyFault = KillDaemon | Kill | Freeze | CutSite
FAULTS: dict[str, Callable[[], AnyFault]] = {
    "server crashes": lambda: KillDaemon(node(LOST), WEB_SERVER),
    "machine without power": lambda: Kill(node(LOST)),
    "machine frozen": lambda: Freeze(node(LOST)),
    "site cut off": lambda: CutSite(LOST_SITE),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One edge and one fault, again and again on one cluster."""

    edge: str
    fault: str
    found: tuple[Losses, ...]


async def _measure(edge: str, subjects: tuple[Subject, ...], runs: int, directory: Path, say: Say) -> list[Row]:
    """All faults, one after the other, on one cluster."""
    attached: list[Traffic] = []

    def outside(cluster: Cluster) -> None:
        load = visits(cluster.topology, cluster.plan, RATE_PER_S, TIMEOUT_S, weights={"GET": 4.0, "POST": 1.0})
        attached.append(Traffic(cluster, (load,)))

    topology = load_topology(definition_called("topologies", "platform", "topology"))
    async with started(edge, subjects, directory, outside, topology) as cluster, attached[0].running():
        await cluster.until(attached[0].acknowledges_again(STEADY), within_s=STARTS_WITHIN_S)
        for fault, make in FAULTS.items():
            for run in range(runs):
                say(f"{edge}, {fault}: {run + 1} of {runs}")
                async with cluster.under(make()):
                    await asyncio.sleep(LASTS_S)
                await asyncio.sleep(RECOVERS_S)
    history = History.read(cluster.run_directory)
    began_s = [window.injected_s for window in fault_windows(history)]
    ends_s = [*began_s[1:], float("inf")]
    found = [losses(history, *stretch) for stretch in zip(began_s, ends_s, strict=True)]
    return [Row(edge, fault, tuple(found[place * runs : (place + 1) * runs])) for place, fault in enumerate(FAULTS)]


def run(runs: int, only: str, directory: Path, say: Say) -> str:
    """A table: every edge whose name contains ``only``, under every fault."""
    rows: list[Row] = []
    absent: list[str] = []
    for edge in chosen(only, EDGES):
        name, settings = EDGES[edge]
        why = missing(name, PACKAGES[name]) if name in PACKAGES else ""
        if why:
            absent.append(f"{edge}: not shown here ({why})")
            say(absent[-1])
        else:
            subjects = (subject_called(name, settings), subject_called(WEB))
            rows += asyncio.run(_measure(edge, subjects, runs, directory, say))
    return section(rows, absent)


def section(rows: Sequence[Row], absent: Sequence[str] = ()) -> str:
    """The section of the benchmark page."""
    header = (
        *("edge", "runs", "GETs failed", "POSTs failed", "done all the same (sum)", "POSTs twice (sum)"),
        *("slowest ms", "fault"),
    )
    method = " ".join([METHOD, *(f"{one}." for one in absent)])
    return table("Edge", method, header, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    def spread(values: Sequence[float]) -> str:
        return f"{statistics.median(values):.0f} ({max(values):.0f})"

    found = row.found
    return (
        row.edge,
        str(len(found)),
        spread([one.gets_failed for one in found]),
        spread([one.posts_failed for one in found]),
        str(sum(one.posts_done for one in found)),
        str(sum(one.posts_twice for one in found)),
        spread([one.slowest_s * 1000 for one in found]),
        row.fault,
    )
