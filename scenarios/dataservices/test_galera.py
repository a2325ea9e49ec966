"""MariaDB Galera on fresh servers: installed from nothing by one command, and every failover executed.

What `keyservices` and Galera say of themselves is not asked. Clients write through a balancer, and to each server
itself, as every server takes writes; each server is read in the end, and has to hold all of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fixtures.dataservices.galera import DIRECT, LISTS, REGISTER, GaleraTraffic, contended
from fixtures.marks import caught_by, image, promise, software, topology
from harness.checks.durability import LEDGER
from harness.cluster import Cluster
from harness.expectations import (
    acknowledged_gap_at_most,
    linearizable_register,
    list_transactions,
    nothing_lost,
    set_complete,
)
from harness.faults.network import Partition
from harness.faults.process import Kill, Slow
from harness.faults.select import node
from harness.scenario import until_it_bites
from harness.subjects.dataservices.galera import forced_to_begin, in_step, writer
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, GALERA, GALERA_SECRETS

PREPARED = "services-galera"
"""An image of which most is installed: only one scenario is about installing, which takes longer than all else."""
AGAIN_WITHIN_S = 40.0
SLOW_FOR_S = 30.0
OUTAGE_AT_MOST_S = 10.0
"""A second until the others hold a node for dead, two checks of HAProxy, and a host that is busy."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for Galera, two balancers."""
    roles = dict.fromkeys(SERVERS, "galera") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def clients(cluster: Cluster) -> GaleraTraffic:
    """Of the first balancer, and of each server."""
    return GaleraTraffic(cluster)


@topology("services")
@software(GALERA)
@promise("S4-48", "S4-08", "S4-49", "S4-50", "S4-51", "S4-52", "S4-69", "S4-73", "S4-75", "S4-78")
async def test_galera_from_nothing_loses_its_writer(cluster: Cluster, servers: Servers, clients: GaleraTraffic) -> None:
    """Installed, its failover executed, and again, which changes nothing; who is written to dies meanwhile."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT), acknowledged_gap_at_most(LEDGER, OUTAGE_AT_MOST_S))
    await servers.ready()
    assert await servers.install() > 0
    assert "galera: complete: its failover was executed\n" in await servers.log(7, "test")
    assert await servers.install() == 0
    assert "and nothing has changed since" in await servers.log(7, "test")
    for one in (INSTALLER, *SERVERS):
        assert await servers.run(one, f"stat -c %a {GALERA_SECRETS} $(dirname {GALERA_SECRETS})") == "600\n700\n"
    lost = await writer(servers)
    async with clients.running():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            assert await writer(servers) != lost
        await in_step(servers)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    assert await servers.install() == 0


@topology("services")
@image(PREPARED)
@software(GALERA)
@promise("S4-49", "S4-51")
async def test_galera_writer_cut_off_and_then_all_without_power(
    cluster: Cluster, servers: Servers, clients: GaleraTraffic
) -> None:
    """Who is written to is cut off from the others, not from clients; later all three lose their power together."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT))
    await _installed(servers)
    async with clients.running():
        lost = await writer(servers)
        async with cluster.under(Partition((lost,), tuple(one for one in SERVERS if one != lost))):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            assert await writer(servers) != lost
        await in_step(servers)
        async with cluster.under(Kill(node(*SERVERS))):
            pass
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
        await in_step(servers)


@topology("services")
@image(PREPARED)
@software(GALERA)
@promise("S4-51")
async def test_galera_is_begun_again_by_who_has_most(
    cluster: Cluster, servers: Servers, clients: GaleraTraffic
) -> None:
    """One loses its power, the others go on, then stop in good order: none begins by itself; the last one has most."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT))
    await _installed(servers)
    async with clients.running():
        async with _dark(cluster, servers, clients):
            pass
        said = await servers.run(INSTALLER, f"{COMMAND} install --from 3 --skip-validation", within_s=240)
        assert "  s2 begins: commit " in said
        await in_step(servers)
        await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
    assert await servers.install("--skip-validation") == 0


@topology("services")
@image(PREPARED)
@software(GALERA)
@caught_by("nothing_lost")
async def test_sabotage_who_is_behind_is_said_to_be_safe(
    cluster: Cluster, servers: Servers, clients: GaleraTraffic
) -> None:
    """The same, and somebody marks the server that is behind as safe to begin: what the others acknowledged is gone."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT))
    with until_it_bites():
        await _installed(servers)
    async with clients.running():
        async with _dark(cluster, servers, clients):
            pass
        with until_it_bites():
            await forced_to_begin(servers, "s3")
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)


@topology("services")
@image(PREPARED)
@software(GALERA)
@caught_by("nothing_lost")
async def test_galera_loses_what_it_does_not_flush(cluster: Cluster, servers: Servers, clients: GaleraTraffic) -> None:
    """With innodb_flush_log_at_trx_commit = 0, as Galera's documentation recommends, all die at once (MDEV-38974)."""
    cluster.expect(nothing_lost(LEDGER), set_complete(DIRECT))
    with until_it_bites():
        await _installed(servers)
        for one in SERVERS:
            setting = "s/^innodb_flush_log_at_trx_commit = 1/innodb_flush_log_at_trx_commit = 0/"
            await servers.run(
                one, f"sed -i '{setting}' $(grep -rl wsrep_node_name /etc/mysql); systemctl restart mariadb"
            )
            await in_step(servers)
    async with clients.running():
        for _ in range(3):  # it may just have flushed, as it does once a second
            async with cluster.under(Kill(node(*SERVERS))):
                pass
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await in_step(servers)


@topology("services")
@image(PREPARED)
@software(GALERA, session={"wsrep_sync_wait": 0})
@caught_by("linearizable_register")
async def test_galera_reads_what_is_stale_from_a_server_that_is_slow(cluster: Cluster, servers: Servers) -> None:
    """What one server has acknowledged, another has not applied yet: a client has to ask it to wait (MDEV-38999)."""
    cluster.expect(linearizable_register(REGISTER), list_transactions("snapshot-isolation", key=LISTS))
    with until_it_bites():
        await _installed(servers)
    async with contended(cluster).running(), cluster.under(Slow(node("s3"), share=0.1)):
        await cluster.stay(for_s=SLOW_FOR_S, why="reads meet writes that are not applied yet")


async def _installed(servers: Servers) -> None:
    await servers.installed()
    await in_step(servers)


@asynccontextmanager
async def _dark(cluster: Cluster, servers: Servers, clients: GaleraTraffic) -> AsyncIterator[None]:
    """s3 loses its power, s1 leaves in good order, then s2, alone by then; for the length of a block all are dark."""
    async with cluster.under(Kill(node("s3"))):
        for one in ("s1", "s2"):
            await cluster.until(clients.acknowledges_again(), within_s=AGAIN_WITHIN_S)
            await servers.run(one, "systemctl stop mariadb")
        async with cluster.under(Kill(node("s1", "s2"))):
            yield
