"""There is little bandwidth."""

from collections.abc import Sequence
from typing import Annotated

from harness.character import DEFAULT_QUEUE_PACKETS, MAX_QUEUE_PACKETS, Character
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.shaping import OnCables

_LENGTH_BYTES, _ETHERNET_BYTES = 1400, 14
_LASTS_S = 0.15
_AT_LEAST = 20
_HIGHEST, _LOWEST, _UNLIMITED = 1.15, 0.3, 1.5
"""Of the rate that was asked for: others send as well, and make it less for the canaries."""


@fault(
    family="network",
    example="n2 --mbit 5",
    proof="long canaries that are sent at once, there and back, arrive one after the other at this rate",
)
class Rate(OnCables):
    """What nodes send, and what is sent to them, passes at this rate at most, each way; who waits is in a queue.

    A packet for which the queue has no room is lost.
    """

    at_once = True

    def __init__(
        self,
        nodes: Nodes,
        mbit: Annotated[float, Quantity("Mbit/s", 0.5, 50.0, "the rate of frames, each way")] = 10.0,
        queue_packets: Annotated[
            int, Quantity("packets", 50, MAX_QUEUE_PACKETS, "how many may wait")
        ] = DEFAULT_QUEUE_PACKETS,
    ) -> None:
        self._whom = whom(nodes)
        self._mbit = mbit
        self._character = Character(rate_mbit=mbit, queue_packets=queue_packets)
        bits = 8 * (_LENGTH_BYTES + _ETHERNET_BYTES)
        count = min(queue_packets, max(_AT_LEAST, round(mbit * 1e6 * _LASTS_S / bits)))
        self.train = Train(count, length_bytes=_LENGTH_BYTES, last_within_s=count * bits / (mbit * 1e6) / _LOWEST)
        self.bites_within_s += self.train.last_within_s

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        if len(arrived) < 2:
            return Effect.SOME, f"of {self.train.count} canaries {len(arrived)} arrived"
        lasted_s = arrived[-1].at_s - arrived[0].at_s
        mbit = (len(arrived) - 1) * 8e-6 * (_LENGTH_BYTES + _ETHERNET_BYTES) / max(lasted_s, 1e-6)
        told = f"{len(arrived)} canaries arrived at {mbit:.1f} Mbit/s"
        if _LOWEST * self._mbit <= mbit <= _HIGHEST * self._mbit:
            return Effect.ALL, told
        return (Effect.NONE if mbit > _UNLIMITED * self._mbit else Effect.SOME), told
