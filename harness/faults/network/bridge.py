"""Two halves that only one node sees."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow, partition
from harness.faults.cutting import Cutting
from harness.faults.declaration import fault


@fault(family="network", example="", proof="canaries between the halves are lost, and its rules count them")
class Bridge(Cutting):
    """The nodes in two halves that do not see each other, and one node between them that sees all."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A third node, maybe."""
        return None if len(cluster.topology.nodes) > 2 else "a bridge takes three nodes at least: take such a topology"

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        names = list(cluster.topology.node_names)
        cluster.random.shuffle(names)
        bridge, *others = names
        groups = [sorted(others[: len(others) // 2]), sorted(others[len(others) // 2 :])]
        return (*("+".join(group) for group in groups), f"over {bridge}"), partition(*groups)
