"""The clients of a cluster: loads that run beside each other, and a last look at what became of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from harness.cluster import Cluster
from harness.conditions import Condition, acknowledged_since
from harness.errors import HarnessError, UsageError
from harness.probes.workload import Settings
from harness.probes.workload_process import Clients
from harness.subjects.subject import Subject, known_model, reference_to
from harness.workloads.load import Load

ENOUGH = 30
"""A store that has acknowledged so many writes is taken to work."""
STEADY_WITHIN_S = 20.0
_LOOKS = ("read", "dequeue")
_PROCESSES_EACH = 1_000_000


class Traffic:
    """Operations from the first client of the topology. At the end, everything is read back by all routes.

    ``members`` are the nodes that the store runs on (by default all). Raises UsageError for a load whose store is not
    on the nodes, or does not know its model.
    """

    def __init__(self, cluster: Cluster, loads: Sequence[Load], members: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._members = tuple(members) or cluster.topology.node_names
        self._loads = tuple(loads)
        for load in self._loads:
            known_model(_store_of(load, cluster.design.subjects), load.model)
        # Reads do not show that a store works: a member that is cut off may answer them from its own copy.
        self._shown_by = next(name for name in loads[0].mix if name not in _LOOKS)
        self._clients: Clients | None = None
        self._first_process = cluster.attach(self) * _PROCESSES_EACH + 1

    async def begin(self) -> None:
        """Start the clients' process early; nothing is sent yet."""
        client = self._cluster.topology.clients[0].name
        stores = [one for one in self._cluster.design.subjects if one.models]
        settings = Settings(
            history=str(self._cluster.history_path),
            namespace=str(self._cluster.life.observation.client_namespaces[client]),
            loads=self._loads,
            first_process=self._first_process,
            stores={one.name: reference_to(one) for one in stores},
            settings={one.name: one.settings() for one in stores},
            search=tuple(sys.path),
        )
        self._clients = Clients(settings)
        await self._clients.start()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Send at a steady rate for the length of a block. The block begins once writes are being acknowledged, so that
        there is something to lose before anything is broken.
        """
        if self._clients is None:  # made by a scenario, whose cluster began without it
            await self.begin()
        async with self._started.running():
            await self._cluster.until(self.acknowledges_again(), within_s=STEADY_WITHIN_S)
            yield self

    def acknowledges_again(self, count: int = ENOUGH) -> Condition:
        """So many writes, or whatever the first load does, are acknowledged from this moment on."""
        return acknowledged_since(self._cluster.live(), count, self._shown_by)

    async def finish(self) -> None:
        """Read everything back from every member that has power, then end the clients."""
        plan, names = self._cluster.plan, self._members
        up = [node for node in names if self._cluster.is_up(node)]
        try:
            await asyncio.gather(*(self._started.read_back(node, plan.address(node)) for node in up))
            await self._started.look_at_the_end(without=[node for node in names if node not in up])
        finally:
            await self.close()

    async def close(self) -> None:
        """End the clients' process. Idempotent."""
        if self._clients is not None:
            await self._clients.close()

    @property
    def _started(self) -> Clients:
        if self._clients is None:
            raise HarnessError("the clients are not running: they begin with the cluster, or with `running`")
        return self._clients


def _store_of(load: Load, subjects: Sequence[Subject]) -> Subject:
    for subject in subjects:
        if subject.name == load.store:
            return subject
    running = ", ".join(subject.name for subject in subjects)
    raise UsageError(f"the load {load.key} is for {load.store}, and on the nodes there are: {running}")
