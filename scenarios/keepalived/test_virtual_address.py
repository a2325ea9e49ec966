"""keepalived, which we did not write, on the same fabric: what is known of it must come out of our measurements."""

from fixtures.marks import caught_by, headline, per_engine, software
from harness.cluster import Cluster
from harness.conditions import also_held_by_one_of, held_by_one_of
from harness.expectations import clients_not_stranded, never_without_quorum, one_answerer, one_holder, outage_between
from harness.faults.network import CutSite
from harness.faults.process import Kill
from harness.faults.select import aim, holder_of, site_of
from harness.subjects.keepalived.subject import Keepalived

MEASURING_MARGIN_S = 0.15
"""What its own processing and the client's 10 ms step may add to the time that RFC 5798 gives."""

HAND_OVER_S = 0.1
"""A keepalived that preempts adds the address before the other has removed it."""


@headline
@software("keepalived", "etcd")
async def test_keepalived_takes_over_in_the_time_its_timers_say(cluster: Cluster, vip: str) -> None:
    """Default timers: 3 adverts and the skew after the last one, so between 2.6 s and 3.6 s after the power cut."""
    keepalived = cluster.design.subjects[0]
    assert isinstance(keepalived, Keepalived)
    longest_s = keepalived.longest_failover_s(cluster.topology)
    shortest_s = longest_s - keepalived.advert_s
    cluster.expect(
        one_holder(vip, hand_over_s=HAND_OVER_S),
        never_without_quorum(vip),
        outage_between(vip, shortest_s, longest_s + MEASURING_MARGIN_S),
    )
    async with cluster.under(Kill(holder_of(vip))) as kill:
        await cluster.until(held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=10)


@headline
@per_engine
@software("keepalived", "etcd", advert_s=0.1)
async def test_keepalived_with_quick_timers(cluster: Cluster, vip: str) -> None:
    """Adverts every 0.1 s: ten times as quick."""
    keepalived = cluster.design.subjects[0]
    assert isinstance(keepalived, Keepalived)
    longest_s = keepalived.longest_failover_s(cluster.topology)
    shortest_s = longest_s - keepalived.advert_s
    cluster.expect(
        one_holder(vip, hand_over_s=HAND_OVER_S),
        never_without_quorum(vip),
        outage_between(vip, shortest_s - 0.01, longest_s + MEASURING_MARGIN_S),
    )
    async with cluster.under(Kill(holder_of(vip))) as kill:
        await cluster.until(held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=10)


@headline
@software("keepalived", "etcd")
@caught_by("one_holder")
async def test_keepalived_cut_off_keeps_the_address(cluster: Cluster, vip: str) -> None:
    """A holder that is cut off never gives its address up: two holders until the heal, and we must say so."""
    cluster.expect(one_holder(vip), one_answerer(vip), clients_not_stranded(vip))
    (holder,) = await aim(cluster, holder_of(vip))
    async with cluster.under(CutSite(site_of(holder_of(vip)))):
        others = cluster.all_but((holder,))
        await cluster.until(also_held_by_one_of(vip, others), within_s=10)
    await cluster.until(held_by_one_of(vip, (holder,)), within_s=10)
    await cluster.stay(for_s=3, why="a client that is left on a dead hardware address has to be told from a slow one")
