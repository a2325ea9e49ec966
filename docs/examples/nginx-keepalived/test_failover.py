"""What becomes of a web site when its servers fail."""

import pytest

from harness import Cluster, CutSite, Kill, answers, held_by_one_of, holder_of, one_answerer, outage_at_most, site_of


@pytest.mark.promise("WEB-1", "WEB-2")
async def test_the_site_answers_again_when_its_server_dies(cluster: Cluster, vip: str) -> None:
    """Another node takes the address over; the first one takes it back when it is there again."""
    cluster.expect(outage_at_most(vip, 2.0), one_answerer(vip))
    async with cluster.under(Kill(holder_of(vip))) as kill:
        await cluster.until(held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=5)
        await cluster.until(answers(vip), within_s=5)
    await cluster.until_settled()


@pytest.mark.topology("three-sites")
@pytest.mark.caught_by("one_holder")
async def test_a_site_that_is_cut_off_keeps_the_address(cluster: Cluster, vip: str) -> None:
    """A sabotage by design: VRRP has no quorum, so both sides of a cut have the address, and that must be seen."""
    async with cluster.under(CutSite(site_of(holder_of(vip)))):
        await cluster.stay(for_s=2, why="the other sites take the address over as well")
    await cluster.until_settled()
