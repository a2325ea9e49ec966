"""The ledger of a cluster: clients that write through a virtual address, and what every member holds in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from harness.checks.durability import LEDGER
from harness.cluster import Cluster
from harness.traffic import Traffic
from harness.workloads.load import Load, Route

RATE_PER_S = 100.0
TIMEOUT_S = 0.5


def ledger_load(address: str, store: str, port: int, rate_per_s: float = RATE_PER_S) -> Load:
    """Distinct values, written through one address."""
    return Load(
        model="ledger",
        key=LEDGER,
        store=store,
        routes=(Route(address=address, port=port),),
        rate_per_s=rate_per_s,
        timeout_s=TIMEOUT_S,
    )


class ClusterLedger(Traffic):
    """A workload of writes only, through one address; read back from every member at the end."""

    def __init__(self, cluster: Cluster, address: str, store: str, port: int) -> None:
        super().__init__(cluster, (ledger_load(address, store, port),))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Self]:
        """Write for the length of a block, which begins when writes are being acknowledged."""
        async with self.running():
            yield self
