"""The same stack with one protection taken out: each must be found out, by the check that guards it.

A harness that cannot fail proves nothing.
"""

from fixtures.announcer import announcing
from fixtures.expected import highly_available
from fixtures.marks import caught_by, headline, per_engine, software, topology
from harness.cluster import Cluster
from harness.conditions import also_held_by_one_of, held_by_one_of, quorate
from harness.expectations import clients_not_stranded, nothing_lost, only_the_holder_speaks
from harness.faults.network import CutSite, Partition
from harness.faults.process import Freeze, Kill
from harness.faults.select import aim, holder_of, node, site_of
from harness.ledger import ClusterLedger
from harness.scenario import until_it_bites
from harness.subjects.redis.subject import Redis


@headline
@software("sfha", "etcd", announce=False, broken_on=("n2", "n3"))
@caught_by("clients_not_stranded")
async def test_sabotage_without_gratuitous_arp(cluster: Cluster, vip: str) -> None:
    """The new holder tells nobody: clients go on sending to the dead one's hardware address.

    n1 announces: should another node have led for a moment during the start, clients follow n1 all the same.
    """
    cluster.expect(clients_not_stranded(vip))
    async with cluster.under(Kill(holder_of(vip))) as kill:
        await cluster.until(also_held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=10)
        await cluster.stay(for_s=5, why="the client has to be seen sending to a dead address")


@headline
@per_engine
@software("sfha", "etcd", quorum_guard=False, broken_on=("n1",))
@caught_by("one_holder", "never_without_quorum")
async def test_sabotage_without_quorum_guard(cluster: Cluster, vip: str) -> None:
    """A node that leads a partition, however small, holds the address: two holders as soon as its site is cut."""
    await _both_sides_go_on(cluster, vip)


@headline
@software("sfha", "etcd", release_on_loss=False, broken_on=("n1",))
@caught_by("one_holder", "never_without_quorum")
async def test_sabotage_without_release_on_loss(cluster: Cluster, vip: str) -> None:
    """A holder that has lost quorum and leadership keeps what it holds, while the others take over."""
    await _both_sides_go_on(cluster, vip)


@headline
@software("sfha", "etcd", guard_egress=False, broken_on=("n1",))
@caught_by("only_the_holder_speaks")
async def test_sabotage_without_the_hook_on_what_leaves(cluster: Cluster, vip: str) -> None:
    """What a thawed holder still has to say leaves it: clients are turned to a node that does not answer."""
    cluster.expect(only_the_holder_speaks(vip))
    (holder,) = holder_of(vip)(cluster)
    with until_it_bites():
        async with announcing(cluster, holder, vip) as announcer:
            await cluster.until(announcer.is_heard(), within_s=10)
            async with cluster.under(Freeze(node(holder))):
                survivors = cluster.all_but((holder,))
                await cluster.until(held_by_one_of(vip, survivors), within_s=10)
                await cluster.until(
                    quorate(survivors, survivors), within_s=10
                )  # else it leads again as soon as it thaws
                thawed = announcer.is_heard()
            await cluster.until(thawed, within_s=10)


@headline
@topology("single-site")
@software("sfha", "redis")
@caught_by("nothing_lost")
async def test_sabotage_with_a_store_that_acknowledges_before_it_replicates(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """The master is cut off from its replicas, goes on acknowledging while it can, and one of them takes its place."""
    redis = cluster.design.subjects[-1]
    assert isinstance(redis, Redis)
    cluster.expect(nothing_lost())
    (holder,) = await aim(cluster, holder_of(vip))
    others = cluster.all_but((holder,))
    async with ledger.writing():
        async with cluster.under(Partition((holder,), others)):
            await cluster.until(held_by_one_of(vip, others), within_s=10)
            await redis.promote(cluster.engine, cluster.topology, cluster.plan, await cluster.holder(vip))
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


async def _both_sides_go_on(cluster: Cluster, vip: str) -> None:
    """The holder's site is cut off, and one of the others takes the address as well."""
    cluster.expect(*highly_available(vip, outage_s=None))
    (holder,) = await aim(cluster, holder_of(vip))
    async with cluster.under(CutSite(site_of(holder_of(vip)))):
        await cluster.until(also_held_by_one_of(vip, cluster.all_but((holder,))), within_s=10)
        await cluster.stay(for_s=1, why="both sides go on")
