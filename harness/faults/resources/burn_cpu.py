"""Something in a node uses its processors."""

import asyncio
import os
from asyncio.subprocess import Process
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import OnNodes, whom
from harness.faults.kernels import inside_of
from harness.healing import EndMarked, HealAction

_BUSY = "while :; do :; done"
_WINDOW_S = 0.2
_SHARE = 0.1


@fault(
    family="resources",
    example="n2 --loops 2",
    proof="loops of ours run in the node, which uses more than a tenth of a processor over 200 ms",
)
class BurnCpu(OnNodes):
    """Busy loops run in the nodes, beside everything that is there, with the same priority."""

    bites_within_s = 5.0

    def __init__(self, nodes: Nodes, loops: Annotated[int, Quantity("loops", 1, 64, "how many a node")] = 2) -> None:
        self._whom = whom(nodes)
        self._loops = loops
        self._mark = f"harness-burn-{os.getpid()}-{id(self)}"
        self._processes: list[Process] = []

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power."""
        self.targets = self._powered(cluster)
        return tuple(EndMarked(node, self._mark) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """They end with us, too."""
        command = ("sh", "-c", _BUSY, self._mark)
        for node in self.targets:
            self._processes += [await cluster.engine.spawn(node, command) for _ in range(self._loops)]

    async def see(self, cluster: Cluster) -> Seen:
        """Who runs, and how much each node uses in a window."""
        powered = [node for node in self.targets if cluster.is_up(node)]
        before_s = {node: cluster.engine.cpu_used_s(node) for node in powered}
        await asyncio.sleep(_WINDOW_S)
        running = {node: self._running(cluster, node) for node in powered}
        used_s = {node: cluster.engine.cpu_used_s(node) - before_s[node] for node in powered}
        told = ", ".join(
            f"{node}: {running[node]} loops, {used_s[node] / _WINDOW_S:.2f} processors" for node in powered
        )
        if not any(running.values()):
            return Seen(Effect.NONE, told)
        busy = all(running[node] == self._loops and used_s[node] > _SHARE * _WINDOW_S for node in powered)
        return Seen(Effect.ALL if busy else Effect.SOME, told)

    def _running(self, cluster: Cluster, node: str) -> int:
        # The mark is also a word of what started a loop, for a moment.
        words = (one.words for one in inside_of(cluster, node).processes())
        return sum(self._mark in line and line[0] in ("sh", "/bin/sh") for line in words)

    async def end(self, cluster: Cluster) -> None:
        """They are killed by what undoes it."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self._processes.clear()
