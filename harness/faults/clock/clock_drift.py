"""A clock runs at the wrong speed."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.clocks import OnClock, is_near
from harness.faults.declaration import Choice, Nodes, Quantity, fault
from harness.faults.declared import whom

_WINDOW_S, _LONGEST_S = 0.2, 2.0
_SURE = 4
"""Times the error that a drift has to be, to be told from none."""


@fault(
    family="clock",
    example="n2 --ppm 50000 --way fast",
    proof="what the node's clock gains on the host's in a stretch of time, with its error",
)
class ClockDrift(OnClock):
    """The clocks of nodes run too fast or too slow: the time of day, and what measures spans of time as well.

    The kernel does it (adjtimex), as when NTP corrects a clock: 100 ppm are as bad as crystals get, 50,000 make every
    timer of a minute end three seconds early.
    """

    def __init__(
        self,
        nodes: Nodes,
        ppm: Annotated[int, Quantity("millionths", 5_000, 99_000, "how much too fast or too slow")] = 50_000,
        way: Annotated[str, Choice(("fast", "slow"), "which of the two")] = "fast",
    ) -> None:
        self._whom = whom(nodes)
        self._ppm = ppm if way == "fast" else -ppm

    async def inject(self, cluster: Cluster) -> None:
        """Have each kernel's ticks count for more or less."""
        for node in self.targets:
            await asyncio.to_thread(self._clock(cluster, node).pace, self._ppm)

    async def see(self, cluster: Cluster) -> Seen:
        """Compare each clock with ours twice, so far apart that a drift like this would show."""
        first, gained = await self._ahead(cluster), {}
        for _ in range(round(_LONGEST_S / _WINDOW_S)):
            await asyncio.sleep(_WINDOW_S)
            last = await self._ahead(cluster)
            for node in first.keys() & last.keys():
                span_s = last[node].at_s - first[node].at_s
                error_s = first[node].error_s + last[node].error_s
                gained[node] = (
                    (last[node].ahead_s - first[node].ahead_s) / span_s * 1e6,
                    error_s / span_s * 1e6,
                )
            if all(_SURE * error < abs(self._ppm) for _, error in gained.values()):
                break
        told = ", ".join(f"{node} {ppm:+.0f} ppm (within {error:.0f})" for node, (ppm, error) in gained.items())
        told = f"gained on the host's clock: {told or 'no node has power'}"
        unsure = abs(self._ppm) / _SURE
        if gained and all(abs(ppm - self._ppm) <= unsure + error for ppm, error in gained.values()):
            return Seen(Effect.ALL, told)
        steady = all(abs(ppm) <= unsure + error for ppm, error in gained.values())
        return Seen(Effect.NONE if steady and all(is_near(one, 0.0) for one in last.values()) else Effect.SOME, told)
