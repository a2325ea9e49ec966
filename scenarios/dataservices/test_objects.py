"""An object store on fresh servers: installed from nothing by one command, and its failovers executed.

What `keyservices` and the store say of themselves is not asked. Clients put objects by each server; in the end each
server that has power has to give all that was acknowledged, with the content that was put.
"""

import pytest

from fixtures.dataservices.objects import BUCKET, REGISTER, ObjectsTraffic
from fixtures.marks import caught_by, promise, software, topology
from harness.cluster import Cluster
from harness.expectations import acknowledged_gap_at_most, linearizable_register, set_complete
from harness.faults.process import Kill
from harness.faults.select import node
from harness.scenario import until_it_bites
from harness.subjects.dataservices.servers import INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.stores import (
    all_serve,
    has_wheel,
    kept_are_given,
    leader,
    single_copies,
    written_last,
)
from harness.subjects.dataservices.subject import OBJECTS, OBJECTS_SECRETS

AGAIN_WITHIN_S = 60.0
OUTAGE_AT_MOST_S = 30.0
"""Until the masters have another leader, and the others have given up the one that is silent."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for objects; nobody is in front of them."""
    return Servers(cluster, dict.fromkeys(SERVERS, "objects"))


@pytest.fixture
def clients(cluster: Cluster) -> ObjectsTraffic:
    """Of each server."""
    return ObjectsTraffic(cluster)


@topology("services")
@software(OBJECTS)
@promise("S4-45", "S4-08", "S4-47", "S4-69", "S4-73", "S4-75", "S4-78")
async def test_objects_from_nothing_lose_a_server(cluster: Cluster, servers: Servers, clients: ObjectsTraffic) -> None:
    """Installed, its failover executed, again without a change; then who leads loses its power under load."""
    cluster.expect(
        set_complete(BUCKET), linearizable_register(REGISTER), acknowledged_gap_at_most(BUCKET, OUTAGE_AT_MOST_S)
    )
    await servers.ready()
    await has_wheel(servers)
    assert await servers.install() > 0
    assert "objects: complete: its failover was executed\n" in await servers.log(6, "test")
    assert await servers.install() == 0
    assert "and nothing has changed since" in await servers.log(6, "test")
    for one in (INSTALLER, *SERVERS):
        assert await servers.run(one, f"stat -c %a {OBJECTS_SECRETS} $(dirname {OBJECTS_SECRETS})") == "600\n700\n"
    async with clients.running():
        await all_serve(servers)
        lost = await leader(servers)
        async with cluster.under(Kill(node(lost))):
            await kept_are_given(servers)
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            assert await leader(servers, but=lost)
        await all_serve(servers)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    assert await servers.install() == 0


@topology("services")
@software(OBJECTS)
@caught_by("body_passed")
async def test_sabotage_objects_on_one_server_alone(
    cluster: Cluster, servers: Servers, clients: ObjectsTraffic
) -> None:
    """Content is not copied to a second server (replication 000): while its server has no power, nobody gives it."""
    cluster.expect(set_complete(BUCKET))
    with until_it_bites():
        await servers.ready()
        await has_wheel(servers)
        await servers.install("--skip-validation")
        await single_copies(servers)
    async with clients.running():
        await all_serve(servers)
        lost = await written_last(servers)
        async with cluster.under(Kill(node(lost))):
            await kept_are_given(servers)
