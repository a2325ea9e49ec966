"""Whether the stack fails over without a cause while every core is busy."""

import asyncio
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import Figure
from harness.checks.outage import outages
from harness.clock import now_s
from harness.events import AddressAdded, GateOpened
from harness.history import History
from harness.subjects.found import subject_called

METHOD = (
    "Three nodes, nothing is done to them, and one endless loop per core runs beside them on the host. A failover is a "
    "change of the node that holds the address; a dark moment is a renewal of the lease that came too late. "
    "The values are the outages that a client saw."
)
STEP_S = 5.0


async def _steady(profile: str, for_s: float, directory: Path, say: Callable[[str], None]) -> tuple[History, float]:
    """The history, and since when the cores were busy: settling may move the address, and is no failover."""
    subjects = (subject_called("sfha", {"profile": profile}), subject_called("etcd"))
    async with started(f"steadiness {profile}", subjects, directory) as cluster:
        since_s = now_s()
        loop = (sys.executable, "-c", "while True: pass")
        busy = [await asyncio.create_subprocess_exec(*loop) for _ in range(os.cpu_count() or 1)]
        try:
            passed_s = 0.0
            while passed_s < for_s:
                say(f"{profile} profile: {passed_s:.0f} of {for_s:.0f} s with every core busy")
                await asyncio.sleep(STEP_S)
                passed_s += STEP_S
        finally:
            for process in busy:
                process.kill()
                await process.wait()
    return History.read(cluster.run_directory), since_s


def _row(profile: str, for_s: float, history: History, since_s: float) -> Figure:
    opened = [event for event in history.of(GateOpened) if event.t_s >= since_s]
    dark = sum(1 for before, late in pairwise(opened) if late.t_s > before.until_s)
    holders = history.of(AddressAdded)
    failovers = sum(1 for before, after in pairwise(holders) if after.t_s >= since_s and before.node != after.node)
    seen = [one.length_s for one in outages(history, opened[0].address) if one.ever_answered and one.end_s is not None]
    remark = f"{failovers} failovers, {dark} dark moments, {len(opened)} renewals in {for_s:.0f} s"
    return Figure(f"sfha, {profile} profile, all cores busy: outages", tuple(seen), remark)


def run(profiles: tuple[str, ...], for_s: float, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """One row for each profile; the values are the outages seen."""
    return tuple(_row(one, for_s, *asyncio.run(_steady(one, for_s, directory, say))) for one in profiles)
