"""Two edges behind one virtual address, which sfha moves; each has the inventory and the certificates.

What the edge that is lost was doing may fail, and so may what is sent before its address is elsewhere; nothing else.
"""

from collections.abc import Callable

import pytest

from fixtures.marks import caught_by, frozen_alone, promise, software, topology
from fixtures.multisite.edges import MACHINES, Edges, Hubs
from fixtures.multisite.platform import LONG_ENOUGH, WITHIN_S
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.expectations import (
    one_holder,
    only_the_holder_speaks,
    outage_at_most,
    posts_executed_once,
    requests_failed_at_most_in_flight,
)
from harness.fault import Fault
from harness.faults.network import Isolate
from harness.faults.process import Freeze, Kill, KillDaemon
from harness.faults.select import node
from harness.subjects.multisite.edges import EDGES as TWO_EDGES
from harness.subjects.multisite.edges import HUBS as TWO_HUBS
from harness.subjects.multisite.edges import SECOND_EDGE
from harness.subjects.multisite.subject import DOMAIN, EDGE, WEB
from harness.traffic import Traffic

SFHA = "sfha-voters"
OUTAGE_S = 0.7
NEW_SITE = "lyon"
"""No configuration hangs on it: a request that meets the change of one may be sent again, whichever edge it is."""
DEAD_PROGRAM_S = 3.0
"""The platform looks twice a second whether its edge answers, and whoever moves the address asks it twice."""
NO_WAY_S = 3.0
"""From site to site, when a hub is lost: it is missed for a second, and then hands are shaken with the other one."""
BACK_S = 5.0
"""Machines go back to the first hub after three."""
LOST: dict[str, Callable[[], Fault[Cluster]]] = {
    "without power": lambda: Kill(node(EDGE)),
    "frozen": lambda: Freeze(node(EDGE)),
    "cut off": lambda: Isolate(node(EDGE)),
}


@pytest.mark.parametrize("lost", ["without power", pytest.param("frozen", marks=frozen_alone), "cut off"])
@topology("two-edges")
@software(TWO_EDGES, WEB, SFHA)
@promise("S3-03", "S3-04", "S3-36", "S3-44")
async def test_an_edge_is_lost(cluster: Cluster, edges: Edges, visits: Traffic, vip: str, lost: str) -> None:
    """The other one serves and takes changes; the first has all of them when it is back, and has the address again."""
    cluster.expect(
        one_holder(vip),
        only_the_holder_speaks(vip),
        outage_at_most(vip, OUTAGE_S),
        requests_failed_at_most_in_flight(address=vip),
        posts_executed_once(),
    )
    await edges.begin()
    async with visits.running():
        async with cluster.under(LOST[lost]()):
            await cluster.until(held_by_one_of(vip, (SECOND_EDGE,)), within_s=WITHIN_S)
            await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
            await edges.leads(SECOND_EDGE)
            assert (await edges.ask("POST", "/sites", {"name": NEW_SITE}))[0] == 201
        await cluster.until_settled()
        await edges.leads(EDGE)
        await edges.serve()
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
    assert (await edges.ask("GET", f"/sites/{NEW_SITE}"))[0] == 200


@topology("two-edges")
@software(TWO_EDGES, WEB, SFHA)
@promise("S3-03", "S3-04")
async def test_the_program_of_an_edge_dies(cluster: Cluster, edges: Edges, visits: Traffic, vip: str) -> None:
    """Its machine lives and has the address: it is asked whether its edge answers, and gives the address away."""
    cluster.expect(one_holder(vip), outage_at_most(vip, DEAD_PROGRAM_S), posts_executed_once())
    await edges.begin()
    async with visits.running():
        async with cluster.under(KillDaemon(node(EDGE), "caddy")):
            await cluster.until(held_by_one_of(vip, (SECOND_EDGE,)), within_s=WITHIN_S)
            await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
        await edges.serve()
        await edges.is_well_again(EDGE)
        await cluster.until_settled()
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)


@topology("two-edges")
@software(TWO_EDGES, WEB, SFHA, tls="internal")
@promise("S3-26", "S3-44")
async def test_visitors_by_tls_trust_the_second_edge(cluster: Cluster, edges: Edges, vip: str) -> None:
    """Who trusts what signed the first edge's certificate trusts that of the second one."""
    cluster.expect(one_holder(vip))
    await edges.begin()
    await edges.trusts_the_first_edge()
    assert await edges.visited_safely(DOMAIN) in MACHINES
    async with cluster.under(Kill(node(EDGE))):
        await edges.leads(SECOND_EDGE)
        assert await edges.visited_safely(DOMAIN) in MACHINES
    await cluster.until_settled()
    assert await edges.visited_safely(DOMAIN) in MACHINES


@topology("two-edges")
@software(TWO_HUBS, WEB, SFHA)
@promise("S3-08", "S3-09", "S3-44")
async def test_a_hub_is_lost(cluster: Cluster, hubs: Hubs, visits: Traffic, vip: str) -> None:
    """Every machine has a tunnel to both: the other edge goes on by its own, and so do sites among themselves."""
    cluster.expect(one_holder(vip), requests_failed_at_most_in_flight(address=vip), posts_executed_once())
    await hubs.connected()
    async with hubs.network.asked("t1", by="d1") as answers, visits.running():
        async with cluster.under(Kill(node(EDGE))):
            await cluster.until(held_by_one_of(vip, (SECOND_EDGE,)), within_s=WITHIN_S)
            await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
            await cluster.stay(for_s=NO_WAY_S, why="sites reach each other by the other hub")
        await cluster.until_settled()
        await hubs.serve()
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
        await cluster.stay(for_s=BACK_S, why="sites reach each other by the first hub again")
    cluster.note(f"from site to site no answer for {answers.longest_gap_s:.2f} s")
    assert answers.longest_gap_s < NO_WAY_S


@topology("two-edges")
@software(TWO_EDGES, WEB, SFHA, copied=False)
@caught_by("requests_failed_at_most_in_flight")
async def test_sabotage_the_second_edge_was_never_told(
    cluster: Cluster, edges: Edges, visits: Traffic, vip: str
) -> None:
    """It has the address in no time, and knows none of what was declared."""
    cluster.expect(requests_failed_at_most_in_flight(address=vip))
    await edges.begin(edges=(EDGE,))
    async with visits.running():
        async with cluster.under(Kill(node(EDGE))):
            await cluster.until(held_by_one_of(vip, (SECOND_EDGE,)), within_s=WITHIN_S)
            await cluster.stay(for_s=2.0, why="visitors are sent away")
        await cluster.until_settled()
