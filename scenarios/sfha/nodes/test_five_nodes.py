"""Five nodes in three sites: two may be lost, and operations go on, or wait, while something is broken."""

import asyncio

from fixtures.expected import highly_available, undisturbed
from fixtures.marks import nightly, promise, software, topology
from fixtures.sfha.operator import Operator
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.network import WanDown
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, node
from harness.ledger import ClusterLedger
from scenarios.sfha.nodes.test_removal import agree


@topology("five-nodes")
@promise("S1-36", "S1-37")
async def test_holder_killed_and_the_next_one_as_well(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Two of five lose power, one after the other, each while it holds the address; both come back."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as first:
            await cluster.until(held_by_one_of(vip, cluster.all_but(first.targets)), within_s=10)
            four = cluster.all_but(first.targets)
            await cluster.until(quorate(four, four), within_s=10)
            async with cluster.under(Kill(holder_of(vip))) as second:
                survivors = cluster.all_but((*first.targets, *second.targets))
                await cluster.until(held_by_one_of(vip, survivors), within_s=10)
                await cluster.until(quorate(survivors, survivors), within_s=10)
                await cluster.until(ledger.acknowledges_again(), within_s=10)
            await cluster.until(quorate(four, four), within_s=20)
        await cluster.until_settled()


@nightly
@topology("five-nodes")
@promise("S2-18", "S2-19", "S2-49", "S2-51", "S2-52", "S2-54")
async def test_offline_nodes_removed_until_three_are_left(cluster: Cluster, vip: str, operator: Operator) -> None:
    """A site of two burns down: both are removed, from another site and by the leader; then the leader dies."""
    cluster.expect(*undisturbed(vip, outage_s=10))
    left = ("n1", "n2", "n5")
    await cluster.power_cut("n3")
    await cluster.power_cut("n4")
    await cluster.until(quorate(left, left), within_s=10)
    before, began_s = await operator.corosyncs(), now_s()
    assert "n4: " in await operator.does("n5", "node", "remove", "n3", exit_code=3)  # n4 could not be told
    assert "2/2" in await operator.does("n1", "node", "remove", "n4")
    await agree(cluster, operator, left)
    await operator.stayed_together(left, began_s)
    assert await operator.corosyncs() == before
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, ("n2", "n5")), within_s=10)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=20)
    await agree(cluster, operator, left)


@nightly
@topology("five-nodes")
@software("sfha-unconfigured", "etcd")
@promise("S1-24")
async def test_joins_while_the_wan_is_down(cluster: Cluster, vip: str, operator: Operator) -> None:
    """One seeder is out of reach, one has no quorum: both say so; when the WAN is back the same commands work."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    for name in ("n2", "n3"):
        await operator.joins(name, seeder="n1")
        await operator.logged("n1", "newcomer-votes", name=name)
    tokens = {"n4": await operator.token("n3"), "n5": await operator.token("n1")}
    async with cluster.under(WanDown()):
        await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
        refused, unreached = await asyncio.gather(
            operator.does("n4", "join", tokens["n4"], exit_code=1),
            operator.does("n5", "join", tokens["n5"], exit_code=1),
        )
        assert "quorum" in refused, refused
        assert "does not answer" in unreached, unreached
    await cluster.until(quorate(("n1", "n2", "n3"), ("n1", "n2", "n3")), within_s=20)
    await asyncio.gather(*(operator.does(name, "join", token) for name, token in tokens.items()))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=30)
    await cluster.until(quorate(everybody, everybody), within_s=10)


@nightly
@topology("five-nodes")
@promise("S2-09")
async def test_propagate_with_one_of_five_frozen(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The other three are told at once; the frozen one has everything when it is back and asked again."""
    cluster.expect(*undisturbed(vip))
    before = await operator.corosyncs()
    async with cluster.under(Freeze(node("n4"))):
        others = cluster.all_but(("n4",))
        await cluster.until(quorate(others, others), within_s=10)
        said = await operator.does("n2", "propagate", "--timeout", "2", exit_code=3)
        assert "3/4" in said
        assert "n4: no answer within 2 s" in said
    await cluster.until_settled()
    assert "4/4" in await operator.does("n2", "propagate")
    assert await operator.corosyncs() == before
