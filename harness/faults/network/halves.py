"""The nodes fall into two halves."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow, partition
from harness.faults.cutting import Cutting
from harness.faults.declaration import fault


@fault(family="network", example="", proof="canaries between the halves are lost, and its rules count them")
class Halves(Cutting):
    """The nodes in two halves, as even as can be, drawn with the run's seed; clients reach everybody."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A second node, maybe."""
        return None if len(cluster.topology.nodes) > 1 else "the topology has one node: take one with two at least"

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        names = list(cluster.topology.node_names)
        cluster.random.shuffle(names)
        groups = [sorted(names[: len(names) // 2]), sorted(names[len(names) // 2 :])]
        return tuple("+".join(group) for group in groups), partition(*groups)
