"""The ledger of a cluster: clients that write through a virtual address, and what every member holds in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from harness.cluster import Cluster
from harness.conditions import Condition, acknowledged_since
from harness.errors import HarnessError
from harness.probes.ledger import Ledger
from harness.probes.stores import StoreName
from harness.probes.workload import Settings

RATE_PER_S = 100.0
TIMEOUT_S = 0.5
ENOUGH = 30
"""So many acknowledged writes are taken as a store that works."""
STEADY_WITHIN_S = 20.0


class ClusterLedger:
    """Writes from the first client of the topology, through one address; read back from every member at the end."""

    def __init__(self, cluster: Cluster, address: str, store: StoreName, port: int) -> None:
        self._cluster = cluster
        self._address = address
        self._store = store
        self._port = port
        self._ledger: Ledger | None = None
        cluster.attach(self)

    async def begin(self) -> None:
        """Start the clients' process early; nothing is written yet."""
        client = self._cluster.topology.clients[0].name
        settings = Settings(
            history=str(self._cluster.history_path),
            namespace=str(self._cluster.life.observation.client_namespaces[client]),
            store=self._store,
            address=self._address,
            port=self._port,
            rate_per_s=RATE_PER_S,
            timeout_s=TIMEOUT_S,
        )
        self._ledger = Ledger(settings)
        await self._ledger.start()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Self]:
        """Write at a steady rate for the length of a block, which begins when writes are being acknowledged.

        So there is something to lose before anything is broken.
        """
        async with self._running.writing():
            await self._cluster.until(self.acknowledges_again(), within_s=STEADY_WITHIN_S)
            yield self

    def acknowledges_again(self) -> Condition:
        """From this moment on, writes are acknowledged again."""
        return acknowledged_since(self._cluster.live(), ENOUGH)

    async def finish(self) -> None:
        """Read everything back from every member that has power, then end the clients."""
        plan = self._cluster.plan
        up = [node for node in self._cluster.topology.node_names if self._cluster.is_up(node)]
        try:
            await asyncio.gather(*(self._running.read_back(node, plan.address(node)) for node in up))
        finally:
            await self.close()

    async def close(self) -> None:
        """End the clients' process. Idempotent."""
        if self._ledger is not None:
            await self._ledger.close()

    @property
    def _running(self) -> Ledger:
        if self._ledger is None:
            raise HarnessError("the ledger's clients are not running: the cluster has not been started")
        return self._ledger
