"""What faults share that give cables and sites a character: in the fabric, where no node can undo it.

They prove themselves by trains of canaries, there and back: real packets, numbered, of which it is seen when, how
often, in which order and how whole they arrive. What the links of the topology do is not taken for the fault's work.
"""

import asyncio
import itertools
import math
import os
from collections.abc import Sequence

from harness.character import Character
from harness.cluster import Cluster
from harness.fabric.canary import Arrival, Train
from harness.fabric.detours import FAMILY, detour_table
from harness.fabric.layout import there_and_back
from harness.fabric.shaping import Direction, OnTheWay
from harness.fault import Effect, Seen
from harness.faults.declared import Declared
from harness.faults.select import Selector
from harness.healing import DeleteTable, HealAction, RemoveLink

SIGMAS = 5.0
SHOWN_AT_LEAST = 40
"""So many are to be hit at least, that a share can be told from none, and from all."""
_SPARE_S = 0.15
SLOW_KERNEL_S = 0.002
"""A kernel that is a program of this host loses some of what comes at once, without any fault."""
_numbers = itertools.count(1)


class Shaping(Declared):
    """A kind of it says whom it aims at, which character, which train shows it, and how."""

    train: Train
    at_once: bool = False
    """Whether its train shows nothing unless all of it is sent at once."""
    bites_within_s = 3.0
    _character: Character
    _name = ""
    _directions: tuple[Direction, ...] = ()

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Targets, and the endpoints that are to be farther, or otherwise worse to reach, for all others; in groups."""
        raise NotImplementedError

    def _judge(self, arrived: Sequence[Arrival], on_the_way: OnTheWay) -> tuple[Effect, str]:
        """What one train shows, and in which words; ``on_the_way`` is what there is besides the fault."""
        raise NotImplementedError

    def lacks(self, cluster: Cluster) -> str | None:
        """A kernel of before."""
        return cluster.fabric.shaping.lacks()

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Decide whose cables; without its table, packets pass as before."""
        self.targets, groups = self._aim(cluster)
        self._name = f"{self.name}-{os.getpid()}-{next(_numbers)}"
        self._directions = tuple(
            Direction(flow, self._character)
            for inside in groups
            for flow in there_and_back(inside, (name for name in cluster.topology.endpoints if name not in inside))
        )
        cables = cluster.fabric.shaping.driver.cables(self._name, len(self._directions))
        return (DeleteTable(FAMILY, detour_table(self._name)), *map(RemoveLink, cables))

    async def inject(self, cluster: Cluster) -> None:
        """In force for every packet that is sent once this returns."""
        seed = cluster.design.seed
        await asyncio.to_thread(cluster.fabric.shaping.shape, self._name, self._directions, seed)

    async def see(self, cluster: Cluster) -> Seen:
        """A train there and one back, between a target and whoever else is there."""
        pairs = self._pairs(cluster)
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides to prove it with")
        looks = await asyncio.gather(*(self._look(cluster, *pair) for pair in pairs))
        effects = {effect for effect, _ in looks}
        effect = effects.pop() if len(effects) == 1 else Effect.SOME
        told = "; ".join(f"{one} to {other}: {words}" for (one, other), (_, words) in zip(pairs, looks, strict=True))
        return Seen(effect, f"{told} (by {cluster.fabric.shaping.driver.name})")

    async def _look(self, cluster: Cluster, source: str, destination: str) -> tuple[Effect, str]:
        besides = cluster.fabric.shaping.on_the_way(source, destination, but=self._name)
        wait_s = self.train.last_within_s + besides.longest_s + _SPARE_S
        every_s = max(self.train.every_s, self._apart_s(cluster, source, destination))
        train = Train(self.train.count, every_s, self.train.length_bytes, wait_s)
        arrived = await cluster.fabric.ride(source, destination, train)
        if not arrived:
            return Effect.NONE, f"of {train.count} canaries none arrived"
        return self._judge(arrived, besides)

    def _apart_s(self, cluster: Cluster, *ends: str) -> float:
        """How far apart canaries have to be for both ends to keep up with them."""
        nodes = [name for name in ends if name in cluster.topology.node_names]
        slow = any(cluster.engine.capabilities(name).own_kernel for name in nodes)
        return SLOW_KERNEL_S if slow and not self.at_once else 0.0

    def _pairs(self, cluster: Cluster) -> tuple[tuple[str, str], ...]:
        """There and back, rather with somebody who is not hit as well."""
        hit = {name for one in self._directions[::2] for name in one.flow.sources}
        for one in self._directions[::2]:
            inside, outside = (
                [name for name in side if cluster.is_reachable(name)]
                for side in (one.flow.sources, one.flow.destinations)
            )
            if inside and outside:
                other = min(outside, key=lambda name: name in hit)
                return (inside[0], other), (other, inside[0])
        return ()


class OnCables(Shaping):
    """Of nodes, each by itself."""

    _whom: Selector

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        nodes = self._whom(cluster)
        return nodes, tuple((name,) for name in nodes)


def enough_for(share: float) -> int:
    """How many canaries tell such a share."""
    return math.ceil(max(200, SHOWN_AT_LEAST / share))


def judged_share(hit: int, of: int, asked: float, besides: float = 0.0) -> Effect:
    """Whether so many of so many are the share that was asked for, on top of what is hit without the fault."""
    if hit <= of * besides + SIGMAS * math.sqrt(of * besides * (1 - besides)):
        return Effect.NONE
    wanted = asked + besides * (1 - asked)
    as_asked = abs(hit - of * wanted) <= SIGMAS * math.sqrt(of * wanted * (1 - wanted))
    return Effect.ALL if as_asked else Effect.SOME
