"""Everything that watches a cluster from outside: addresses, the wire, clients at a fixed rate, membership."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from harness.history import Recorder
from harness.machines import Machines
from harness.probes.commands import StartConnects, UnwatchNode, WatchNode, WatchWire
from harness.probes.membership import MembershipMonitors
from harness.probes.observer_process import Observer

ASK_EVERY_S = 0.010
CONNECT_EVERY_S = 0.010
WITNESS_EVERY_S = 0.005
CLIENT_INTERFACE = "eth0"


class Observing(Protocol):
    """What a cluster tells its observers."""

    client_namespaces: dict[str, Path]

    async def watch_node(self, node: str, pid: int) -> None: ...
    async def unwatch_node(self, node: str) -> None: ...
    async def watch_clients(self, port: int) -> None: ...
    def nodes_are_called(self, names: Mapping[int, str]) -> None: ...
    async def close(self) -> None: ...


class Unobserved:
    """Nobody watches: for a cluster that a person plays with."""

    def __init__(self) -> None:
        self.client_namespaces: dict[str, Path] = {}

    async def watch_node(self, node: str, pid: int) -> None:
        """Look away."""

    async def unwatch_node(self, node: str) -> None:
        """Look away."""

    async def watch_clients(self, port: int) -> None:
        """Look away."""

    def nodes_are_called(self, names: Mapping[int, str]) -> None:
        """Nobody asks for them."""

    async def close(self) -> None:
        """Nothing to end."""


class Observation:
    """The observers of one run; everything they see goes to its history."""

    def __init__(self, machines: Machines, recorder: Recorder) -> None:
        self.client_namespaces = machines.client_namespaces
        self._machines = machines
        self._observer = Observer(recorder.path)
        names = {node.id: node.name for node in machines.topology.nodes}
        self._membership = MembershipMonitors(machines.engine.spawn, recorder, names, machines.engine.clock)

    async def start(self) -> None:
        """Start the observer process; it watches nothing yet."""
        await self._observer.start()

    async def watch_node(self, node: str, pid: int) -> None:
        """Watch a node that has just been given power, before it can hold an address."""
        addresses = tuple(self._machines.addresses)
        own_kernel = self._machines.engine.own_kernel
        tasks = [self._observer.do(WatchNode(node=node, pid=pid, addresses=addresses, own_kernel=own_kernel))]
        if any(software.has_membership for software in self._machines.software):
            tasks.append(self._membership.watch(node))
        await asyncio.gather(*tasks)

    async def unwatch_node(self, node: str) -> None:
        """Let go of a node that has no power any more."""
        await asyncio.gather(self._observer.do(UnwatchNode(node=node)), self._membership.unwatch(node))

    def nodes_are_called(self, names: Mapping[int, str]) -> None:
        """Corosync knows nodes that joined by these ids, whatever theirs are in the topology."""
        self._membership.nodes_are_called(names)

    async def watch_clients(self, port: int) -> None:
        """From every client: see who answers for each address, and connect to it at a fixed rate."""
        if self._machines.engine.own_kernel:
            await self._watch_sites()
        plan, topology = self._machines.plan, self._machines.topology
        nodes = {plan.mac(node): node for node in topology.node_names}
        for client, namespace in self.client_namespaces.items():
            await self._observer.do(
                WatchWire(
                    client=client,
                    namespace=str(namespace),
                    interface=CLIENT_INTERFACE,
                    addresses=tuple(self._machines.addresses),
                    nodes=nodes,
                    ask_every_s=ASK_EVERY_S,
                )
            )
            for address in self._machines.addresses:
                await self._observer.do(
                    StartConnects(
                        client=client, namespace=str(namespace), address=address, port=port, interval_s=CONNECT_EVERY_S
                    )
                )

    async def _watch_sites(self) -> None:
        """In every site, ask on its wire who has each address: what nodes' own kernels say has one more witness.

        No cut stops its questions; so it notes the answers of the site's own nodes only, and whoever holds an address
        in a part of the network that is cut off is seen there.
        """
        machines = self._machines
        for site in machines.topology.site_names:
            interface = await asyncio.to_thread(machines.fabric.add_witness, site)
            nodes = (node.name for node in machines.topology.nodes if node.site == site)
            await self._observer.do(
                WatchWire(
                    client=f"witness-{site}",
                    namespace=str(machines.fabric.namespace),
                    interface=interface,
                    addresses=tuple(machines.addresses),
                    nodes={machines.plan.mac(node): node for node in nodes},
                    ask_every_s=WITNESS_EVERY_S,
                    only_known=True,
                )
            )

    async def close(self) -> None:
        """End all observers. Idempotent."""
        await asyncio.gather(self._membership.close(), self._observer.close())
