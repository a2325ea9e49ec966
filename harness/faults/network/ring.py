"""Everybody hears a majority, and no two the same."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow
from harness.faults.cutting import Cutting
from harness.faults.declaration import fault


@fault(family="network", example="", proof="canaries that nobody should hear are lost, and its rules count them")
class Ring(Cutting):
    """Each node hears a majority, itself included, and no two the same: the nodes stand in a ring, drawn with the
    run's seed, and each hears those that come after it."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A third node, maybe."""
        return None if len(cluster.topology.nodes) > 2 else "a ring takes three nodes at least: take such a topology"

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        names = list(cluster.topology.node_names)
        cluster.random.shuffle(names)
        heard = len(names) // 2 + 1
        flows = []
        for place, name in enumerate(names):
            near = {names[(place + step) % len(names)] for step in range(heard)}
            flows.append(Flow(tuple(other for other in names if other not in near), (name,)))
        return tuple(names), tuple(flow for flow in flows if flow.sources)
