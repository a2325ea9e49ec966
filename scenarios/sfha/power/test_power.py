"""All power goes, all power comes."""

from fixtures.expected import highly_available
from fixtures.marks import headline, per_engine, promise
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Kill
from harness.faults.select import all_nodes
from harness.ledger import ClusterLedger


@headline
@per_engine
@promise("S1-30", "S1-34", "S1-35")
async def test_cold_start(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """From nothing: three nodes over the mesh, quorum 3 of 3, the address on the leader, writes acknowledged."""
    cluster.expect(*highly_available(vip, outage_s=None))
    everybody = cluster.all_but(())
    await cluster.until(quorate(everybody, everybody), within_s=10)
    await cluster.until(held_by_one_of(vip, (everybody[0],)), within_s=10)
    async with ledger.writing():
        cluster.note("writes are acknowledged")


@headline
@per_engine
@promise("S1-37")
async def test_whole_cluster_power_cut_and_return(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Every node loses power at the same instant while clients write: what was acknowledged is there afterwards."""
    cluster.expect(*highly_available(vip, outage_s=None))
    async with ledger.writing():
        async with cluster.under(Kill(all_nodes())):
            pass
        await cluster.until_settled()
        await cluster.until(ledger.acknowledges_again(), within_s=20)
