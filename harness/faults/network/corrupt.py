"""Packets arrive damaged."""

from collections.abc import Sequence
from typing import Annotated

from harness.character import Character
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.shaping import OnCables, enough_for, judged_share

_LENGTH_BYTES = 600
"""Mostly content: what is damaged in the header is nobody's any more, and never arrives."""


@fault(
    family="network",
    example="n2 --percent 20",
    proof="of many canaries without a checksum, there and back, about this share arrives with another content (or not "
    "at all, where the header is hit)",
)
class Corrupt(OnCables):
    """In each packet to and from nodes one bit is turned with this probability, anywhere from the IP header on.

    What has a checksum, such as TCP, is dropped by who receives it, and so lost; what has none is taken as it is.
    """

    def __init__(
        self, nodes: Nodes, percent: Annotated[float, Quantity("%", 1.0, 99.0, "how many of a hundred")] = 10.0
    ) -> None:
        self._whom = whom(nodes)
        self._share = percent / 100
        self._character = Character(corruption_percent=percent)
        self.train = Train(enough_for(self._share), length_bytes=_LENGTH_BYTES)

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        count = self.train.count
        whole = len({one.number for one in arrived if not one.changed})
        changed = sum(one.changed for one in arrived)
        told = f"of {count} canaries {changed} arrived with another content, and {count - whole - changed} not at all"
        effect = judged_share(count - whole, count, self._share, on_the_way.lost_share)
        return (Effect.SOME if effect is Effect.ALL and not changed else effect), told
