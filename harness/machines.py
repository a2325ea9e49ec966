"""The machines of a cluster: an engine's nodes, plugged into the fabric, with or without power."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from harness.addresses import AddressPlan
from harness.engines.engine import Engine, NodeDefinition
from harness.fabric.canary import End
from harness.fabric.fabric import Fabric
from harness.fabric.layout import isolate
from harness.fabric.shaping import Home
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.subjects.subject import Subject
from harness.topology import Topology
from harness.wait import together


class Machines:
    """Creates, powers and destroys the nodes of one run. Knows nothing of what is observed or judged."""

    def __init__(
        self, topology: Topology, subjects: Sequence[Subject], image: Path, engine: Engine, run: RunDirectory
    ) -> None:
        self.topology = topology
        self.plan = AddressPlan(topology, run.run_id)
        self.engine = engine
        self.run = run
        self.fabric: Fabric
        self.subjects = subjects
        self._image = image
        self.client_namespaces: dict[str, Path] = {}
        self._keeper: Keeper | None = None

    @property
    def own_kernels(self) -> tuple[str, ...]:
        """The nodes that have kernels of their own."""
        return tuple(node for node in self.topology.node_names if self.engine.capabilities(node).own_kernel)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The virtual addresses."""
        return tuple(self.plan.vip(vip.name) for vip in self.topology.vips)

    async def create(self, keeper: Keeper) -> Self:
        """Build the fabric in the keeper's namespace and give every node a disk; nothing has power yet."""
        self._keeper = keeper
        self.fabric = self._attached(keeper)
        layers = tuple(layer for one in self.subjects for layer in one.layers(self._image))
        nodes = [self._create_node(name, layers) for name in self.topology.node_names]
        await together(asyncio.to_thread(self.fabric.build), *nodes)
        await self.place_clients()
        return self

    def _attached(self, keeper: Keeper) -> Fabric:
        return Fabric(self.topology, self.plan, keeper.namespace, Home(self.run.path, keeper.start_relay))

    async def _create_node(self, node: str, layers: tuple[Path, ...]) -> None:
        files = tuple(file for one in self.subjects for file in one.files(node, self.topology, self.plan))
        await self.engine.create(NodeDefinition(node, self._image, layers, files))

    async def place_clients(self) -> None:
        """Give every client of the topology a namespace and a port at its place."""
        assert self._keeper is not None
        for client in self.topology.clients:
            namespace = await asyncio.to_thread(self._keeper.add_namespace, client.name)
            await asyncio.to_thread(self.fabric.plug_client, client.name, namespace)
            self.client_namespaces[client.name] = namespace

    async def place_stranger(self, number: int, place: str) -> End:
        """Plug in, at a place, a host that is no node of the topology."""
        assert self._keeper is not None
        namespace = await asyncio.to_thread(self._keeper.add_namespace, f"stranger{number}")
        return await asyncio.to_thread(self.fabric.plug_stranger, number, place, namespace)

    def take_up(self, keeper: Keeper) -> None:
        """Take over machines that another process made."""
        self._keeper = keeper
        self.fabric = self._attached(keeper)
        for node in self.topology.node_names:
            if self.engine.pid(node) is not None:
                self.fabric.remember_end(node, self.engine.end_of_cable(node, self.fabric.end_at(node)))
        for client in self.topology.clients:
            namespace = keeper.add_namespace(client.name)
            self.client_namespaces[client.name] = namespace
            self.fabric.remember(client.name, namespace)

    async def power_on(self, node: str) -> int:
        """Boot a node; returns its process 1. It has no network yet, and waits until ``plug`` gives it one."""
        return await self.engine.start(node)

    async def plug(self, node: str, pid: int) -> None:
        """Give a booting node the network that it waits for."""
        if self.engine.capabilities(node).own_kernel:
            plug = self.fabric.end_at(node)
            bridge = await self.engine.connect(node, plug)
            await asyncio.to_thread(self.fabric.plug_into_bridge, node, pid, bridge)
            await asyncio.to_thread(self.fabric.heal, _power_cut(node))
            await self.engine.connected(node, plug)
            self.fabric.remember_end(node, self.engine.end_of_cable(node, plug))
        else:
            await asyncio.to_thread(self._plug, node, pid)

    def _plug(self, node: str, pid: int) -> None:
        self.fabric.plug(node, pid)
        self.fabric.heal(_power_cut(node))

    async def power_cut(self, node: str) -> None:
        """End a node's processes and its network together.

        As long as anybody holds a socket in its namespace, or one of its processes is slow to die, the kernel goes on
        answering for a dead machine. So the fabric lets nothing of it through from the first millisecond, and the cable
        is pulled.
        """
        self.fabric.cut(_power_cut(node), isolate(self.topology, node))
        await together(self.engine.kill(node), asyncio.to_thread(self.fabric.unplug, node))

    async def shut_down(self, node: str) -> None:
        """Shut a node down, then pull its cable."""
        await self.engine.stop(node)
        await asyncio.to_thread(self.fabric.unplug, node)

    def close(self) -> None:
        """Let go of the fabric. Nothing is removed: that is for the keeper."""
        if self._keeper is not None:
            self.fabric.close()


def _power_cut(node: str) -> str:
    """The cut that keeps a node without power silent."""
    return f"power-{node}"
