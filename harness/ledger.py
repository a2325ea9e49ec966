"""The ledger of a cluster: clients that write through a virtual address, and what every member holds in the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from harness.checks.durability import LEDGER
from harness.cluster import Cluster
from harness.engines.choice import has_own_kernels
from harness.traffic import Traffic
from harness.workloads.load import Load, Route

RATE_PER_S, TIMEOUT_S = 100.0, 0.5
SLOW_RATE_PER_S, SLOW_TIMEOUT_S = 20.0, 1.0
"""For clusters whose nodes have kernels of their own. Each of their system calls costs the host several, and writes are
there to be acknowledged, not to measure how many can be."""


def ledger_load(address: str, store: str, port: int, rate_per_s: float | None = None, *, slow: bool = False) -> Load:
    """Distinct values, written through one address."""
    return Load(
        model="ledger",
        key=LEDGER,
        store=store,
        routes=(Route(address=address, port=port),),
        rate_per_s=rate_per_s or (SLOW_RATE_PER_S if slow else RATE_PER_S),
        timeout_s=SLOW_TIMEOUT_S if slow else TIMEOUT_S,
    )


def slow_for_clients(cluster: Cluster) -> bool:
    """Whether clients should send less, since a node has a kernel of its own."""
    return any(map(has_own_kernels, cluster.design.engines.values()))


class ClusterLedger(Traffic):
    """A workload of writes only, through one address; read back from every member at the end."""

    def __init__(self, cluster: Cluster, address: str, store: str, port: int, *, members: Sequence[str] = ()) -> None:
        super().__init__(cluster, (ledger_load(address, store, port, slow=slow_for_clients(cluster)),), members)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Self]:
        """Write for the length of a block, which begins when writes are being acknowledged."""
        async with self.running():
            yield self
