"""What all cuts share: they are made in the fabric, where no node can undo them, and prove themselves twice.

The packets that their rules dropped are counted, and canaries, real packets sent from one side to the other, do
not arrive.
"""

import asyncio
import itertools
import os
from collections.abc import Iterable

from harness.cluster import Cluster
from harness.fabric.canary import ORDINARY, Like
from harness.fabric.cuts import FAMILY, Cut, cut_table
from harness.fabric.layout import Flow, isolate
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes
from harness.faults.declared import Declared, whom
from harness.faults.select import Selector
from harness.healing import DeleteTable, HealAction

CANARY_LOST_AFTER_S = 0.03
MAX_CANARIES = 12
_numbers = itertools.count(1)


class Cutting(Declared):
    """A kind of cut says whom it aims at and which flows it stops; and which packets of these, if not all."""

    like: Like = ORDINARY
    """A packet that it stops."""
    _cut: Cut | None = None
    _flows: tuple[Flow, ...] = ()
    _table = ""

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        """Targets and flows."""
        raise NotImplementedError

    def _only(self) -> str:
        """Which packets of the flows, as an expression of nft; all of them when empty."""
        return ""

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Decide which flows to stop; a table that is removed lets them pass again."""
        self.targets, self._flows = self._aim(cluster)
        self._table = f"{self.name}-{os.getpid()}-{next(_numbers)}"
        return (DeleteTable(FAMILY, cut_table(self._table)),)

    async def inject(self, cluster: Cluster) -> None:
        """One transaction: nothing of the flows passes once this returns."""
        self._cut = cluster.fabric.cut(self._table, self._flows, self._only())

    async def see(self, cluster: Cluster) -> Seen:
        """Whether canaries arrive and, if they do not, whether it is by this cut."""
        pairs = self._pairs(cluster)
        if not pairs:
            return Seen(Effect.NONE, "there is nobody left on both sides of the cut to prove it with")
        lost = await self._lost(cluster, pairs)
        dropped = self._cut.dropped_packets() if self._cut is not None else 0
        if not lost:
            return Seen(Effect.NONE, f"{len(pairs)} canaries arrive ({listed(pairs)})")
        if lost == pairs and dropped:
            return Seen(Effect.ALL, f"{len(pairs)} canaries lost ({listed(pairs)}), {dropped} packets dropped")
        if lost == pairs:
            return Seen(Effect.SOME, "canaries are lost, but not by this cut, which dropped nothing")
        through = [pair for pair in pairs if pair not in lost]
        return Seen(Effect.SOME, f"canaries arrive: {listed(through)}; others are lost: {listed(lost)}")

    async def _lost(self, cluster: Cluster, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        arrived = await asyncio.gather(
            *(cluster.fabric.canary(*pair, CANARY_LOST_AFTER_S, self.like) for pair in pairs)
        )
        return [pair for pair, came in zip(pairs, arrived, strict=True) if not came]

    def _pairs(self, cluster: Cluster) -> list[tuple[str, str]]:
        """Directed pairs of plugged nodes and clients that the cut separates, a bounded number of them."""
        alive = {name for name in cluster.topology.endpoints if cluster.is_reachable(name)}
        pairs = [
            (source, destination)
            for flow in self._flows
            for source in flow.sources
            for destination in flow.destinations
            if {source, destination} <= alive
        ]
        return pairs[:MAX_CANARIES]


class CutOff(Cutting):
    """Nodes, each from everybody."""

    _whom: Selector

    def __init__(self, nodes: Nodes) -> None:
        self._whom = whom(nodes)

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        nodes = self._whom(cluster)
        return nodes, tuple(flow for name in nodes for flow in isolate(cluster.topology, name))


def listed(pairs: Iterable[tuple[str, str]]) -> str:
    """Pairs, for a person."""
    return ", ".join(f"{source} to {destination}" for source, destination in pairs)
