"""How long clients of a store wait when who leads goes, and what they lose: as installed, and with stock settings."""

import asyncio
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import chosen, table
from harness.bench.store_losses import Cost, cost
from harness.bench.store_settings import STOCK_BALANCER, STORES, Store
from harness.checks.durability import LEDGER
from harness.clock import now_s
from harness.cluster import Cluster
from harness.engines.choice import why_unusable
from harness.faults.network import Partition
from harness.faults.process import Kill
from harness.faults.select import node
from harness.history import History
from harness.ledger import ledger_load
from harness.shipped import definition_called
from harness.subjects.dataservices.servers import BALANCERS, SERVERS, Servers
from harness.subjects.found import subject_called
from harness.subjects.subject import Subject
from harness.topology import load as load_topology
from harness.traffic import Traffic
from harness.workloads.load import Load, Route

METHOD = (
    "Three servers in three sites and two balancers, installed by `keyservices` on the engine docker; clients "
    "outside, by one balancer, open loop: 100 writes/s (RabbitMQ: 60 messages/s published, 40/s taken), given up "
    "after 0.5 s (1 s), then on a new connection. *Killed*: all processes of the server that leads (or is written to) "
    "end at once, and its cable is out. *Cut off*: nothing passes between it and the other two; balancers and clients "
    "reach it all along. The fault ends once another one leads and 30 more writes are acknowledged, the trial once "
    "all servers are in step. Outage: the longest time between two acknowledgements in a trial. Lost: acknowledged in "
    "it, and not on each server in the end (of messages: never delivered). *Ours*: as installed. *Stock*: the same "
    "cluster, then, with the software's own values for who is held for dead and when, and for replication: PostgreSQL "
    "asynchronous, Patroni ttl 30, loop_wait 10, retry_timeout 10; Redis min-replicas-to-write 0, appendfsync "
    "everysec, Sentinel down-after 30 s; RabbitMQ net_ticktime 60, with quorum queues all the same; Galera suspect 5 "
    "s, inactive 15 s; HAProxy checks every 2 s, fall 3, rise 2. p95 is the nearest rank: of fewer than 20 trials the "
    "worst."
)
ENOUGH, AGAIN_WITHIN_S, BACK_WITHIN_S = 30, 120.0, 60.0
MESSAGES_PER_S, MESSAGE_TIMEOUT_S, MESSAGE_WEIGHTS = 100.0, 1.0, {"enqueue": 3.0, "dequeue": 2.0}
ENGINE = "docker"
Say = Callable[[str], None]
AnyFault = Kill | Partition
FAULTS: Mapping[str, Callable[[str], AnyFault]] = {
    "killed": lambda lost: Kill(node(lost)),
    "cut off": lambda lost: Partition((lost,), tuple(one for one in SERVERS if one != lost)),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, from before it until all servers are in step again."""

    settings: str
    fault: str
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """One store with one kind of settings, under one fault again and again."""

    store: str
    settings: str
    fault: str
    costs: tuple[Cost, ...]


@dataclass(slots=True)
class _Trials:
    """Those of one store, one after the other on one cluster."""

    cluster: Cluster
    name: str
    store: Store
    servers: Servers
    traffic: Traffic
    say: Say
    done: list[Trial] = field(default_factory=list)

    async def perform(self, settings: str, runs: int) -> None:
        """Each fault, so many times."""
        for fault, make in FAULTS.items():
            for run in range(runs):
                self.say(f"{self.name}, {settings}, {fault}: {run + 1} of {runs}")
                lost, from_s = await self.store.leader(self.servers), now_s()
                async with self.cluster.under(make(lost)):
                    await self.store.another(self.servers, lost)
                    await self.cluster.until(self.traffic.acknowledges_again(ENOUGH), within_s=AGAIN_WITHIN_S)
                await self._whole()
                self.done.append(Trial(settings, fault, from_s, now_s()))

    async def as_stock(self) -> None:
        """What the installer chose is put back to what the software has by itself."""
        self.say(f"{self.name}: stock settings")
        for one in SERVERS:
            await self.servers.run(one, self.store.stock, within_s=120)
        for one in BALANCERS:
            await self.servers.run(one, STOCK_BALANCER)
        await self._whole()

    async def _whole(self) -> None:
        await self.store.whole(self.servers)
        await self.cluster.until(self.traffic.acknowledges_again(ENOUGH), within_s=BACK_WITHIN_S)


def _load(cluster: Cluster, store: Store, port: int) -> Load:
    address = cluster.plan.address(BALANCERS[0])
    if store.key == LEDGER:
        return ledger_load(address, store.subject, port)
    return Load(
        model="queue",
        key=store.key,
        store=store.subject,
        routes=(Route(address=address, port=port),),
        rate_per_s=MESSAGES_PER_S,
        timeout_s=MESSAGE_TIMEOUT_S,
        weights=MESSAGE_WEIGHTS,
    )


async def _measure(name: str, subject: Subject, runs: int, directory: Path, say: Say) -> list[Row]:
    store, attached = STORES[name], list[Traffic]()

    def outside(cluster: Cluster) -> None:
        attached.append(Traffic(cluster, (_load(cluster, store, subject.service_port),), SERVERS))

    topology = load_topology(definition_called("topologies", "services", "topology"))
    what = f"{name} loses who leads"
    async with started(what, (subject,), directory, outside, topology, engine=ENGINE, image=store.image) as cluster:
        roles = dict.fromkeys(SERVERS, store.role) | dict.fromkeys(BALANCERS, "haproxy")
        trials = _Trials(cluster, name, store, Servers(cluster, roles), attached[0], say)
        say(f"{name}: installing")
        await trials.servers.installed()
        async with attached[0].running():
            await store.whole(trials.servers)
            await trials.perform("ours", runs)
            await trials.as_stock()
            await trials.perform("stock", runs)
    return rows_of(name, store.key, History.read(cluster.run_directory), trials.done)


def rows_of(name: str, key: str, history: History, trials: Sequence[Trial]) -> list[Row]:
    """What the trials cost, those of one kind together."""
    found: dict[tuple[str, str], list[Cost]] = {}
    for one in trials:
        found.setdefault((one.settings, one.fault), []).append(cost(history, key, one.from_s, one.until_s))
    return [Row(name, *what, tuple(costs)) for what, costs in found.items()]


def run(runs: int, only: str, directory: Path, say: Say) -> str:
    """A table: every store whose name contains ``only``, under every fault, with both kinds of settings."""
    names = chosen(only, STORES)
    if reason := why_unusable(ENGINE):
        return section([], f"Not shown here ({reason}).")
    rows: list[Row] = []
    for name in names:
        rows += asyncio.run(_measure(name, subject_called(STORES[name].subject), runs, directory, say))
    return section(rows)


def section(rows: Sequence[Row], absent: str = "") -> str:
    """The section of the benchmark page."""
    header = ("store", "trials", "median s", "p95 s", "worst s", "acknowledged", "lost", "settings, fault")
    return table("Stores", f"{METHOD} {absent}".strip(), header, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    outages_s = sorted(one.outage_s for one in row.costs)
    p95_s = outages_s[math.ceil(0.95 * len(outages_s)) - 1]
    times = [f"{one:.1f}" for one in (statistics.median(outages_s), p95_s, outages_s[-1])]
    acknowledged, lost = (
        sum(counts) for counts in zip(*((one.acknowledged, one.lost) for one in row.costs), strict=True)
    )
    return (row.store, str(len(row.costs)), *times, str(acknowledged), str(lost), f"{row.settings}, {row.fault}")
