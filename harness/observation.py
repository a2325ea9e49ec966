"""Everything that watches a cluster: addresses, the wire, clients at a fixed rate, and the subjects' own probes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.history import Recorder
from harness.machines import Machines
from harness.probes.commands import StartConnects, UnwatchNode, WatchNode, WatchWire
from harness.probes.observer_process import Observer
from harness.probes.presence import GateNames
from harness.subjects.subject import Probe
from harness.wait import all_of, together

ASK_EVERY_S = 0.010
CONNECT_EVERY_S = 0.010
WITNESS_EVERY_S = 0.005
CONNECT_TO_SLOW_EVERY_S = 0.050
"""For clusters whose nodes have kernels of their own: each connection takes some milliseconds of their time."""
CLIENT_INTERFACE = "eth0"


class Observing(Protocol):
    """What a cluster tells its observers."""

    client_namespaces: dict[str, Path]
    probes: Sequence[Probe]
    """The subjects' own probes."""

    async def watch_node(self, node: str, pid: int) -> None: ...
    async def unwatch_node(self, node: str) -> None: ...
    async def watch_clients(self, port: int) -> None: ...
    async def close(self) -> None: ...


class Unobserved:
    """Watches nothing: for a cluster that a person plays with."""

    def __init__(self) -> None:
        self.client_namespaces: dict[str, Path] = {}
        self.probes: Sequence[Probe] = ()

    async def watch_node(self, node: str, pid: int) -> None:
        """Look away."""

    async def unwatch_node(self, node: str) -> None:
        """Look away."""

    async def watch_clients(self, port: int) -> None:
        """Look away."""

    async def close(self) -> None:
        """Nothing to end."""


class Observation:
    """The observers of one run; everything they see goes to its history."""

    def __init__(self, machines: Machines, recorder: Recorder) -> None:
        self.client_namespaces = machines.client_namespaces
        self._machines = machines
        self._observer = Observer(recorder.path)
        self.probes: Sequence[Probe] = tuple(
            probe
            for subject in machines.subjects
            for probe in subject.probes(machines.topology, machines.engine, recorder)
        )
        gates = [subject.gate for subject in machines.subjects if subject.gate is not None]
        self._gate = GateNames(gates[0].table, gates[0].lease_set, gates[0].guarded_set) if gates else GateNames()

    async def start(self) -> None:
        """Start the observer process; it watches nothing yet."""
        await self._observer.start()

    async def watch_node(self, node: str, pid: int) -> None:
        """Watch a node that has just been given power, before it can hold an address."""
        addresses = tuple(self._machines.addresses)
        gate = self._gate
        watch = WatchNode(
            node=node, pid=pid, addresses=addresses,
            table=gate.table, lease_set=gate.lease_set, guarded_set=gate.guarded_set,
            own_kernel=self._machines.engine.capabilities(node).own_kernel,
        )  # fmt: skip
        await together(self._observer.do(watch), *(probe.watch(node) for probe in self.probes))

    async def unwatch_node(self, node: str) -> None:
        """Let go of a node that has no power any more."""
        looking_away = (probe.unwatch(node) for probe in self.probes)
        await all_of(self._observer.do(UnwatchNode(node=node)), *looking_away)

    async def watch_clients(self, port: int) -> None:
        """From every client: see who answers for each address, and connect to it at a fixed rate."""
        own_kernels = self._machines.own_kernels
        connect_every_s = CONNECT_TO_SLOW_EVERY_S if own_kernels else CONNECT_EVERY_S
        if own_kernels:
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
                        client=client, namespace=str(namespace), address=address, port=port, interval_s=connect_every_s
                    )
                )

    async def _watch_sites(self) -> None:
        """On the wire of every site, ask who has each address: a second witness beside the nodes' own kernels.

        No cut stops the questions, so a node that holds an address in a part of the network that is cut off is seen
        there. Only answers of the site's own nodes are recorded.
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
        await all_of(*(probe.close() for probe in self.probes), self._observer.close())
