"""A daemon hangs."""

import asyncio
import signal
from collections.abc import Iterable

from harness.cluster import Cluster
from harness.engines.inside import NodeProcess
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import fault
from harness.faults.declared import judged
from harness.healing import ContinueProcess, HealAction

WINDOW_S = 0.05


@fault(
    family="process",
    example="n2 redis-server",
    proof="the kernel calls each process stopped, and it uses no processor time over 50 ms",
)
class Suspend(OnDaemon):
    """One daemon of the nodes is stopped (SIGSTOP) while everything around it lives on: a hang."""

    gone_within_s = 2.0

    def _heals(
        self, cluster: Cluster, node: str, process: NodeProcess, among: Iterable[NodeProcess]
    ) -> tuple[HealAction, ...]:
        return (ContinueProcess(node, process.pid, process.start_ticks),)

    async def inject(self, cluster: Cluster) -> None:
        """Send SIGSTOP."""
        self._send(cluster, signal.SIGSTOP)

    async def see(self, cluster: Cluster) -> Seen:
        """The state of each process that still lives, and the processor time it uses in a window."""
        before = self._alive(cluster)
        await asyncio.sleep(WINDOW_S)
        after = {(node, one.pid): one for node, one in self._alive(cluster)}
        stopped = [(was, after[place]) for node, was in before if (place := (node, was.pid)) in after]
        stopped = [(was, now) for was, now in stopped if now.state == "T"]
        still = [now for was, now in stopped if now.processor_s <= was.processor_s]
        told = f"{len(stopped)} of {len(before)} processes of {self._daemon} on {', '.join(self.targets)} are stopped"
        return judged(len(stopped) + len(still), 2 * len(before), f"{told}, {len(still)} without processor time")
