"""Packets take longer, each by another time."""

import statistics
from collections.abc import Sequence
from typing import Annotated

from harness.character import Character
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.shaping import OnCables

_CANARIES = 16
_SHOWN, _NOT_SHOWN = 0.15, 0.05
"""Of the spread, between the first and the last quartile: evenly drawn it would be half, and who waits for the one
before him makes it less."""


@fault(
    family="network",
    example="n2 --spread-ms 40",
    proof="the times that canaries are on their way, there and back, are far apart",
)
class Jitter(OnCables):
    """Each packet to and from nodes waits for a time of its own, from none to the spread, evenly drawn.

    Nobody overtakes: whoever is quicker than the one before him waits for him, as in the queues of a real route.
    """

    def __init__(
        self,
        nodes: Nodes,
        spread_ms: Annotated[float, Quantity("ms", 10.0, 2000.0, "the longest that one waits, one way")] = 50.0,
    ) -> None:
        self._whom = whom(nodes)
        self._spread_s = spread_ms / 1000
        self._character = Character(latency_ms=spread_ms / 2, jitter_ms=spread_ms / 2)
        self.train = Train(_CANARIES, self._spread_s / 2, last_within_s=self._spread_s)
        self.bites_within_s += _CANARIES * self._spread_s

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        delays_s = [one.delay_s for one in arrived]
        if len(delays_s) < _CANARIES // 2:
            return Effect.SOME, f"of {_CANARIES} canaries only {len(delays_s)} arrived"
        first_s, _, last_s = statistics.quantiles(delays_s, n=4)
        told = f"half of the canaries are between {first_s * 1000:.1f} and {last_s * 1000:.1f} ms on their way"
        besides_s = on_the_way.longest_s - on_the_way.latency_s
        if last_s - first_s >= _SHOWN * self._spread_s:
            return Effect.ALL, told
        return (Effect.NONE if last_s - first_s < _NOT_SHOWN * self._spread_s + besides_s else Effect.SOME), told
