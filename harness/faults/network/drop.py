"""One direction is lost."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow, drop
from harness.faults.cutting import Cutting
from harness.faults.declaration import Endpoint, fault


@fault(family="network", example="n1 n3", proof="canaries in this direction are lost, and its rule counts them")
class Drop(Cutting):
    """One way only: what SOURCE sends no longer reaches DESTINATION."""

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        self._ends = (source, destination)

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        for name in self._ends:
            cluster.topology.place_of(name)
        return self._ends, drop(*self._ends)
