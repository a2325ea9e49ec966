"""The clock of the holder is wrong: the lease counts spans of time in each kernel, and never asks what day it is.

Only a node with a kernel of its own has a clock of its own: here it is the one that is preferred.
"""

import pytest

from fixtures.expected import highly_available
from fixtures.marks import promise, topology
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.fault import Fault
from harness.faults.clock import ClockBack, ClockForward, ClockStrobe
from harness.faults.select import holder_of
from harness.ledger import ClusterLedger

HOUR_S = 3600.0
CLOCKS = {"an hour ahead": ClockForward, "an hour behind": ClockBack, "to and fro": ClockStrobe}


@topology("one-own-kernel")
@promise("S1-37")
@pytest.mark.parametrize("how", CLOCKS)
async def test_the_clock_of_the_holder_jumps(cluster: Cluster, vip: str, ledger: ClusterLedger, how: str) -> None:
    """It goes on holding the address, alone, and so it does when the clock is set right again."""
    cluster.expect(*highly_available(vip))
    fault: Fault[Cluster] = CLOCKS[how](holder_of(vip), by_s=HOUR_S)
    async with ledger.writing():
        async with cluster.under(fault):
            await cluster.until(ledger.acknowledges_again(), within_s=10)
            await cluster.stay(for_s=2, why="a clock is wrong")
            await cluster.until(held_by_one_of(vip, fault.targets), within_s=1)
        await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until(held_by_one_of(vip, fault.targets), within_s=1)
