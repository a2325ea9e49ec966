"""A link comes and goes, regularly."""

import asyncio
from contextlib import suppress
from typing import Annotated

from harness.clock import now_s
from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S, CutOff, listed
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom


@fault(family="network", example="n2 --period 0.4", proof="canaries are lost, and arrive, and are lost again")
class Flap(CutOff):
    """Nodes are cut off for half of each period, and have their network for the other half."""

    _flapping: asyncio.Task[None] | None = None

    def __init__(
        self, nodes: Nodes, period_s: Annotated[float, Quantity("s", 0.2, 60.0, "from one loss to the next")] = 2.0
    ) -> None:
        self._whom = whom(nodes)
        self._period_s = period_s
        self.bites_within_s = 2 * period_s

    async def inject(self, cluster: Cluster) -> None:
        """Down at once; then up and down in a task of ours."""
        await super().inject(cluster)
        self._flapping = asyncio.create_task(self._flap(cluster))

    async def _flap(self, cluster: Cluster) -> None:
        while True:
            await asyncio.sleep(self._period_s / 2)
            cluster.fabric.heal(self._table)
            await asyncio.sleep(self._period_s / 2)
            self._cut = cluster.fabric.cut(self._table, self._flows)

    async def see(self, cluster: Cluster) -> Seen:
        """A pair of endpoints for somewhat more than a period."""
        pairs = self._pairs(cluster)[:1]
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides to prove it with")
        until_s, came, was_lost = now_s() + 1.2 * self._period_s, 0, 0
        while now_s() < until_s:
            if await self._lost(cluster, pairs):
                was_lost += 1
            else:
                came += 1
            await asyncio.sleep(CANARY_LOST_AFTER_S)
        told = f"canaries from {listed(pairs)} in {1.2 * self._period_s:g} s: {came} arrived, {was_lost} did not"
        return Seen(Effect.NONE if not was_lost else Effect.ALL if came else Effect.SOME, told)

    async def end(self, cluster: Cluster) -> None:
        """Stop, wherever it is."""
        if self._flapping is not None:
            self._flapping.cancel()
            with suppress(asyncio.CancelledError):
                await self._flapping
