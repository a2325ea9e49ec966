"""The preferred holder has a kernel of its own (User-Mode Linux); those who survive it share this host's."""

from fixtures.expected import highly_available
from fixtures.marks import promise, topology
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Kill
from harness.faults.select import holder_of
from harness.ledger import ClusterLedger


@topology("one-own-kernel")
@promise("S1-36", "S1-37")
async def test_holder_with_its_own_kernel_loses_power(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """What it had not synced is gone with it; no acknowledged write is, for the others have them."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            survivors = cluster.all_but(kill.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(quorate(survivors, survivors), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()
