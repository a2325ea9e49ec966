"""Packets arrive twice."""

from collections.abc import Sequence
from typing import Annotated

from harness.character import Character
from harness.fabric.canary import Arrival, Train
from harness.fabric.shaping import OnTheWay
from harness.fault import Effect
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.shaping import OnCables, enough_for, judged_share


@fault(
    family="network",
    example="n2 --percent 20",
    proof="of many canaries, there and back, about this share arrives twice",
)
class Duplicate(OnCables):
    """Each packet to and from nodes arrives twice with this probability, whatever became of the one before."""

    def __init__(
        self, nodes: Nodes, percent: Annotated[float, Quantity("%", 1.0, 99.0, "how many of a hundred")] = 10.0
    ) -> None:
        self._whom = whom(nodes)
        self._share = percent / 100
        self._character = Character(duplication_percent=percent)
        self.train = Train(enough_for(self._share))

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        once = len({one.number for one in arrived})
        twice = len(arrived) - once
        return judged_share(twice, once, self._share), f"of {once} canaries that arrived {twice} did so twice"
