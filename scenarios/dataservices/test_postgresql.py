"""PostgreSQL on fresh servers: installed from nothing by one command, and every failover executed.

What `keyservices` and Patroni say of themselves is not asked. Clients write through a balancer, and to each server
itself; each server is read in the end.
"""

import pytest

from fixtures.dataservices.postgresql import DIRECT, PostgresqlTraffic
from fixtures.marks import caught_by, image, promise, software, topology
from harness.checks.durability import LEDGER
from harness.cluster import Cluster
from harness.expectations import (
    acknowledged_gap_at_most,
    nothing_lost,
    one_acknowledges,
    set_complete,
)
from harness.faults.network import Isolate, Partition
from harness.faults.process import Kill, Suspend
from harness.faults.select import node
from harness.outside import PowerSwitch
from harness.scenario import until_it_bites
from harness.subjects.dataservices.postgresql import all_follow, asynchronous, leader, led_by_one_of, waits_cancelled
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, POWER_PROGRAM, SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, POSTGRESQL, POSTGRESQL_SECRETS

PREPARED = "services-postgresql"
"""An image of which most is installed: only one scenario is about installing, which takes longer than all else."""
AGAIN_WITHIN_S = 40.0
OUTAGE_AT_MOST_S = 30.0
"""Patroni's shortest: it holds a leader that went silent for alive for 20 s."""
TAKEN_OVER_WITHIN_S = 12.0
"""Well below what Patroni alone needs, on a host that is busy."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for PostgreSQL, two balancers."""
    roles = dict.fromkeys(SERVERS, "postgresql") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def clients(cluster: Cluster) -> PostgresqlTraffic:
    """Of the first balancer, and of each server."""
    return PostgresqlTraffic(cluster)


@topology("services")
@software(POSTGRESQL)
@promise("S4-23", "S4-08", "S4-24", "S4-25", "S4-26", "S4-27", "S4-28", "S4-29", "S4-69", "S4-73", "S4-75", "S4-78")
async def test_postgresql_from_nothing_loses_its_leader(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic
) -> None:
    """Installed, its failover executed, and again, which changes nothing; its leader dies while clients write."""
    cluster.expect(
        nothing_lost(LEDGER),
        set_complete(DIRECT),
        one_acknowledges(DIRECT),
        acknowledged_gap_at_most(LEDGER, OUTAGE_AT_MOST_S),
    )
    await servers.ready()
    assert await servers.install() > 0
    assert "postgresql: complete: its failover was executed\n" in await servers.log(3, "test")
    assert await servers.install() == 0
    assert "and nothing has changed since" in await servers.log(3, "test")
    for one in (*SERVERS, *BALANCERS):
        assert (
            await servers.run(one, f"stat -c %a {POSTGRESQL_SECRETS} $(dirname {POSTGRESQL_SECRETS})") == "600\n700\n"
        )
    lost = await leader(servers)
    async with clients.running():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await all_follow(servers)
        assert await leader(servers) != lost
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    assert await servers.install() == 0


@topology("services")
@image(PREPARED)
@software(POSTGRESQL)
@promise("S4-29")
async def test_postgresql_leader_cut_off_and_then_all_without_power(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic
) -> None:
    """The leader is cut off from the other servers, and clients still reach it; later all three lose their power."""
    cluster.expect(
        nothing_lost(LEDGER),
        set_complete(DIRECT),
        one_acknowledges(DIRECT),
    )
    await servers.installed()
    lost = await leader(servers)
    async with clients.running():
        await _cut_off(cluster, servers, clients, lost)
        async with cluster.under(Kill(node(*SERVERS))):
            pass
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await all_follow(servers)


@topology("services")
@image(PREPARED)
@software(POSTGRESQL)
@promise("S4-29")
async def test_postgresql_is_taken_over_once_its_leader_has_no_power(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic, power: PowerSwitch
) -> None:
    """The leader is alone: it loses its power, and only then the others need not wait for its lease."""
    cluster.expect(
        nothing_lost(LEDGER),
        set_complete(DIRECT),
        one_acknowledges(DIRECT),
        acknowledged_gap_at_most(LEDGER, TAKEN_OVER_WITHIN_S),
    )
    await servers.installed()
    await servers.has_power_program()
    lost = await leader(servers)
    takeover = f"{COMMAND} takeover {lost} --power {POWER_PROGRAM}"
    async with clients.running():
        async with power.answering("with an error"):
            assert "503" in await servers.run(INSTALLER, takeover, code=1)
        assert await leader(servers) == lost
        async with cluster.under(Isolate(node(lost))):
            await servers.run(INSTALLER, takeover)
            assert power.switched_off == [lost]
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await cluster.power_on(lost)
        await servers.run(INSTALLER, f"{COMMAND} returned {lost}")
        await all_follow(servers)


@topology("services")
@image(PREPARED)
@software(POSTGRESQL)
@caught_by("nothing_lost")
async def test_sabotage_a_leader_that_acknowledges_alone(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic
) -> None:
    """Replication is asynchronous: what a leader that is cut off acknowledges is gone with it."""
    cluster.expect(nothing_lost(LEDGER))
    with until_it_bites():
        await servers.installed()
        lost = await leader(servers)
        await asynchronous(servers, lost)
    async with clients.running():
        await _cut_off(cluster, servers, clients, lost)


@topology("services")
@image(PREPARED)
@software(POSTGRESQL)
@caught_by("nothing_lost")
async def test_postgresql_loses_what_was_not_waited_for(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic
) -> None:
    """Who cancels a commit that waits for its replica has it acknowledged all the same (patroni#1412)."""
    cluster.expect(nothing_lost(LEDGER))
    with until_it_bites():
        await servers.installed()
        lost = await leader(servers)
    async with clients.running():
        others = tuple(one for one in SERVERS if one != lost)
        async with cluster.under(Partition((lost,), others)):
            with until_it_bites():
                await waits_cancelled(servers, lost)
            await led_by_one_of(servers, others)
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await all_follow(servers)


@topology("services")
@image(PREPARED)
@software(POSTGRESQL)
@caught_by("one_acknowledges")
async def test_postgresql_has_two_leaders_when_a_patroni_hangs(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic
) -> None:
    """The leader's Patroni stands still, its PostgreSQL does not; with asynchronous replication both acknowledge."""
    cluster.expect(one_acknowledges(DIRECT), nothing_lost(LEDGER), set_complete(DIRECT))
    with until_it_bites():
        await servers.installed()
        lost = await leader(servers)
        await asynchronous(servers, lost)
    async with clients.running():
        async with cluster.under(Suspend(node(lost), "patroni")):
            with until_it_bites():
                await led_by_one_of(servers, tuple(one for one in SERVERS if one != lost))
                await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await all_follow(servers)


async def _cut_off(cluster: Cluster, servers: Servers, clients: PostgresqlTraffic, lost: str) -> None:
    """The leader is cut off from the other servers until another one leads, and follows that when it is back."""
    others = tuple(one for one in SERVERS if one != lost)
    async with cluster.under(Partition((lost,), others)):
        await led_by_one_of(servers, others)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    await all_follow(servers)
