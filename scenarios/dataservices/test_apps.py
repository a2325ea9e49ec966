"""An API and a front on fresh servers, without K3s: installed with the PostgreSQL that they keep notes in, and broken.

What the services say of themselves is not asked. Visitors write notes through a balancer and look for each on a page;
the API of each server is read in the end.
"""

import pytest

from fixtures.dataservices.apps import Visitors
from fixtures.marks import caught_by, promise, software, topology
from harness.checks.durability import LEDGER
from harness.cluster import Cluster
from harness.expectations import acknowledged_gap_at_most, nothing_lost
from harness.faults.process import Kill
from harness.faults.select import node
from harness.scenario import until_it_bites
from harness.subjects.dataservices.postgresql import all_follow, asynchronous_follower
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import APPS, APPS_SECRETS, COMMAND

AGAIN_WITHIN_S = 30.0
OUTAGE_AT_MOST_S = 6.0
"""A balancer asks twice a second; what had been asked of the dead one is asked again after 6 s at most."""
VALIDATE = f"{COMMAND} validate --from 3"
"""Module 2 is not installed: visitors ask each server themselves."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for PostgreSQL, API and front; two balancers."""
    roles = dict.fromkeys(SERVERS, "postgresql,apps") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def visitors(cluster: Cluster) -> Visitors:
    """Of the first balancer."""
    return Visitors(cluster)


@topology("services")
@software(APPS)
@promise("S4-64", "S4-69", "S4-75", "S4-78")
async def test_pages_from_nothing_lose_a_machine(cluster: Cluster, servers: Servers, visitors: Visitors) -> None:
    """Installed, its failover executed, validated; then a machine dies while visitors write and look."""
    cluster.expect(nothing_lost(LEDGER), acknowledged_gap_at_most(LEDGER, OUTAGE_AT_MOST_S))
    await servers.ready()
    assert await servers.install() > 0
    assert "apps: complete: its failover was executed\n" in await servers.log(10, "test")
    assert await servers.install() == 0
    for one in SERVERS:
        assert await servers.run(one, f"stat -c %a {APPS_SECRETS} $(dirname {APPS_SECRETS})") == "600\n700\n"
    said = await servers.run(INSTALLER, VALIDATE)
    assert said.endswith("\nof those asked for: 2 of 2 proven\n")
    async with visitors.running():
        # Who follows without being waited for: that PostgreSQL loses its leader is module 3's matter.
        lost = await asynchronous_follower(servers)
        async with cluster.under(Kill(node(lost))):
            await cluster.until(visitors.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            said = await servers.run(INSTALLER, VALIDATE, code=1)
            assert f"module 10 apps: not proven: {lost}: " in said
        await all_follow(servers)
        await cluster.until(visitors.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    await servers.run("s1", "systemctl stop keyservices-front.service")
    said = await servers.run(INSTALLER, VALIDATE, code=1)
    assert "module 3 postgresql: proven: " in said
    assert "module 10 apps: not proven: s1: unit keyservices-front.service runs" in said
    assert await servers.install("--skip-validation") == 1


@topology("services")
@software(APPS)
@caught_by("body_passed")
async def test_sabotage_pages_of_one_server_alone(cluster: Cluster, servers: Servers, visitors: Visitors) -> None:
    """API and front run on one server, as they would without the others: when that dies, nobody has a page."""
    cluster.expect(nothing_lost(LEDGER))
    with until_it_bites():
        await servers.installed()
        lost = await asynchronous_follower(servers)
        for one in SERVERS:
            if one != lost:
                await servers.run(one, "systemctl stop keyservices-front.service keyservices-api.service")
    async with visitors.running(), cluster.under(Kill(node(lost))):
        await cluster.until(visitors.acknowledges_again(), within_s=AGAIN_WITHIN_S)
