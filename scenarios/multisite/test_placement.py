"""Machines run containers: those that a person starts there, and those that the platform places, replaces and updates.

Containers say themselves when they run, visitors what they were answered; the platform is asked only when to go on.
None is a headline: four Docker daemons take a minute to begin where others run as well.
"""

from fixtures.marks import caught_by, promise, software, topology
from fixtures.multisite.fleet import API, LOCK, Fleet, api, lock
from fixtures.multisite.platform import LONG_ENOUGH
from harness.cluster import Cluster
from harness.expectations import (
    never_twice,
    posts_executed_once,
    replicas_as_desired,
    requests_failed_at_most_in_flight,
)
from harness.faults.network import CutSite
from harness.faults.process import Kill, KillDaemon
from harness.faults.select import node
from harness.subjects.multisite.containers import AGENT, CONTAINERS, IMAGES, WEB_CONTAINERS
from harness.subjects.multisite.subject import COMMAND, DOMAIN, EDGE
from harness.traffic import Traffic
from harness.wait import until

AGAIN_WITHIN_S = 30.0
"""Two seconds of silence and the start of a container; the rest is for a host on which other clusters run as well."""
VISITED_WITHIN_S = 60.0
NOTICED_WITHIN_S = 4.0
"""Health checks have a second here, and two of them have to be without an answer."""


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS)
@promise("S3-39", "S3-40", "S3-50")
async def test_what_is_started_by_hand_is_found(cluster: Cluster, fleet: Fleet) -> None:
    """A container with labels is visited through the edge, without anybody declaring it or its site."""
    await fleet.found({API: {}})
    await fleet.started_by_hand("d1")

    async def visited() -> bool:
        return (await fleet.visited(DOMAIN)).strip() == "by-hand"

    await until(visited, within_s=60, every_s=0.2, what="it is visited")


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS)
@promise("S3-41", "S3-42", "S3-43", "S3-51")
async def test_what_a_lost_machine_ran_is_run_elsewhere(cluster: Cluster, fleet: Fleet, visits: Traffic) -> None:
    """A machine without power, and then a site: as many replicas as before, and no visitor notices."""
    cluster.expect(
        requests_failed_at_most_in_flight(NOTICED_WITHIN_S),
        posts_executed_once(),
        replicas_as_desired(API, 3, AGAIN_WITHIN_S),
    )
    await fleet.found({API: api(3)})
    await fleet.serves(3)
    async with visits.running():
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=VISITED_WITHIN_S)
        for fault in (Kill(node("d1")), CutSite("lyon")):
            async with cluster.under(fault):
                await fleet.serves(3, within_s=AGAIN_WITHIN_S)
                await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=VISITED_WITHIN_S)
            await fleet.settled(3)
        await cluster.stay(for_s=2.0, why="who was stopped says no more")


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS)
@promise("S3-41", "S3-42")
async def test_containers_do_not_need_who_placed_them(cluster: Cluster, fleet: Fleet, visits: Traffic) -> None:
    """An agent dies, and the platform dies: what runs goes on, and is the same when they are back."""
    cluster.expect(
        requests_failed_at_most_in_flight(NOTICED_WITHIN_S), posts_executed_once(), replicas_as_desired(API, 3, 0.0)
    )
    await fleet.found({API: api(3)})
    await fleet.serves(3)
    before = {one["id"] for one in await fleet.replicas()}
    async with visits.running():
        async with cluster.under(KillDaemon(node(EDGE), COMMAND)), cluster.under(KillDaemon(node("l1"), AGENT)):
            await cluster.until(visits.acknowledges_again(2 * LONG_ENOUGH), within_s=VISITED_WITHIN_S)
        await fleet.settled(3)
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=VISITED_WITHIN_S)
    assert {one["id"] for one in await fleet.replicas()} == before


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS)
@promise("S3-41", "S3-42")
async def test_an_update_under_load_and_one_that_is_taken_back(cluster: Cluster, fleet: Fleet, visits: Traffic) -> None:
    """The next one serves before the last one leaves; an image that does not serve replaces nobody."""
    cluster.expect(
        requests_failed_at_most_in_flight(NOTICED_WITHIN_S), posts_executed_once(), replicas_as_desired(API, 2, 0.0)
    )
    await fleet.found({API: api(2)})
    await fleet.settled(2)
    first = {str(one["revision"]) for one in await fleet.replicas()}
    async with visits.running():
        await fleet.orders(API, "--image", IMAGES[1])
        await fleet.updated(2, first)
        second = {str(one["revision"]) for one in await fleet.replicas()}
        await fleet.deploys({API: api(2, command=["python3", "-c", "import time; time.sleep(1e6)"])})
        await fleet.taken_back(second)
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=VISITED_WITHIN_S)


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS)
@promise("S3-43")
async def test_what_is_exclusive_moves_and_never_runs_twice(cluster: Cluster, fleet: Fleet) -> None:
    """Its site is cut off, and its agent dead as well: it ends there by its lease, and begins elsewhere after that."""
    cluster.expect(never_twice(LOCK))
    await moved_away(cluster, fleet, kill_agent=True)


@topology("containers")
@software(CONTAINERS, WEB_CONTAINERS, guarded=False)
@caught_by("never_twice")
async def test_sabotage_nobody_ends_what_has_no_lease(cluster: Cluster, fleet: Fleet) -> None:
    """The platform takes it for ended, and begins another one."""
    cluster.expect(never_twice(LOCK))
    await moved_away(cluster, fleet, kill_agent=False)


async def moved_away(cluster: Cluster, fleet: Fleet, *, kill_agent: bool) -> None:
    """The exclusive one is cut off, runs elsewhere, and stays there when its first place is back."""
    await fleet.found({LOCK: lock()})
    await fleet.settled(1, LOCK)
    [there] = await fleet.replicas(LOCK)
    place = str(there["machine"])
    site = next(one.site for one in cluster.topology.nodes if one.name == place)
    async with cluster.under(CutSite(site)):
        if kill_agent:
            async with cluster.under(KillDaemon(node(place), AGENT)):
                await fleet.serves_elsewhere(place, LOCK)
        else:
            await fleet.serves_elsewhere(place, LOCK)
            await cluster.stay(for_s=1.0, why="both would run by now")
    await fleet.settled(1, LOCK)
    [here] = await fleet.replicas(LOCK)
    assert here["machine"] != place
