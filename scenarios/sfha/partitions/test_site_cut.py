"""A site, a WAN or a single node is cut off; everybody in it lives on and believes in itself."""

from fixtures.expected import highly_available
from fixtures.marks import headline, per_engine, promise, topology
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of, quorate, without_quorum
from harness.faults.network import CutSite, Partition, WanDown
from harness.faults.select import aim, holder_of, site_of
from harness.ledger import ClusterLedger


@headline
@per_engine
@promise("S1-36", "S1-37")
async def test_site_of_the_holder_cut_and_healed(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The holder's site loses all others: they take the address over, the holder lets it go without being told."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        async with cluster.under(CutSite(site_of(holder_of(vip)))):
            others = cluster.all_but((holder,))
            await cluster.until(held_by_one_of(vip, others), within_s=10)
            await cluster.until(quorate(others, others), within_s=10)
            await cluster.until(without_quorum((holder,)), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@topology("two-sites")
@promise("S1-37")
async def test_wan_down_with_the_leader_in_the_majority(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The sites lose each other: the larger one goes on as if nothing had happened, the smaller one keeps quiet."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(WanDown()):
            minority = cluster.topology.minority_nodes_when_wan_down()
            majority = cluster.all_but(minority)
            await cluster.until(quorate(majority, majority), within_s=10)
            await cluster.until(without_quorum(minority), within_s=10)
            await cluster.until(held_by_one_of(vip, majority), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@topology("two-sites-leader-alone")
@promise("S1-36", "S1-37")
async def test_wan_down_with_the_leader_in_the_minority(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The leader is alone in its site: it must give up what it holds, and the larger site takes over."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(WanDown()):
            minority = cluster.topology.minority_nodes_when_wan_down()
            majority = cluster.all_but(minority)
            await cluster.until(held_by_one_of(vip, majority), within_s=10)
            await cluster.until(quorate(majority, majority), within_s=10)
            await cluster.until(without_quorum(minority), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@promise("S1-37")
async def test_wan_down_with_a_majority_nowhere(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Three sites of one node each lose each other: nobody may hold the address until the WAN is back."""
    cluster.expect(*highly_available(vip, outage_s=None))
    everybody = cluster.all_but(())
    async with ledger.writing():
        async with cluster.under(WanDown()):
            await cluster.until(held_by_nobody(vip), within_s=10)
            await cluster.until(without_quorum(everybody), within_s=10)
        await cluster.until_settled()
        await cluster.until(ledger.acknowledges_again(), within_s=20)


@headline
@per_engine
@topology("single-site")
@promise("S1-36", "S1-37")
async def test_partition_that_isolates_the_holder(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Clients still reach the holder, its peers do not: it must go dark though it could still answer."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        others = cluster.all_but((holder,))
        async with cluster.under(Partition((holder,), others)):
            await cluster.until(held_by_one_of(vip, others), within_s=10)
            await cluster.until(quorate(others, others), within_s=10)
            await cluster.until(without_quorum((holder,)), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()
