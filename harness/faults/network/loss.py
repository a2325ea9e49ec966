"""Some packets are lost."""

import math
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.cutting import CutOff
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom

_LOST_AT_LEAST = 40
"""Enough to tell a share from none, and from all."""
_ROUNDS = 3
_SIGMAS = 5.0


@fault(family="network", example="n2 --percent 20", proof="of many canaries about this share is lost")
class Loss(CutOff):
    """Each packet to and from nodes is lost with this probability, whatever became of the one before."""

    def __init__(
        self, nodes: Nodes, percent: Annotated[float, Quantity("%", 1.0, 99.0, "how many of a hundred are lost")] = 10.0
    ) -> None:
        self._whom = whom(nodes)
        self._percent = percent

    def _only(self) -> str:
        return f"numgen random mod 10000 < {round(self._percent * 100)}"

    async def see(self, cluster: Cluster) -> Seen:
        """A flock of canaries between one pair."""
        pairs = self._pairs(cluster)
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides to prove it with")
        share = self._percent / 100
        count = math.ceil(max(200, _LOST_AT_LEAST / share))
        lost = count - await cluster.fabric.flock(*pairs[0], count)
        evidence = (
            f"of {count} canaries from {pairs[0][0]} to {pairs[0][1]} {lost} were lost ({100 * lost / count:.1f} %)"
        )
        links = cluster.fabric.shaping.on_the_way(*pairs[0]).lost_share
        if lost <= count * links + _SIGMAS * math.sqrt(count * links * (1 - links)):  # without links just 0
            return Seen(Effect.NONE, evidence)
        share += links * (1 - share)
        as_asked = abs(lost - count * share) <= _SIGMAS * math.sqrt(count * share * (1 - share))
        return Seen(Effect.ALL if as_asked else Effect.SOME, evidence)
