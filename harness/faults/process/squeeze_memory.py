"""A node runs out of memory, and its kernel kills."""

import asyncio
from pathlib import Path
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.limits import in_use, is_limited, limit, refusals
from harness.errors import EngineError
from harness.fault import Effect, Seen
from harness.faults.controllers import without_controller
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import Daemon, Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.kernels import needs_hosts_kernel, without_hosts_kernel
from harness.healing import HealAction, LiftLimit, RunInNode, group_of

_FILE = "/dev/shm/harness-squeeze"
_STEP_BYTES = 4 << 20
_STEPS = 200
_KERNEL_TOO = "the memory of all that runs there is that kernel's, which the host's would kill"


@fault(
    family="process",
    example="n2 redis-server",
    proof="the kernel counts a process that it killed for want of memory, and the daemon's processes are gone",
)
class SqueezeMemory(OnDaemon):
    """A node gets no more memory than it uses, and a little; then that is used up, and its kernel kills the daemon.

    The daemon is made the one that the kernel chooses (oom_score_adj). Healing gives the memory back, and starts the
    daemon as the node's boot did, unless something else has.
    """

    bites_within_s = 5.0

    def __init__(
        self,
        nodes: Nodes,
        daemon: Daemon,
        spare_bytes: Annotated[int, Quantity("bytes", 0, 1 << 30, "how much it gets beyond what it uses")] = 8 << 20,
    ) -> None:
        self._whom = whom(nodes)
        self._daemon = daemon
        self._spare_bytes = spare_bytes
        self._before: dict[str, int] = {}

    def lacks(self, cluster: Cluster) -> str | None:
        """A controller of the control groups; and a kernel of its own would be what the host's kills."""
        return without_hosts_kernel(cluster, _KERNEL_TOO) or without_controller(cluster, "memory")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Memory first, then the daemon that needs it."""
        starts = super().aim(cluster)
        for node in self.targets:
            needs_hosts_kernel(cluster, node)
        lifts = tuple(LiftLimit(node, "memory") for node in self.targets)
        return (*lifts, *(RunInNode(node, ("rm", "-f", _FILE)) for node in self.targets), *starts)

    async def inject(self, cluster: Cluster) -> None:
        """Limit it, and use up what is left until the kernel has killed."""
        for _, one in self._processes:
            Path(f"/proc/{one.pid}/oom_score_adj").write_text("1000")
        await asyncio.gather(*(self._squeeze(cluster, node) for node in self.targets))

    async def _squeeze(self, cluster: Cluster, node: str) -> None:
        group = group_of(cluster.life.machines.run, node)
        self._before[node] = refusals(group, "memory")
        limit(group, "memory", in_use(group, "memory") + self._spare_bytes)
        eat = ("sh", "-c", f"head -c {_STEP_BYTES} /dev/zero >> {_FILE}")
        for _ in range(_STEPS):
            if refusals(group, "memory") > self._before[node]:
                return
            try:
                await cluster.engine.exec(node, eat)
            except EngineError:  # what ate was killed as well, or its node was
                continue

    async def see(self, cluster: Cluster) -> Seen:
        """What the kernel has counted, and who is gone; afterwards, whether the daemon runs and has its memory."""
        seen = self._dead_or_back(cluster, "the kernel, for want of memory")
        run = cluster.life.machines.run
        if self._over:
            limited = [node for node in self.targets if is_limited(group_of(run, node), "memory")]
            return Seen(Effect.SOME, f"{', '.join(limited)} is short of memory still") if limited else seen
        counted = {
            node: refusals(group_of(run, node), "memory") - self._before.get(node, 0) if self._before else 0
            for node in self.targets
        }
        told = f"{seen.evidence}; killed for want of memory, as counted: {sum(counted.values())}"
        if seen.effect is Effect.ALL and not all(counted.values()):
            return Seen(Effect.SOME, told)
        return Seen(seen.effect, told)
