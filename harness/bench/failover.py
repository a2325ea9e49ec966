"""How long an address is gone: killed, cut off, frozen and handed over, beside keepalived in the same run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import Figure, chosen
from harness.checks.outage import SLOW_ANSWER_S, outages
from harness.checks.verdict import Outcome
from harness.checks.vip import one_holder
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import answers, held_by_one_of
from harness.faults.network import CutSite
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, site_of
from harness.history import History
from harness.subjects.found import subject_called
from harness.subjects.subject import Subject

METHOD = (
    "Three nodes in three sites, a client on the WAN that connects every 10 ms "
    "(error of one outage at most about ±10 ms). "
    "The holder of the address is killed (power cut), its site is cut, it is frozen, or it hands over in good order; "
    "the outage is the longest time without an answer between the call of the fault and its heal. "
    "Overlap is judged from netlink events of every node over the whole series."
)

Trial = Callable[[Cluster, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of the table: a fault, again and again on one cluster."""

    what: str
    subjects: tuple[Subject, ...]
    trial: Trial


async def _under(cluster: Cluster, vip: str, fault: Kill | CutSite | Freeze) -> None:
    holder = await cluster.holder(vip)
    async with cluster.under(fault):
        await cluster.until(held_by_one_of(vip, cluster.all_but((holder,))), within_s=20)
        await cluster.until(answers(vip), within_s=20)
    await cluster.until_settled()


async def _kill(cluster: Cluster, vip: str) -> None:
    await _under(cluster, vip, Kill(holder_of(vip)))


async def _cut(cluster: Cluster, vip: str) -> None:
    await _under(cluster, vip, CutSite(site_of(holder_of(vip))))


async def _freeze(cluster: Cluster, vip: str) -> None:
    await _under(cluster, vip, Freeze(holder_of(vip)))


async def _hand_over(cluster: Cluster, vip: str) -> None:
    holder = await cluster.holder(vip)
    await cluster.engine.exec(holder, ("sfha", "standby"))
    await cluster.until(held_by_one_of(vip, cluster.all_but((holder,))), within_s=20)
    await cluster.until(answers(vip), within_s=20)
    await cluster.engine.exec(holder, ("sfha", "unstandby"))
    await cluster.until_settled()


def all_series() -> tuple[Series, ...]:
    """Every row, peers included."""
    etcd = subject_called("etcd")
    rows = []
    for profile, name in (("lan", "sfha, lan profile"), ("fast", "sfha, fast profile (default)")):
        subjects = (subject_called("sfha", {"profile": profile}), etcd)
        trials = {"killed": _kill, "cut off": _cut, "frozen": _freeze, "handed over": _hand_over}
        rows += [Series(f"{name}: holder {what}", subjects, trial) for what, trial in trials.items()]
    for advert_s in (0.1, 1.0):
        subjects = (subject_called("keepalived", {"advert_s": advert_s}), etcd)
        rows.append(Series(f"keepalived, adverts every {advert_s:g} s: holder killed", subjects, _kill))
    return tuple(rows)


async def measure(series: Series, runs: int, directory: Path, say: Callable[[str], None]) -> Figure:
    """One row: the outages of ``runs`` trials on one cluster."""
    starts_s: list[float] = []
    async with started(series.what, series.subjects, directory) as cluster:
        vip = cluster.plan.vip(cluster.topology.vips[0].name)
        for run in range(runs):
            say(f"{series.what}: {run + 1} of {runs}")
            starts_s.append(now_s() - SLOW_ANSWER_S)  # an attempt may be under way
            await series.trial(cluster, vip)
    return _figure(series, History.read(cluster.run_directory), vip, starts_s)


def _figure(series: Series, history: History, vip: str, starts_s: Sequence[float]) -> Figure:
    found = [one for one in outages(history, vip) if one.ever_answered and one.end_s is not None]
    values: list[float] = []
    for start_s, next_s in zip(starts_s, [*starts_s[1:], float("inf")], strict=True):
        of_trial = [
            one.length_s for one in found if start_s <= one.start_s + one.start_error_s < next_s and not one.after_heal
        ]
        values.append(max(of_trial, default=0.0))
    verdict = one_holder(history, vip)
    remark = "never two holders" if verdict.outcome is Outcome.HOLDS else verdict.summary
    return Figure(series.what, tuple(values), remark)


def run(runs: int, only: str, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """Measure every series whose name contains ``only``."""
    wanted = chosen(only, [series.what for series in all_series()])
    found = [series for series in all_series() if series.what in wanted]
    return tuple(asyncio.run(measure(series, runs, directory, say)) for series in found)
