"""A site comes back little by little."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.layout import Flow, cut_site
from harness.faults.cutting import Cutting
from harness.faults.declaration import Quantity, Sites, fault
from harness.faults.select import sites_called

_LOST_PERCENT = (80, 60, 40, 20)


@fault(
    family="network",
    example="dijon --over 0.5",
    proof="canaries across the cut are lost, and its rules count them; after the heal all arrive",
)
class SlowHeal(Cutting):
    """Sites are cut off as by cut-site; the heal lets through a fifth, then two, then three, then four, then all."""

    def __init__(
        self, sites: Sites, over_s: Annotated[float, Quantity("s", 0.1, 120.0, "how long the heal takes")] = 5.0
    ) -> None:
        self._sites = sites_called(sites) if isinstance(sites, str) else sites
        self._over_s = over_s
        self._over = False

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        sites = self._sites(cluster)
        return sites, tuple(flow for site in sites for flow in cut_site(cluster.topology, site))

    async def end(self, cluster: Cluster) -> None:
        """Lose less and less."""
        if self._cut is None or self._over:
            return
        self._over = True
        for percent in _LOST_PERCENT:
            cluster.fabric.cut(self._table, self._flows, f"numgen random mod 100 < {percent}")
            await asyncio.sleep(self._over_s / len(_LOST_PERCENT))
