"""Nodes stand still."""

import asyncio

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.declaration import fault
from harness.faults.declared import OnNodes, judged
from harness.healing import HealAction, ResumeNode, group_of
from harness.wait import together

WINDOW_S = 0.05


@fault(
    family="process",
    example="n1,n2",
    proof="the kernel calls the nodes' control groups frozen, and they use no processor time at all over 50 ms",
)
class Freeze(OnNodes):
    """Every process of the nodes stops where it is, as in a paused virtual machine; their kernel goes on answering."""

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power."""
        self.targets = self._powered(cluster)
        return tuple(ResumeNode(node) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Freeze all targets together."""
        await together(*(cluster.engine.pause(node) for node in self.targets))

    async def see(self, cluster: Cluster) -> Seen:
        """What each control group is said to be, and the processor time that it uses in a window."""
        before_s = {node: cluster.engine.cpu_used_s(node) for node in self.targets}
        await asyncio.sleep(WINDOW_S)
        run = cluster.life.machines.run
        frozen = [node for node in self.targets if group_of(run, node).frozen()]
        spent_s = {node: cluster.engine.cpu_used_s(node) - used_s for node, used_s in before_s.items()}
        still = [node for node in frozen if spent_s[node] <= 0]
        told = f"frozen: {', '.join(frozen) or 'none'}; without any processor time in {WINDOW_S * 1000:.0f} ms: "
        # A node without work to do may use none either: it runs when it is not called frozen.
        return judged(len(frozen) + len(still), 2 * len(self.targets), told + (", ".join(still) or "none"))
