"""The clock of the holder is wrong: the lease counts spans of time in each kernel, and never asks what day it is.

Only a node with a kernel of its own has a clock of its own: here it is the one that is preferred.
"""

from fixtures.expected import highly_available
from fixtures.marks import promise, topology
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.fault import Fault
from harness.faults.clock import ClockBack, ClockForward, ClockStrobe
from harness.faults.select import aim, holder_of
from harness.ledger import ClusterLedger

HOUR_S = 3600.0


@topology("one-own-kernel")
@promise("S1-37")
async def test_the_clock_of_the_holder_jumps(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """An hour ahead, an hour behind, and to and fro: it goes on holding the address, alone, and clients write."""
    cluster.expect(*highly_available(vip))
    faults: list[Fault[Cluster]] = [
        wrong(holder_of(vip), by_s=HOUR_S) for wrong in (ClockForward, ClockBack, ClockStrobe)
    ]
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        for fault in faults:
            async with cluster.under(fault):
                await cluster.until(ledger.acknowledges_again(), within_s=10)
                await cluster.until(held_by_one_of(vip, {holder}), within_s=1)
        await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until(held_by_one_of(vip, {holder}), within_s=1)
