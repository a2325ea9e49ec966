"""Packets take longer."""

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

_ABOUT = 0.95


@fault(
    family="network",
    example="n2 --latency-ms 60",
    proof="canaries there and back are so much longer on their way, even the quickest",
)
class Delay(OnCables):
    """Each packet to and from nodes takes so much longer, one way; none is lost, none overtakes.

    A round trip takes twice as much longer.
    """

    def __init__(
        self,
        nodes: Nodes,
        latency_ms: Annotated[float, Quantity("ms", 5.0, 5000.0, "how much longer, one way")] = 100.0,
    ) -> None:
        self._whom = whom(nodes)
        self._latency_s = latency_ms / 1000
        self._character = Character(latency_ms=latency_ms)
        self.train = Train(10, 0.003, last_within_s=self._latency_s)
        self.bites_within_s += self._latency_s

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        delays_s = [one.delay_s - on_the_way.latency_s for one in arrived]
        told = f"{len(arrived)} canaries, {min(delays_s) * 1000:.1f} ms and more longer on their way"
        if min(delays_s) >= _ABOUT * self._latency_s - (on_the_way.longest_s - on_the_way.latency_s):
            return Effect.ALL, told
        return (Effect.NONE if statistics.median(delays_s) < self._latency_s / 2 else Effect.SOME), told
