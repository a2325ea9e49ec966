"""A leader that has no room on its disk gives way to a node that has, says why, and leads again when it has."""

from fixtures.expected import highly_available
from fixtures.marks import hosts_kernel, promise
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.faults.disk import DiskFull
from harness.faults.select import node as the_node
from harness.ledger import ClusterLedger
from scenarios.sfha.resources.asking import comes_true, moves, run, status

NOTICED_WITHIN_S = 10.0
"""Twice as long as it takes a daemon to look again."""


@hosts_kernel("a disk is full by a mount over it, in a node of the host's kernel")
@promise("D-55")
async def test_a_leader_without_room_on_its_disk_gives_way(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    cluster.expect(*highly_available(vip, outage_s=1.0))
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    before = await moves(cluster, "n3")
    async with ledger.writing():
        async with cluster.under(DiskFull(the_node("n1"), "/etc/sfha")):
            await cluster.until(held_by_one_of(vip, ("n2", "n3")), within_s=NOTICED_WITHIN_S)
            for node in cluster.topology.node_names:
                assert await _reluctant(cluster, node) == [["disk"], [], []]
            assert "no room on its disk" in await run(cluster, "n2", "sfha", "status")
            assert "would rather not lead" in await run(cluster, "n2", "sfha", "failover", "--to", "n1", exit_code=1)
            assert "MB" in await run(cluster, "n1", "sfha", "doctor", exit_code=1)
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=NOTICED_WITHIN_S)
        await comes_true("n2 hears that n1 is willing", lambda: _is_willing(cluster, "n2"))
        assert await moves(cluster, "n3") - before == 2, "there and back"


async def _reluctant(cluster: Cluster, asked: str) -> list[list[str]]:
    """Of each node, as one of them sees it."""
    return [one["reluctant"] for one in (await status(cluster, asked))["nodes"]]


async def _is_willing(cluster: Cluster, asked: str) -> bool:
    return await _reluctant(cluster, asked) == [[], [], []]
