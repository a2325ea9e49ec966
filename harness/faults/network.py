"""Faults of the network, made in the fabric, where no node can undo them.

A cut proves itself twice: the packets its rules dropped are counted, and canaries, real packets
sent from one side to the other, no longer arrive.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable

from harness.cluster import Cluster
from harness.errors import FaultDidNotBite, HealFailed
from harness.fabric.cuts import FAMILY, Cut, cut_table
from harness.fabric.layout import Flow, cut_site, drop, partition, wan_down
from harness.faults.select import Selector
from harness.journal import DeleteTable, HealAction

CANARY_LOST_AFTER_S = 0.03
CANARY_BACK_WITHIN_S = 5.0
MAX_CANARIES = 12
_numbers = itertools.count(1)


class _Cut:
    """What all cuts share; a kind of cut says which flows it stops."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.targets: tuple[str, ...] = ()
        self._flows: tuple[Flow, ...] = ()
        self._table_name = f"{name}-{next(_numbers)}"
        self._cut: Cut | None = None

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        """Targets and flows; for the kinds to fill in."""
        raise NotImplementedError

    def aim(self, cluster: Cluster) -> None:
        """Decide which flows to stop."""
        self.targets, self._flows = self._aim(cluster)

    def heal_actions(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Delete the cut's table, should the harness die first."""
        return (DeleteTable(FAMILY, cut_table(self._table_name)),)

    async def inject(self, cluster: Cluster) -> None:
        """One transaction: nothing of the flows passes once this returns."""
        self._cut = cluster.fabric.cut(self._table_name, self._flows)

    async def bites(self, cluster: Cluster) -> str:
        """No canary arrives, and the rules have dropped packets."""
        pairs = self._pairs(cluster)
        if not pairs or self._cut is None:
            raise FaultDidNotBite(f"{self.name}: there is nobody left on both sides of the cut to prove it with")
        arrived = await asyncio.gather(
            *(cluster.fabric.canary(source, destination, CANARY_LOST_AFTER_S) for source, destination in pairs)
        )
        if any(arrived):
            through = ", ".join(f"{a} to {b}" for (a, b), came in zip(pairs, arrived, strict=True) if came)
            raise FaultDidNotBite(f"{self.name}: canaries still arrive: {through}")
        if (dropped := self._cut.dropped_packets()) == 0:
            raise FaultDidNotBite(f"{self.name}: canaries are lost, but not by this cut, which dropped nothing")
        return f"{len(pairs)} canaries lost ({_listed(pairs)}), {dropped} packets dropped"

    async def heal(self, cluster: Cluster) -> None:
        """Let everything pass again."""
        if self._cut is not None:
            self._cut.heal()

    async def healed(self, cluster: Cluster) -> str:
        """Every canary arrives."""
        pairs = self._pairs(cluster)
        arrived = await asyncio.gather(
            *(cluster.fabric.canary(source, destination, CANARY_BACK_WITHIN_S) for source, destination in pairs)
        )
        if not all(arrived):
            lost = ", ".join(f"{a} to {b}" for (a, b), came in zip(pairs, arrived, strict=True) if not came)
            raise HealFailed(f"{self.name}: {CANARY_BACK_WITHIN_S:g} s after the heal canaries are lost: {lost}")
        return f"{len(pairs)} canaries arrive ({_listed(pairs)})"

    def _pairs(self, cluster: Cluster) -> list[tuple[str, str]]:
        """Directed pairs of powered nodes and clients that the cut separates, a bounded number of them."""
        alive = {name for name in cluster.topology.endpoints if cluster.is_up(name)}
        pairs = [
            (source, destination)
            for flow in self._flows
            for source in flow.sources
            for destination in flow.destinations
            if {source, destination} <= alive
        ]
        return pairs[:MAX_CANARIES]


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{source} to {destination}" for source, destination in pairs)


class CutSite(_Cut):
    """These sites, each from all other sites and from the clients on the WAN."""

    def __init__(self, sites: Selector | str) -> None:
        super().__init__("cut-site")
        self._sites: Callable[[Cluster], tuple[str, ...]] = (lambda _: (sites,)) if isinstance(sites, str) else sites

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        sites = self._sites(cluster)
        flows = tuple(flow for site in sites for flow in cut_site(cluster.topology, site))
        return sites, flows


class WanDown(_Cut):
    """All sites from each other; clients on the hub still reach each of them."""

    def __init__(self) -> None:
        super().__init__("wan-down")

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        return cluster.topology.site_names, wan_down(cluster.topology)


class Partition(_Cut):
    """These groups from each other; clients, and nodes in no group, reach everybody."""

    def __init__(self, *groups: Iterable[str]) -> None:
        super().__init__("partition")
        self._groups = tuple(tuple(group) for group in groups)

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        return tuple("+".join(group) for group in self._groups), partition(*self._groups)


class Drop(_Cut):
    """One way only: what ``source`` sends no longer reaches ``destination``."""

    def __init__(self, source: str, destination: str) -> None:
        super().__init__("drop")
        self._ends = (source, destination)

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        return self._ends, drop(*self._ends)
