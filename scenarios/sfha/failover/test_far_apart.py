"""Sites that are far from each other: the profile `wan`, over links with the latency, jitter and loss of a real way."""

from fixtures.expected import highly_available
from fixtures.marks import promise, software, topology
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.network import CutSite
from harness.faults.process import Kill
from harness.faults.select import holder_of, site_of
from harness.ledger import ClusterLedger


@software("sfha", "etcd", profile="wan")
@topology("continent")
@promise("S1-31", "S1-36", "S1-37", "D-16")
async def test_leader_killed_over_a_continent(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """15 ms each way: the others keep quorum, one of them takes the address, and the leader comes back without it."""
    await _killed(cluster, vip, ledger)


@software("sfha", "etcd", profile="wan")
@topology("ocean")
@promise("S1-31", "S1-36", "S1-37", "D-16")
async def test_leader_killed_over_an_ocean(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """45 ms each way."""
    await _killed(cluster, vip, ledger)


@software("sfha", "etcd", profile="wan")
@topology("ocean")
@promise("S1-31", "S1-36", "S1-37", "D-16")
async def test_leaders_site_cut_off_over_an_ocean(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """It lives on, and must have given the address up by itself before anybody else has it."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(CutSite(site_of(holder_of(vip)))) as cut:
            inside = tuple(name for site in cut.targets for name in cluster.topology.nodes_of(site))
            others = cluster.all_but(inside)
            await cluster.until(held_by_one_of(vip, others), within_s=10)
            await cluster.until(quorate(others, others), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


async def _killed(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            survivors = cluster.all_but(kill.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(quorate(survivors, survivors), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()
