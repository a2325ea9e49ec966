"""A clock jumps to and fro."""

import asyncio
from contextlib import suppress
from typing import Annotated

from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import EngineError
from harness.fault import Effect, Seen
from harness.faults.clocks import OnClock, is_near
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom

_LOOK_EVERY_S = 0.02


@fault(
    family="clock",
    example="n2 --by 600 --period 0.6",
    proof="the node's clock is seen ahead of the host's by so much, and then right, or the other way round",
)
class ClockStrobe(OnClock):
    """The clocks of nodes are set forward for half of each period, and right for the other half."""

    _setting: asyncio.Task[None] | None = None

    def __init__(
        self,
        nodes: Nodes,
        by_s: Annotated[float, Quantity("s", 1.0, 315_360_000.0, "by how much")] = 600.0,
        period_s: Annotated[float, Quantity("s", 0.2, 60.0, "from one jump forward to the next")] = 2.0,
    ) -> None:
        self._whom = whom(nodes)
        self._over = asyncio.Event()
        self._by_s, self._half_s = by_s, period_s / 2
        self.bites_within_s = 5.0 + 2 * period_s

    async def inject(self, cluster: Cluster) -> None:
        """Forward at once; then to and fro until we are stopped, or dead."""
        await self._set(cluster, self._by_s)
        self._setting = asyncio.create_task(self._strobe(cluster))

    async def _strobe(self, cluster: Cluster) -> None:
        ahead_s = self._by_s
        while not await self._is_over_within(self._half_s):
            ahead_s = self._by_s - ahead_s
            with suppress(EngineError):  # one may lose its power meanwhile
                await self._set(cluster, ahead_s)

    async def _is_over_within(self, within_s: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), within_s)
        return self._over.is_set()

    async def _set(self, cluster: Cluster, ahead_s: float) -> None:
        for node in self.targets:
            if cluster.is_up(node):
                await asyncio.to_thread(self._clock(cluster, node).set, ahead_s)

    async def see(self, cluster: Cluster) -> Seen:
        """Ask until both was seen of each, or for somewhat more than a period."""
        until_s, wrong, right = now_s() + 2.2 * self._half_s, dict[str, int](), dict[str, int]()
        while now_s() < until_s and not (wrong.keys() & right.keys() and wrong.keys() == right.keys()):
            for node, one in (await self._ahead(cluster)).items():
                seen = right if is_near(one, 0.0) else wrong
                seen[node] = seen.get(node, 0) + 1
            await asyncio.sleep(_LOOK_EVERY_S)
        nodes = sorted(wrong.keys() | right.keys())
        told = ", ".join(f"{node} {wrong.get(node, 0)} times wrong, {right.get(node, 0)} right" for node in nodes)
        if not wrong:
            return Seen(Effect.NONE, f"clocks: {told or 'no node has power'}")
        return Seen(Effect.ALL if wrong.keys() == right.keys() else Effect.SOME, f"clocks: {told}")

    async def end(self, cluster: Cluster) -> None:
        """Stop, once what is being set is set: what undoes it sets them right."""
        self._over.set()
        if self._setting is not None:
            await self._setting
