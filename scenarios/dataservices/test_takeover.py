"""A PostgreSQL on servers that sfha watches and fences: nobody is called, and its clients hardly wait.

What sfha and `keyservices` say of it is not asked: clients write through a balancer, and to each server itself; and
what the servers' kernels refuse is looked at.
"""

import pytest

from fixtures.dataservices.postgresql import DIRECT, PostgresqlTraffic
from fixtures.marks import image, nightly, promise, software, topology
from harness.checks.durability import LEDGER
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import quorate
from harness.expectations import acknowledged_gap_at_most, nothing_lost, one_acknowledges, set_complete
from harness.faults.network import Isolate
from harness.faults.process import Kill
from harness.faults.select import node
from harness.outside import PowerSwitch
from harness.subjects.dataservices.postgresql import all_follow, leader, led_by_one_of
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, POSTGRESQL
from harness.wait import until

IMAGE = "services-fenced"
AGAIN_WITHIN_S = 40.0
WAITS_AT_MOST_S = 4.0
"""Some 1.2 s, and another second where the lost server led etcd as well, on a host that is not busy. Patroni alone
holds a leader that went silent for alive for 20 s."""
ALONE_AT_LEAST_S = 12.0
"""What Patroni alone needs at the very least: no takeover can have had a part in that."""
BUSY_S = 5.0
"""sfha's loop beside an installation of six servers on few processors; it holds no address here."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for PostgreSQL, two balancers."""
    return Servers(cluster, dict.fromkeys(SERVERS, "postgresql") | dict.fromkeys(BALANCERS, "haproxy"))


@pytest.fixture
def clients(cluster: Cluster) -> PostgresqlTraffic:
    """Of the first balancer, and of each server."""
    return PostgresqlTraffic(cluster)


# Installing makes servers slow, not dead: the delay of fencing is the usual one, which nobody waits for who is off.
fenced = software("sfha-fenced", POSTGRESQL, writes=False, provider="webhook", fence_delay_s=10, blocked_s=BUSY_S)


@nightly
@topology("services")
@image(IMAGE)
@fenced
@promise("S4-29")
async def test_postgresql_is_taken_over_by_itself_when_its_leader_loses_its_power(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic, power: PowerSwitch
) -> None:
    """sfha sees that it is off, every survivor does its part; and when it is back, it is reached and follows."""
    cluster.expect(
        nothing_lost(LEDGER),
        set_complete(DIRECT),
        one_acknowledges(DIRECT),
        acknowledged_gap_at_most(LEDGER, WAITS_AT_MOST_S),
    )
    lost = await _installed(cluster, servers)
    survivors = tuple(one for one in (*SERVERS, *BALANCERS) if one != lost)
    async with clients.running():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await _all_refuse(servers, survivors, cluster.plan.address(lost))
            assert power.switched_off == []
        await _all_refuse(servers, survivors, "")
        await all_follow(servers)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)


@nightly
@topology("services")
@image(IMAGE)
@fenced
@promise("S4-29")
async def test_postgresql_that_is_merely_cut_off_is_not_taken_over(
    cluster: Cluster, servers: Servers, clients: PostgresqlTraffic, power: PowerSwitch
) -> None:
    """The switch is out of order: whether its leader is dead nobody knows, so Patroni's own time passes."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT), one_acknowledges(DIRECT))
    lost = await _installed(cluster, servers)
    survivors = tuple(one for one in (*SERVERS, *BALANCERS) if one != lost)
    async with clients.running():
        async with power.answering("with an error"), cluster.under(Isolate(node(lost))):
            cut_at_s = now_s()
            await led_by_one_of(servers, [one for one in SERVERS if one != lost])
            assert now_s() - cut_at_s > ALONE_AT_LEAST_S
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            assert await _refused(servers, survivors) == dict.fromkeys(survivors, "")
        assert power.switched_off == []
        await all_follow(servers)


async def _installed(cluster: Cluster, servers: Servers) -> str:
    """PostgreSQL, and what sfha tells; returns who leads."""
    nodes = cluster.topology.node_names
    await servers.installed()
    await cluster.until(quorate(nodes, nodes), within_s=30)
    await servers.run(INSTALLER, f"{COMMAND} follow-fencing")
    assert "0 changed" in (await servers.run(INSTALLER, f"{COMMAND} follow-fencing")).splitlines()[-1]
    return await leader(servers)


async def _refused(servers: Servers, some: tuple[str, ...]) -> dict[str, str]:
    """The addresses that these servers refuse."""
    ask = "ip rule show | sed -n 's/.* to \\(.*\\) ipproto .* unreachable.*/\\1/p'"
    return {one: (await servers.run(one, ask)).strip() for one in some}


async def _all_refuse(servers: Servers, some: tuple[str, ...], address: str) -> None:
    """This address or, where it is empty, none. A survivor that lost the others for a moment is told a little later."""

    async def so() -> bool:
        return await _refused(servers, some) == dict.fromkeys(some, address)

    await until(so, within_s=AGAIN_WITHIN_S, every_s=0.5, what=f"{', '.join(some)} refuse {address or 'nobody'}")
