"""Redis on fresh servers: installed from nothing by one command, and every failover executed.

What `keyservices` says of itself is not asked. Clients write through a balancer, and each server is read in the end.
"""

import pytest

from fixtures.marks import caught_by, promise, software, topology
from harness.cluster import Cluster
from harness.expectations import nothing_lost
from harness.faults.network import Partition
from harness.faults.process import Kill
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.scenario import until_it_bites
from harness.subjects.dataservices.redis import follows, master
from harness.subjects.dataservices.servers import BALANCERS, SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, REDIS_PORT, SECRETS

BALANCER, *_ = BALANCERS
SENTINEL_FAILOVER = (
    f". {SECRETS}; REDISCLI_AUTH=$SENTINEL_PASSWORD redis-cli --no-auth-warning -p 26379 sentinel failover main"
)
FAILOVER_WITHIN_S = 10.0


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for Redis, two balancers."""
    roles = dict.fromkeys(SERVERS, "redis") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def ledger(cluster: Cluster) -> ClusterLedger:
    """Writes through the first balancer."""
    return ClusterLedger(cluster, cluster.plan.address(BALANCER), COMMAND, REDIS_PORT, members=SERVERS)


@topology("services")
@software(COMMAND)
@promise(
    "S4-02",
    "S4-08",
    "S4-03",
    "S4-04",
    "S4-30",
    "S4-31",
    "S4-33",
    "S4-35",
    "S4-36",
    "S4-37",
    "S4-38",
    "S4-70",
    "S4-73",
    "S4-78",
)
async def test_redis_from_nothing_loses_its_master(cluster: Cluster, servers: Servers, ledger: ClusterLedger) -> None:
    """Installed, its failover executed, again without a change; then its master dies, and comes back a replica."""
    cluster.expect(nothing_lost())
    await servers.ready()
    assert await servers.install() > 0
    assert "redis: complete: its failover was executed\n" in await servers.log(4, "test")
    assert await servers.install() == 0
    assert "and nothing has changed since" in await servers.log(4, "test")
    for one in (*SERVERS, *BALANCERS):
        assert await servers.run(one, f"stat -c %a {SECRETS} $(dirname {SECRETS})") == "600\n700\n"
    assert "NOAUTH" in await servers.run("s1", "redis-cli ping", code=None)
    lost = await master(servers)
    async with ledger.writing():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
        await follows(servers, lost)
        assert await master(servers) != lost
        await servers.run(BALANCER, "systemctl restart haproxy")  # whose file names the first server
        await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
    assert await servers.install() == 0


@topology("services")
@software(COMMAND)
@caught_by("body_passed")
@promise("S4-32")
async def test_sabotage_a_watcher_that_may_not_log_in(
    cluster: Cluster, servers: Servers, ledger: ClusterLedger
) -> None:
    """The watcher of the clients' balancer has another password: the Sentinels choose, and nobody is told."""
    cluster.expect(nothing_lost())
    with until_it_bites():
        await servers.installed()
        await servers.run(BALANCER, 'sed -i \'s/"password": "/&x/\' /etc/keyservices/sentinel-watcher.json')
        await servers.run(BALANCER, "systemctl restart sentinel-watcher.service")
        lost = await master(servers)
    async with ledger.writing(), cluster.under(Kill(node(lost))):
        with until_it_bites():
            await master(servers)
        await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)


@topology("services")
@software(COMMAND)
@caught_by("nothing_lost")
async def test_redis_loses_what_a_master_that_is_cut_off_acknowledges(
    cluster: Cluster, servers: Servers, ledger: ClusterLedger
) -> None:
    """Until it has missed its replicas, it acknowledges what nobody else has; clients do not WAIT."""
    cluster.expect(nothing_lost())
    with until_it_bites():
        await servers.installed()
        lost = await master(servers)
    async with ledger.writing():
        others = tuple(one for one in SERVERS if one != lost)
        async with cluster.under(Partition((lost,), others)):
            await master(servers, others)
            await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
        await follows(servers, lost)


@topology("services")
@software(COMMAND)
@caught_by("nothing_lost")
async def test_redis_loses_writes_when_it_is_failed_over_by_hand(
    cluster: Cluster, servers: Servers, ledger: ClusterLedger
) -> None:
    """Nothing is broken: SENTINEL FAILOVER promotes a replica while the master goes on to acknowledge (redis#6062)."""
    cluster.expect(nothing_lost())
    with until_it_bites():
        await servers.installed()
        lost = await master(servers)
    async with ledger.writing():
        assert "OK" in await servers.run("s1", SENTINEL_FAILOVER)
        await follows(servers, lost)
        await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
