"""A node is short of memory, and lives on."""

import asyncio
import os
from asyncio.subprocess import Process
from contextlib import suppress
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.cgroup import Cgroup
from harness.engines.limits import is_limited, kept_bytes, limit, refusals
from harness.errors import EngineError
from harness.fault import Effect, Seen
from harness.faults.controllers import without_controller
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import OnNodes, whom
from harness.faults.kernels import needs_hosts_kernel, without_hosts_kernel
from harness.healing import EndMarked, HealAction, LiftLimit, RunInNode, group_of
from harness.wait import finished

_KERNEL_TOO = "the memory of all that runs there is that kernel's"
_EVERY_S = 0.05
_WINDOW_S = 0.2
# A file of nothing takes no room on a disk, and memory all the same. Should somebody have to be killed, then who reads.
_READ = """echo 1000 > /proc/self/oom_score_adj
truncate -s "$1" "$2"
while :; do dd if="$2" of=/dev/null bs=64k 2> /dev/null; sleep 0.01; done
"""


@fault(
    family="resources",
    example="n2 --spare-bytes 16777216",
    proof="the kernel counts pages of files that it took from the node and that are needed again, within 200 ms,"
    " and has killed nobody",
)
class MemoryPressure(OnNodes):
    """A node has hardly more memory than it cannot give back, and its kernel takes all the rest back again and again.

    A reader in the node wants more than what is spare, so copies of files, programs among them, have to be read anew
    each time. What is spare is kept so while the node comes to need more or less: nobody is killed, unless one takes
    all of it within a twentieth of a second.
    """

    bites_within_s = 10.0

    def __init__(
        self,
        nodes: Nodes,
        spare_bytes: Annotated[
            int, Quantity("bytes", 8 << 20, 1 << 28, "how much it gets beyond what it cannot give back")
        ] = 16 << 20,
    ) -> None:
        self._whom = whom(nodes)
        self._spare_bytes = spare_bytes
        self._mark = f"harness-memory-{os.getpid()}-{id(self)}"
        self._file = f"/var/tmp/{self._mark}"
        self._readers: dict[str, Process] = {}
        self._killed_before: dict[str, int] = {}
        self._following: asyncio.Task[None] | None = None

    def lacks(self, cluster: Cluster) -> str | None:
        """A controller of the control groups; a node's own kernel has none of its memory in one."""
        return without_hosts_kernel(cluster, _KERNEL_TOO) or without_controller(cluster, "memory-soft")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Memory first."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            needs_hosts_kernel(cluster, node)
        lifts = (LiftLimit(node, "memory-soft") for node in self.targets)
        readers = (EndMarked(node, self._mark) for node in self.targets)
        return (*lifts, *readers, *(RunInNode(node, ("rm", "-f", self._file)) for node in self.targets))

    async def inject(self, cluster: Cluster) -> None:
        """Have somebody read, and limit what there is."""
        groups = {node: self._group(cluster, node) for node in self.targets}
        command = ("sh", "-c", _READ, self._mark, str(4 * self._spare_bytes), self._file)
        for node, group in groups.items():
            self._killed_before[node] = refusals(group, "memory")
            self._readers[node] = await cluster.engine.spawn(node, command)
        self._following = asyncio.create_task(self._follow(groups))

    async def _follow(self, groups: dict[str, Cgroup]) -> None:
        while True:
            for group in groups.values():
                with suppress(EngineError):  # what is in use at this moment cannot be taken back, or the node has gone
                    # To its end, also when we are to stop: it would limit again what has just been lifted.
                    await finished(asyncio.to_thread(self._limit, group))
            await asyncio.sleep(_EVERY_S)

    def _limit(self, group: Cgroup) -> None:
        limit(group, "memory-soft", kept_bytes(group) + self._spare_bytes)

    async def see(self, cluster: Cluster) -> Seen:
        """What the kernel counts in a window."""
        groups = {node: self._group(cluster, node) for node in self.targets if cluster.is_up(node)}
        before = {node: refusals(group, "memory-soft") for node, group in groups.items()}
        await asyncio.sleep(_WINDOW_S)
        again = {node: refusals(group, "memory-soft") - before[node] for node, group in groups.items()}
        limited = [node for node, group in groups.items() if is_limited(group, "memory-soft")]
        killed = {
            node: refusals(group, "memory") - self._killed_before.get(node, refusals(group, "memory"))
            for node, group in groups.items()
        }
        told = "; ".join(
            f"{node}: {again[node]} pages were needed again, {killed[node]} processes killed" for node in groups
        )
        if not limited:
            return Seen(Effect.NONE, told)
        short = [node for node in limited if again[node] and not killed[node]]
        return Seen(Effect.ALL if len(short) == len(self.targets) else Effect.SOME, told)

    async def end(self, cluster: Cluster) -> None:
        """Limit no more; who reads is killed by what undoes it, too."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for process in self._readers.values():
            if process.returncode is None:
                process.kill()
            await process.wait()
        self._readers.clear()

    def _group(self, cluster: Cluster, node: str) -> Cgroup:
        return group_of(cluster.life.machines.run, node)
