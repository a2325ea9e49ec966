"""A disk that refuses what it is told to keep (EIO on fsync), under a store: what was acknowledged is there afterwards.

Only a node with a kernel of its own has a disk of which some sectors can be bad.
"""

import pytest

from fixtures.marks import caught_by, software, topology
from harness.cluster import Cluster
from harness.expectations import nothing_lost
from harness.faults.daemons import processes_of
from harness.faults.disk import BadSectors
from harness.faults.process import Kill
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.scenario import until_it_bites
from harness.wait import until

NODE, DAEMON, PORT = "n1", "redis-server", 6379
ENDS_WITHIN_S = 20.0
LOGS = "/var/lib/redis/appendonlydir"
NEWEST = f"{LOGS}/appendonly.aof.1.incr.aof"
MEND_AND_START = f"""\
yes | redis-check-aof --fix {LOGS}/appendonly.aof.manifest
setsid /etc/boot.d/40-redis > /var/log/boot/40-redis.again.log 2>&1 < /dev/null &
"""
"""What a Redis asks for that finds its log damaged; it cuts off what cannot be read, and all that comes after it."""


@pytest.fixture
def ledger(cluster: Cluster) -> ClusterLedger:
    """Writes to the node with the bad disk, and is read back from there."""
    return ClusterLedger(cluster, cluster.plan.address(NODE), "redis", PORT, members=(NODE,))


@topology("one-own-kernel")
@software("redis")
async def test_a_store_that_syncs_stops_where_it_cannot(cluster: Cluster, ledger: ClusterLedger) -> None:
    """With appendfsync=always: it acknowledges nothing that was not synced, and ends."""
    cluster.expect(nothing_lost())
    await bad_disk_and_power_cut(cluster, ledger, ends=True)


@topology("one-own-kernel")
@caught_by("nothing_lost")
@software("redis", appendfsync="no")
async def test_a_store_that_does_not_sync_is_never_told(cluster: Cluster, ledger: ClusterLedger) -> None:
    """The kernel has told nobody; and all that was good was synced before the power went."""
    cluster.expect(nothing_lost())
    with until_it_bites():
        await bad_disk_and_power_cut(cluster, ledger, ends=False)


async def bad_disk_and_power_cut(cluster: Cluster, ledger: ClusterLedger, *, ends: bool) -> None:
    """While clients write, the page to which a log grows is bad for a while; then, all being synced, the power goes."""

    async def has_ended() -> bool:
        return not processes_of(cluster, NODE, DAEMON)

    async with ledger.writing():
        async with cluster.under(BadSectors(node(NODE), NEWEST, memory="kept")):
            if ends:
                await until(has_ended, within_s=ENDS_WITHIN_S, what=f"{DAEMON} ends")
            else:
                await cluster.until(ledger.acknowledges_again(), within_s=20)
            await cluster.engine.exec(NODE, ["sync"])
        async with cluster.under(Kill(node(NODE))):
            pass
        await cluster.stay(for_s=2, why=f"{DAEMON} reads its log")
        if await has_ended():
            await cluster.engine.exec(NODE, ["sh", "-c", MEND_AND_START])
        await cluster.until(ledger.acknowledges_again(), within_s=40)
