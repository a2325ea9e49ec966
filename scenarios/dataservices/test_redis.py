"""Redis on fresh servers: installed from nothing by one command, and every failover executed.

What `keyservices` says of itself is not asked. Clients write through a balancer, and each server is read in the end.
"""

import pytest

from fixtures.dataservices.servers import Servers
from fixtures.marks import caught_by, promise, software, topology
from harness.cluster import Cluster
from harness.expectations import nothing_lost
from harness.faults.process import Kill
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.scenario import until_it_bites
from harness.subjects.dataservices.subject import COMMAND, REDIS_PORT, SECRETS
from harness.wait import until

BALANCER, OTHER_BALANCER = "b1", "b2"
REDIS = ("s1", "s2", "s3")
FAILOVER_WITHIN_S, REJOINED_WITHIN_S = 10.0, 60.0


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for Redis, two balancers."""
    roles = dict.fromkeys(REDIS, "redis") | dict.fromkeys((BALANCER, OTHER_BALANCER), "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def ledger(cluster: Cluster) -> ClusterLedger:
    """Writes through the first balancer."""
    return ClusterLedger(cluster, cluster.plan.address(BALANCER), COMMAND, REDIS_PORT, members=REDIS)


async def _replication(servers: Servers, one: str) -> str:
    ask = f". {SECRETS}; REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --no-auth-warning info replication"
    return await servers.run(one, ask, code=None)


async def _master(servers: Servers) -> str:
    """The one server that is master and has replicas."""

    async def found() -> str | None:
        said = {one: await _replication(servers, one) for one in REDIS if servers.cluster.is_up(one)}
        masters = [one for one, text in said.items() if "role:master" in text and "connected_slaves:0" not in text]
        return masters[0] if len(masters) == 1 else None

    return await until(found, within_s=20, every_s=0.2, what="one of them is master, with replicas")


async def _follows(servers: Servers, one: str) -> None:
    """This server is a replica, and has what its master has."""

    async def in_step() -> bool:
        said = await _replication(servers, one)
        return "role:slave" in said and "master_link_status:up" in said and "master_sync_in_progress:0" in said

    await until(in_step, within_s=REJOINED_WITHIN_S, every_s=0.2, what=f"{one} follows")


@topology("services")
@software(COMMAND)
@promise("S4-02", "S4-03", "S4-04", "S4-30", "S4-31", "S4-35", "S4-36", "S4-37", "S4-38", "S4-70", "S4-73", "S4-78")
async def test_redis_from_nothing_loses_its_master(cluster: Cluster, servers: Servers, ledger: ClusterLedger) -> None:
    """Installed, and again, which changes nothing; its master dies while clients write, and comes back a replica."""
    cluster.expect(nothing_lost())
    await servers.ready()
    assert await servers.install() > 0
    assert await servers.install() == 0
    for one in (*REDIS, BALANCER, OTHER_BALANCER):
        assert await servers.run(one, f"stat -c %a {SECRETS}") == "600\n"
    assert "NOAUTH" in await servers.run("s1", "redis-cli ping", code=None)
    lost = await _master(servers)
    async with ledger.writing():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
        await _follows(servers, lost)
        assert await _master(servers) != lost
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
        await servers.ready()
        await servers.install()
        await servers.run(BALANCER, 'sed -i \'s/"password": "/&x/\' /etc/keyservices/sentinel-watcher.json')
        await servers.run(BALANCER, "systemctl restart sentinel-watcher.service")
        lost = await _master(servers)
    async with ledger.writing(), cluster.under(Kill(node(lost))):
        with until_it_bites():
            await _master(servers)
        await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
