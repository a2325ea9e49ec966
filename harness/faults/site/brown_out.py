"""A site comes and goes, at random."""

import asyncio
from contextlib import suppress
from typing import Annotated

from harness.clock import now_s
from harness.cluster import Cluster
from harness.fabric.layout import Flow, cut_site
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S, Cutting, listed
from harness.faults.declaration import Quantity, Sites, fault
from harness.faults.select import sites_called

_SHORTEST_S = 0.05


@fault(family="site", example="dijon --longest 0.3", proof="canaries across the site's border are lost, and arrive")
class BrownOut(Cutting):
    """Sites are cut off and let back, for stretches drawn with the run's seed, none longer than so many seconds."""

    _flickering: asyncio.Task[None] | None = None

    def __init__(
        self, sites: Sites, longest_s: Annotated[float, Quantity("s", 0.1, 60.0, "the longest stretch")] = 2.0
    ) -> None:
        self._sites = sites_called(sites) if isinstance(sites, str) else sites
        self._longest_s = longest_s
        self.bites_within_s = 4 * longest_s

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        sites = self._sites(cluster)
        return sites, tuple(flow for site in sites for flow in cut_site(cluster.topology, site))

    async def inject(self, cluster: Cluster) -> None:
        """Off at once; then on and off in a task of ours."""
        await super().inject(cluster)
        self._flickering = asyncio.create_task(self._flicker(cluster))

    async def _flicker(self, cluster: Cluster) -> None:
        while True:
            await asyncio.sleep(cluster.random.uniform(_SHORTEST_S, self._longest_s))
            cluster.fabric.heal(self._table)
            await asyncio.sleep(cluster.random.uniform(_SHORTEST_S, self._longest_s))
            self._cut = cluster.fabric.cut(self._table, self._flows)

    async def see(self, cluster: Cluster) -> Seen:
        """A pair of endpoints for somewhat more than the two longest stretches."""
        pairs = self._pairs(cluster)[:1]
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides to prove it with")
        until_s, came, was_lost = now_s() + 2.2 * self._longest_s, 0, 0
        while now_s() < until_s and not (came and was_lost):
            if await self._lost(cluster, pairs):
                was_lost += 1
            else:
                came += 1
            await asyncio.sleep(CANARY_LOST_AFTER_S)
        told = f"canaries from {listed(pairs)}: {came} arrived, {was_lost} did not"
        return Seen(Effect.NONE if not was_lost else Effect.ALL if came else Effect.SOME, told)

    async def end(self, cluster: Cluster) -> None:
        """Stop, wherever it is."""
        if self._flickering is not None:
            self._flickering.cancel()
            with suppress(asyncio.CancelledError):
                await self._flickering
