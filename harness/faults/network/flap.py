"""A link comes and goes, regularly."""

from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.layout import Flow, isolate
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.flickering import Flickering


@fault(family="network", example="n2 --period 0.4", proof="canaries are lost, and arrive, and are lost again")
class Flap(Flickering):
    """Nodes are cut off for half of each period, and have their network for the other half."""

    def __init__(
        self, nodes: Nodes, period_s: Annotated[float, Quantity("s", 0.2, 60.0, "from one loss to the next")] = 2.0
    ) -> None:
        self._whom = whom(nodes)
        self.longest_s = period_s / 2
        self.bites_within_s = 2 * period_s

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        nodes = self._whom(cluster)
        return nodes, tuple(flow for name in nodes for flow in isolate(cluster.topology, name))

    def _next_s(self, cluster: Cluster) -> float:
        return self.longest_s
