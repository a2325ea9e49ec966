"""What the stack's daemon costs while nothing happens."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import Figure
from harness.clock import now_s
from harness.cluster import Cluster
from harness.procfs import command_words, memory_bytes, processor_time_s
from harness.subjects.found import subject_called

METHOD = (
    "Three settled nodes to which nothing is done. The value is the processor time that one daemon uses in a second "
    "(10 ms are 1 % of a core); memory is its proportional share (PSS). A leader renews its lease every third of the "
    "lease's life, and every voter answers: the shorter the lease of the profile, the more that costs."
)
SETTLED_S = 3.0


def _daemon(cluster: Cluster, name: str) -> int:
    """The process id of a node's daemon, as the host counts."""
    for pid in cluster.engine.processes(name):
        words = command_words(pid)
        if "run" in words and any(word.endswith("/sfha") for word in words):
            return pid
    raise AssertionError(f"{name} runs no daemon")


async def _measured(profile: str, for_s: float, directory: Path) -> tuple[Figure, ...]:
    subjects = (subject_called("sfha", {"profile": profile}), subject_called("etcd"))
    async with started(f"idle {profile}", subjects, directory) as cluster:
        await cluster.stay(for_s=SETTLED_S, why="what starting left to do is done")
        daemons = [_daemon(cluster, name) for name in cluster.topology.node_names]
        before_s, start_s = [processor_time_s(pid, with_children=True) for pid in daemons], now_s()
        await cluster.stay(for_s=for_s, why="nothing happens")
        passed_s = now_s() - start_s
        after_s = [processor_time_s(pid, with_children=True) for pid in daemons]
        shares = [(later_s - used_s) / passed_s for later_s, used_s in zip(after_s, before_s, strict=True)]
        memory = max(memory_bytes(pid) for pid in daemons) / 1e6
    remark = f"{memory:.0f} MB at most"
    return (
        Figure(f"{profile} profile: the leader, each second", tuple(shares[:1]), remark),
        Figure(f"{profile} profile: the others, each second", tuple(shares[1:]), remark),
    )


def run(profiles: tuple[str, ...], for_s: float, directory: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    """Two rows for each profile: the leader, and the others."""
    rows: list[Figure] = []
    for profile in profiles:
        say(f"{profile} profile: {for_s:.0f} s of nothing")
        rows += asyncio.run(_measured(profile, for_s, directory))
    return tuple(rows)
