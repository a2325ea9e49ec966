"""A site comes and goes, at random."""

from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.layout import Flow, cut_site
from harness.faults.declaration import Quantity, Sites, fault
from harness.faults.flickering import Flickering
from harness.faults.select import sites_called

_SHORTEST_S = 0.05


@fault(family="site", example="dijon --longest 0.3", proof="canaries across the site's border are lost, and arrive")
class BrownOut(Flickering):
    """Sites are cut off and let back, for stretches drawn with the run's seed, none longer than so many seconds."""

    def __init__(
        self, sites: Sites, longest_s: Annotated[float, Quantity("s", 0.1, 60.0, "the longest stretch")] = 2.0
    ) -> None:
        self._sites = sites_called(sites) if isinstance(sites, str) else sites
        self.longest_s = longest_s
        self.bites_within_s = 4 * longest_s

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        sites = self._sites(cluster)
        return sites, tuple(flow for site in sites for flow in cut_site(cluster.topology, site))

    def _next_s(self, cluster: Cluster) -> float:
        return cluster.random.uniform(_SHORTEST_S, self.longest_s)
