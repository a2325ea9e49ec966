"""A host in the fabric that is no node, and what it sends: frames made with scapy, word for word."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from harness.cluster import Cluster
from harness.errors import FabricError
from harness.fabric.canary import End
from harness.fabric.tap import Tap
from harness.fault import Effect, Seen
from harness.faults.declared import Declared
from harness.healing import HealAction, RemoveLink

BROADCAST = "ff:ff:ff:ff:ff:ff"


class FromStranger(Declared):
    """A fault that a stranger makes: it is plugged in for the time of the fault, where the first node is.

    That is the network of the virtual addresses, also where every site has a network of its own.
    """

    ethertype: int
    bites_within_s = 3.0
    _number = 0
    _stranger: End | None = None
    _tap: Tap | None = None
    _acting: asyncio.Task[None] | None = None

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Choose a port that is free; its cable is all there is to remove."""
        self.targets = self._meant(cluster)
        self._number = cluster.fabric.free_stranger()
        return (RemoveLink(cluster.fabric.layout.stranger_port(self._number)),)

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        """Whom a report names."""
        raise NotImplementedError

    async def _act(self, tap: Tap, me: End) -> None:
        """What the stranger does until it is stopped."""
        raise NotImplementedError

    async def inject(self, cluster: Cluster) -> None:
        """Plug it in, and let it begin."""
        self._stranger = await cluster.life.machines.place_stranger(self._number, self._place(cluster))
        self._tap = Tap(self._stranger, self.ethertype)
        self._acting = asyncio.create_task(self._act(self._tap, self._stranger))

    async def end(self, cluster: Cluster) -> None:
        """Stop it."""
        if self._acting is not None:
            self._acting.cancel()
            with suppress(asyncio.CancelledError, FabricError):
                await self._acting
        if self._tap is not None:
            tap, self._tap = self._tap, None
            await tap.close()

    async def see(self, cluster: Cluster) -> Seen:
        """Listen in the network that the stranger is in."""
        hearers = self._hearers(cluster)
        if not hearers:
            return Seen(Effect.NONE, "nobody is in that network who could hear it")
        return await self._look(cluster, hearers)

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """What these, of whom there is one at least, can see of it."""
        raise NotImplementedError

    def _place(self, cluster: Cluster) -> str:
        return cluster.topology.nodes[0].site

    def _hearers(self, cluster: Cluster) -> list[str]:
        """Who is in the same network and can be listened at: clients first."""
        topology = cluster.topology
        everybody = topology.endpoints_at(self._place(cluster)) if topology.lan == "routed" else topology.endpoints
        alive = [name for name in everybody if cluster.is_reachable(name)]
        return sorted(alive, key=lambda name: name in topology.node_names)

    def _mac(self, cluster: Cluster) -> str:
        return cluster.plan.stranger_mac(self._number)


async def heard(
    cluster: Cluster, at: str, ethertype: int, is_wanted: Callable[[bytes], bool], *, within_s: float, enough: int = 1
) -> int:
    """How many such frames come in at a node or client, until there are enough or the time is over."""
    tap = Tap(cluster.fabric.wire(at), ethertype)
    try:
        return await tap.count(is_wanted, within_s=within_s, enough=enough)
    finally:
        await tap.close()
