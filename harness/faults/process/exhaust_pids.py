"""A node can start nothing any more."""

from harness.cluster import Cluster
from harness.engines.limits import in_use, is_limited, limit, refusals
from harness.fault import Effect, Seen
from harness.faults.controllers import without_controller
from harness.faults.daemons import start_what_booted
from harness.faults.declaration import fault
from harness.faults.declared import OnNodes, judged
from harness.faults.kernels import needs_hosts_kernel, without_hosts_kernel
from harness.healing import HealAction, LiftLimit, group_of

_KERNEL_TOO = "each of its processes is one of the host's, without which that kernel ends"


@fault(
    family="process",
    example="n2",
    proof="the kernel counts that it refused the node a process, and a command of ours cannot be started there",
)
class ExhaustPids(OnNodes):
    """The nodes have all the processes that they may have: what runs goes on, and can start nothing, no thread.

    Some programs end when they cannot have a thread. Healing starts them again as the node's boot did, unless something
    else has.
    """

    def lacks(self, cluster: Cluster) -> str | None:
        """A controller of the control groups; and a kernel of its own could not go on itself."""
        return without_hosts_kernel(cluster, _KERNEL_TOO) or without_controller(cluster, "pids")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            needs_hosts_kernel(cluster, node)
        starts = [start for node in self.targets for start in start_what_booted(cluster, node)]
        return (*(LiftLimit(node, "pids") for node in self.targets), *starts)

    async def inject(self, cluster: Cluster) -> None:
        """Fewer than there are: what ends makes no room either."""
        for node in self.targets:
            limit(group_of(cluster.life.machines.run, node), "pids", 1)

    async def see(self, cluster: Cluster) -> Seen:
        """Try to start something."""
        run, told, refused = cluster.life.machines.run, [], 0
        powered = [node for node in self.targets if cluster.is_up(node)]
        for node in powered:
            group = group_of(run, node)
            before = refusals(group, "pids")
            done = await cluster.engine.exec(node, ("true",))
            counted = refusals(group, "pids") - before
            refused += (done.exit_code != 0) + (counted > 0)
            told.append(
                f"{node} has {in_use(group, 'pids')} processes; a command "
                + (f"could not be started, {counted} refused" if done.exit_code else "could be started")
            )
        if refused == 0 and any(is_limited(group_of(run, node), "pids") for node in powered):
            return Seen(Effect.SOME, "; ".join(told))
        return judged(refused, 2 * len(powered), "; ".join(told))
