"""What cuts that come and go share: a task of ours makes and heals them, and canaries are lost, and arrive."""

import asyncio
from contextlib import suppress

from harness.clock import now_s
from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S, Cutting, listed


class Flickering(Cutting):
    """A kind of it says how long each stretch lasts, with the cut and without."""

    longest_s: float
    _flickering: asyncio.Task[None] | None = None

    def _next_s(self, cluster: Cluster) -> float:
        """How long the next stretch lasts; never longer than ``longest_s``."""
        raise NotImplementedError

    async def inject(self, cluster: Cluster) -> None:
        """Off at once; then on and off, until we are stopped, or dead."""
        await super().inject(cluster)
        self._flickering = asyncio.create_task(self._flicker(cluster))

    async def _flicker(self, cluster: Cluster) -> None:
        while True:
            await asyncio.sleep(self._next_s(cluster))
            cluster.fabric.heal(self._table)
            await asyncio.sleep(self._next_s(cluster))
            self._cut = cluster.fabric.cut(self._table, self._flows)

    async def see(self, cluster: Cluster) -> Seen:
        """A pair of endpoints, until both was seen, or for somewhat more than two stretches."""
        pairs = self._pairs(cluster)[:1]
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides to prove it with")
        until_s, came, was_lost = now_s() + 2.2 * self.longest_s, 0, 0
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
