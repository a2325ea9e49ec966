"""The WAN is down."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow, wan_down
from harness.faults.cutting import Cutting
from harness.faults.declaration import fault


@fault(family="network", example="", proof="canaries between the sites are lost, and its rules count them")
class WanDown(Cutting):
    """All sites from each other; clients on the hub still reach each of them."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A second site, maybe."""
        return None if len(cluster.topology.site_names) > 1 else "the topology has one site: take one with several"

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        return cluster.topology.site_names, wan_down(cluster.topology)
