"""A site is cut off."""

from harness.cluster import Cluster
from harness.fabric.layout import Flow, cut_site
from harness.faults.cutting import Cutting
from harness.faults.declaration import Sites, fault
from harness.faults.select import sites_called


@fault(family="network", example="dijon", proof="canaries across the cut are lost, and its rules count them")
class CutSite(Cutting):
    """These sites, each from all other sites and from the clients on the WAN."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites_called(sites) if isinstance(sites, str) else sites

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        sites = self._sites(cluster)
        return sites, tuple(flow for site in sites for flow in cut_site(cluster.topology, site))
