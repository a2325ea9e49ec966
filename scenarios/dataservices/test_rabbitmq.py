"""RabbitMQ on fresh servers: installed from nothing by one command, and every failover executed.

What `keyservices` says of itself is not asked. Clients publish and consume through a balancer; what was confirmed to
them has to have been delivered in the end, once at least.
"""

import pytest

from fixtures.dataservices.rabbitmq import COOKIE, QUEUE, RabbitmqTraffic
from fixtures.marks import caught_by, promise, software, topology
from harness.cluster import Cluster
from harness.expectations import acknowledged_gap_at_most, queue_delivers
from harness.faults.network import Isolate
from harness.faults.process import Freeze, Kill
from harness.faults.select import node
from harness.outside import PowerSwitch
from harness.scenario import until_it_bites
from harness.subjects.dataservices.queues import all_are_members, leader
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, POWER_PROGRAM, SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, RABBITMQ, RABBITMQ_SECRETS

AGAIN_WITHIN_S = 30.0
OUTAGE_AT_MOST_S = 12.0
"""A server that is silent is taken for gone after 4 to 7 s."""
TAKEN_OVER_WITHIN_S = 4.0
"""Less than RabbitMQ alone ever needs."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for RabbitMQ, two balancers."""
    roles = dict.fromkeys(SERVERS, "rabbitmq") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def clients(cluster: Cluster) -> RabbitmqTraffic:
    """Of the first balancer."""
    return RabbitmqTraffic(cluster)


@topology("services")
@software(RABBITMQ)
@promise("S4-39", "S4-08", "S4-40", "S4-41", "S4-42", "S4-43", "S4-44", "S4-69", "S4-73", "S4-75", "S4-78")
async def test_rabbitmq_from_nothing_loses_who_leads_its_queue(
    cluster: Cluster, servers: Servers, clients: RabbitmqTraffic
) -> None:
    """Installed, its failover executed, again without a change; then who leads the queue dies under load."""
    cluster.expect(
        queue_delivers(key=QUEUE, delivery="at-least-once", ordered=False),
        acknowledged_gap_at_most(QUEUE, OUTAGE_AT_MOST_S),
    )
    await servers.ready()
    assert await servers.install() > 0
    assert "rabbitmq: complete: its failover was executed\n" in await servers.log(5, "test")
    assert await servers.install() == 0
    assert "and nothing has changed since" in await servers.log(5, "test")
    for one in (*SERVERS, *BALANCERS):
        assert await servers.run(one, f"stat -c %a {RABBITMQ_SECRETS} $(dirname {RABBITMQ_SECRETS})") == "600\n700\n"
    assert len({await servers.run(one, f"sha256sum {COOKIE}") for one in SERVERS}) == 1
    async with clients.running():
        await all_are_members(servers, QUEUE)
        lost = await leader(servers, QUEUE)
        async with cluster.under(Kill(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await leader(servers, QUEUE, but=lost)
        await all_are_members(servers, QUEUE)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    assert await servers.install() == 0


@topology("services")
@software(RABBITMQ)
@promise("S4-43")
async def test_rabbitmq_is_taken_over_once_its_leader_has_no_power(
    cluster: Cluster, servers: Servers, clients: RabbitmqTraffic, power: PowerSwitch
) -> None:
    """Who leads the queue is alone: it loses its power, and then its connections end, for which the others wait."""
    cluster.expect(
        queue_delivers(key=QUEUE, delivery="at-least-once", ordered=False),
        acknowledged_gap_at_most(QUEUE, TAKEN_OVER_WITHIN_S),
    )
    await servers.installed()
    await servers.has_power_program()
    async with clients.running():
        await all_are_members(servers, QUEUE)
        lost = await leader(servers, QUEUE)
        async with cluster.under(Isolate(node(lost))):
            await servers.run(INSTALLER, f"{COMMAND} takeover {lost} --power {POWER_PROGRAM}")
            assert power.switched_off == [lost]
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await cluster.power_on(lost)
        await servers.run(INSTALLER, f"{COMMAND} returned {lost}")
        await all_are_members(servers, QUEUE)


@topology("services")
@software(RABBITMQ, confirms=False)
@caught_by("queue_delivers")
async def test_sabotage_publishers_that_wait_for_no_confirm(
    cluster: Cluster, servers: Servers, clients: RabbitmqTraffic
) -> None:
    """What was sent is taken for acknowledged: what a server had not passed on yet is gone with it."""
    cluster.expect(queue_delivers(key=QUEUE, delivery="at-least-once", ordered=False))
    with until_it_bites():
        await servers.installed()
    async with clients.running():
        lost = await leader(servers, QUEUE)
        async with cluster.under(Kill(node(lost))):
            await leader(servers, QUEUE, but=lost)
        await all_are_members(servers, QUEUE)


@topology("services")
@software(RABBITMQ)
@promise("S4-43")
async def test_rabbitmq_leader_that_stood_still_is_a_member_again(
    cluster: Cluster, servers: Servers, clients: RabbitmqTraffic
) -> None:
    """Who leads the queue stands still until the others have given it up; when it goes on, it is one of them."""
    cluster.expect(queue_delivers(key=QUEUE, delivery="at-least-once", ordered=False))
    await servers.installed()
    async with clients.running():
        await all_are_members(servers, QUEUE)
        lost = await leader(servers, QUEUE)
        async with cluster.under(Freeze(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await all_are_members(servers, QUEUE)


@topology("services")
@software(RABBITMQ)
@caught_by("body_passed")
async def test_sabotage_a_queue_on_one_server_alone(
    cluster: Cluster, servers: Servers, clients: RabbitmqTraffic
) -> None:
    """Queues are classic ones, as they are without the installer's default: nobody takes over."""
    cluster.expect(queue_delivers(key=QUEUE, delivery="at-least-once", ordered=False))
    with until_it_bites():
        await servers.installed()
        await servers.run("s1", "rabbitmqctl -q update_vhost_metadata app --default-queue-type classic")
    async with clients.running():
        lost = await leader(servers, QUEUE)
        async with cluster.under(Kill(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
