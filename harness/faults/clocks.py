"""What faults of clocks share: nodes whose time of day is nobody else's, compared with this host's."""

import asyncio

from harness.cluster import Cluster
from harness.engines.uml.wall_clock import Ahead, WallClock
from harness.fault import Effect, Seen
from harness.faults.declared import OnNodes
from harness.faults.kernels import inside_of, needs_own_kernel, without_own_kernel
from harness.healing import HealAction, SetClock

RIGHT_WITHIN_S = 0.1
"""On a busy host an answer is under way for some of it."""


class OnClock(OnNodes):
    """A fault of the clocks of nodes; healing sets them right, and lets them run as they should."""

    bites_within_s = 5.0

    def lacks(self, cluster: Cluster) -> str | None:
        """A clock that is a node's own."""
        return without_own_kernel(cluster, "the clock")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power, and a clock of their own."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            needs_own_kernel(cluster, node, "its clock is the host's")
        return tuple(SetClock(node) for node in self.targets)

    async def _ahead(self, cluster: Cluster) -> dict[str, Ahead]:
        """How far each of the nodes that have power is ahead of this host."""
        clocks = {node: self._clock(cluster, node) for node in self.targets if cluster.is_up(node)}
        found = await asyncio.gather(*(asyncio.to_thread(clock.ahead) for clock in clocks.values()))
        return dict(zip(clocks, found, strict=True))

    def _clock(self, cluster: Cluster, node: str) -> WallClock:
        return WallClock(inside_of(cluster, node).pid)


class SetWrong(OnClock):
    """The clocks are set, once, to so much more or less than they should show."""

    _ahead_s: float

    async def inject(self, cluster: Cluster) -> None:
        """Set them, one after the other."""
        for node in self.targets:
            await asyncio.to_thread(self._clock(cluster, node).set, self._ahead_s)

    async def see(self, cluster: Cluster) -> Seen:
        """Ask each node for the time."""
        found = await self._ahead(cluster)
        wrong = [one for one in found.values() if is_near(one, self._ahead_s)]
        right = [one for one in found.values() if is_near(one, 0.0)]
        told = "ahead of the host: " + (
            ", ".join(f"{node} {one}" for node, one in found.items()) or "no node with power"
        )
        if found and len(wrong) == len(found):
            return Seen(Effect.ALL, told)
        return Seen(Effect.NONE if len(right) == len(found) else Effect.SOME, told)


def is_near(one: Ahead, wanted_s: float) -> bool:
    """Whether a clock shows what it should, as far as that can be told."""
    return abs(one.ahead_s - wanted_s) <= RIGHT_WITHIN_S + one.error_s
