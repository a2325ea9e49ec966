"""Packets overtake each other."""

import math
from collections.abc import Sequence
from typing import Annotated

from harness.character import Character
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.shaping import OnCables, judged_share

_EVERY_S = 0.001
_OVERTAKERS_AT_LEAST = 20


@fault(
    family="network",
    example="n2 --percent 25 --latency-ms 20",
    proof="of many canaries, there and back, about this share arrives before some that were sent earlier",
)
class Reorder(OnCables):
    """Each packet to and from nodes waits, one way, but for some: they do not, and overtake those that do."""

    def __init__(
        self,
        nodes: Nodes,
        percent: Annotated[float, Quantity("%", 1.0, 50.0, "how many of a hundred overtake")] = 10.0,
        latency_ms: Annotated[float, Quantity("ms", 10.0, 1000.0, "how long the others wait")] = 20.0,
    ) -> None:
        self._whom = whom(nodes)
        self._share = percent / 100
        self._character = Character(latency_ms=latency_ms, reordering_percent=percent)
        count = math.ceil(max(100, _OVERTAKERS_AT_LEAST / self._share))
        self.train = Train(count, _EVERY_S, last_within_s=latency_ms / 1000)
        self.bites_within_s += 2 * count * _EVERY_S

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        overtakers, oldest = 0, math.inf
        for one in reversed(arrived):
            overtakers += one.number > oldest
            oldest = min(oldest, one.number)
        told = f"of {len(arrived)} canaries {overtakers} overtook others"
        return judged_share(overtakers, len(arrived), self._share), told
