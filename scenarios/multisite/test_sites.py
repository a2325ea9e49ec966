"""A whole site is lost, or a site is added, while visitors come."""

import pytest

from fixtures.marks import headline, promise, software, topology
from fixtures.multisite.platform import BOTH, DIJON, LONG_ENOUGH, THORY, WITHIN_S, Owner, lost_and_back
from harness.cluster import Cluster
from harness.expectations import posts_executed_once, requests_failed_at_most_in_flight
from harness.faults.network import CutSite
from harness.faults.process import Kill, KillDaemon, Suspend
from harness.faults.select import node, nodes_at
from harness.subjects.multisite.subject import COMMAND, EDGE, UNDECLARED, WEB, WEB_SERVER
from harness.traffic import Traffic

DIJON_FIRST = {"dijon": 1, "thory": 2}


@headline
@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-02", "S3-11", "S3-29", "S3-30", "S3-48", "S3-53")
async def test_the_preferred_site_is_cut_off(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """It takes all visitors; once it is gone the other one does, and then the first again."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin(BOTH, DIJON_FIRST)
    await lost_and_back(cluster, owner, visits, CutSite("dijon"), *DIJON)


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-02", "S3-30")
async def test_the_preferred_site_is_away_when_the_platform_begins(
    cluster: Cluster, owner: Owner, visits: Traffic
) -> None:
    """Nobody there was ever heard, which is no reason to send visitors there; it takes them once it is back."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    async with cluster.under(CutSite("dijon")):
        await owner.begin(BOTH, DIJON_FIRST, away=DIJON)
        async with visits.running():
            await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
    await owner.finds_up(DIJON)
    async with visits.running():
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-02", "S3-30", "S3-52", "S3-53", "S3-54", "S3-55")
async def test_all_machines_of_a_site_are_off(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """Both sites served; one is left, and takes all visitors until the machines are back."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    await lost_and_back(cluster, owner, visits, Kill(nodes_at("dijon")), *DIJON)


@pytest.mark.parametrize("how", [KillDaemon, Suspend])
@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-02", "S3-30")
async def test_the_platform_is_out_of_order_and_then_a_server_dies(
    cluster: Cluster, owner: Owner, visits: Traffic, how: type[KillDaemon | Suspend]
) -> None:
    """Dead or hanging, it tells nothing of backends any more: the edge alone finds its way around one that refuses."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await owner.begin()
    async with (
        visits.running(),
        cluster.under(how(node(EDGE), COMMAND)),
        cluster.under(KillDaemon(node("d1"), WEB_SERVER)),
    ):
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)


@topology("platform")
@software(UNDECLARED, WEB)
@promise("S3-10", "S3-12", "S3-16", "S3-18", "S3-45")
async def test_a_site_is_added_under_load(cluster: Cluster, owner: Owner, visits: Traffic) -> None:
    """By a declaration; no POST is done twice. A request that meets the change of configuration may be sent again."""
    cluster.expect(posts_executed_once())
    await owner.begin({"thory": THORY})
    async with visits.running():
        await owner.declare(BOTH)
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
