"""The edge itself: changed behind the platform's back, put back, gone; bad lines; and ten sites behind it."""

from fixtures.marks import promise, software, topology
from fixtures.multisite.platform import LONG_ENOUGH, WITHIN_S, Owner, lost_and_back
from harness.cluster import Cluster
from harness.expectations import posts_executed_once, requests_failed_at_most_in_flight
from harness.faults.network import Loss
from harness.faults.process import Kill, KillDaemon
from harness.faults.select import node, nodes_at
from harness.subjects.multisite.subject import DOMAIN, EDGE, UNDECLARED, WEB
from harness.traffic import Traffic
from harness.wait import until

REPAIRED_WITHIN_S = 5.0
"""It takes half a second; the rest is for a host on which other clusters run."""
LOSS_PERCENT, LOSS_S, PAUSE_S, ROUNDS = 20, 2.0, 1.0, 3
CADDY = "caddy"
TEN = {f"site{number}": (f"m{number}",) for number in range(1, 11)}


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-18", "S3-23", "S3-33")
async def test_somebody_else_changes_the_edge(cluster: Cluster, owner: Owner) -> None:
    """What the platform did not tell it is put right; an earlier version is in force for as long as a person says."""
    await owner.begin()
    assert await owner.visited(DOMAIN) in ("d1", "d2", "t1", "t2")
    await owner.spoils("apps/http/servers/public/routes")

    async def served() -> bool:
        return await owner.visited(DOMAIN) in ("d1", "d2", "t1", "t2")

    await until(served, within_s=REPAIRED_WITHIN_S, every_s=0.1, what="the edge is as it should be")
    assert await owner.metric("multisite_edge_repairs_total") == [1.0]
    _, versions = await owner.ask("GET", "/config/versions")
    assert isinstance(versions, list)
    assert isinstance(versions[0], dict)
    assert (await owner.ask("POST", "/services", {"name": "shop", "domains": ["shop.example.test"]}))[0] == 201

    async def knows_shop() -> bool:
        return "no such domain" not in await owner.visited("shop.example.test")

    await until(knows_shop, within_s=10, every_s=0.2, what="the next version is in force")
    assert (await owner.ask("POST", f"/config/versions/{versions[0]['id']}/hold"))[0] == 200

    async def forgot_shop() -> bool:
        return not await knows_shop()

    await until(forgot_shop, within_s=10, every_s=0.2, what="the earlier version is in force")
    assert (await owner.ask("POST", "/config/release"))[0] == 204
    await until(knows_shop, within_s=10, every_s=0.2, what="the next version is in force again")


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-03", "S3-04")
async def test_the_edge_dies_and_is_back(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """It is one machine, so visitors wait for it; it comes back as it was, and no POST is done twice."""
    cluster.expect(posts_executed_once())
    await owner.begin()
    async with visits.running():
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
        async with cluster.under(KillDaemon(node(EDGE), CADDY)):
            await cluster.stay(for_s=1.0, why="visitors find nobody")
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)


@topology("platform")
@software(UNDECLARED, WEB, timeout_ms=1000)
@promise("S3-36")
async def test_a_fifth_of_all_packets_is_lost_again_and_again(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """On the way to one site, with pauses. Looks have a second here: a packet that was lost is sent again by then."""
    cluster.expect(requests_failed_at_most_in_flight(LOSS_S + PAUSE_S), posts_executed_once())
    await owner.begin()
    async with visits.running():
        for _ in range(ROUNDS):
            async with cluster.under(Loss(nodes_at("dijon"), LOSS_PERCENT)):
                await cluster.stay(for_s=LOSS_S, why="packets are lost")
            await cluster.stay(for_s=PAUSE_S, why="none is lost")
        await owner.finds_up(("d1", "d2", "t1", "t2"))
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)


@topology("ten-sites")
@software(UNDECLARED, WEB)
@promise("S3-10", "S3-30")
async def test_three_of_ten_sites_are_lost(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """The same declaration, only longer; who is left takes all visitors."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    owner.visitor = "m10"
    lost = ("site1", "site2", "site3")
    await owner.begin(TEN)
    await lost_and_back(cluster, owner, visits, Kill(nodes_at(*lost)), *(name for site in lost for name in TEN[site]))
