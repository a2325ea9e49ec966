"""Nodes are slow."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.limits import is_limited, limit, refusals
from harness.fault import Effect, Seen
from harness.faults.controllers import without_controller
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import OnNodes, judged, whom
from harness.healing import HealAction, LiftLimit, group_of

_PERIOD_US = 100_000
_PROBE = ("timeout", "0.35", "sh", "-c", "while :; do :; done")


@fault(
    family="process",
    example="n2 --share 0.1",
    proof="the kernel counts how often it held the node's processes up, while a loop of ours in the node tries to run",
)
class Slow(OnNodes):
    """The processes of a node get only a share of one processor between them: in each tenth of a second they stand
    still once it is used up."""

    def __init__(
        self, nodes: Nodes, share: Annotated[float, Quantity("of a processor", 0.02, 1.0, "how much they get")] = 0.1
    ) -> None:
        self._whom = whom(nodes)
        self._share = share

    def lacks(self, cluster: Cluster) -> str | None:
        """A controller of the control groups."""
        return without_controller(cluster, "cpu")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power."""
        self.targets = self._powered(cluster)
        return tuple(LiftLimit(node, "cpu") for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Set the quota."""
        for node in self.targets:
            limit(group_of(cluster.life.machines.run, node), "cpu", round(self._share * _PERIOD_US))

    async def see(self, cluster: Cluster) -> Seen:
        """Have each node something to do for a moment, and see how often it was held up."""
        run = cluster.life.machines.run
        powered = [node for node in self.targets if cluster.is_up(node)]
        groups = {node: group_of(run, node) for node in powered}
        before = {node: (refusals(group, "cpu"), cluster.engine.cpu_used_s(node)) for node, group in groups.items()}
        await asyncio.gather(*(cluster.engine.exec(node, _PROBE) for node in powered))
        held = {node: refusals(group, "cpu") - before[node][0] for node, group in groups.items()}
        used_s = {node: cluster.engine.cpu_used_s(node) - before[node][1] for node in powered}
        told = ", ".join(f"{node} was held up {held[node]} times and ran for {used_s[node]:.3f} s" for node in powered)
        slow = [node for node, group in groups.items() if held[node] and is_limited(group, "cpu")]
        if not slow and any(held.values()):
            return Seen(Effect.SOME, told)
        return judged(len(slow), len(powered), told)
