"""A cluster grows from one node to seven and shrinks to one again: right at every size."""

from fixtures.expected import undisturbed
from fixtures.marks import nightly, promise, software, topology
from fixtures.sfha.operator import Operator, node_count, two_node
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.wait import until


@nightly
@topology("seven-nodes")
@software("sfha-unconfigured", "etcd")
@promise("S2-15", "S2-18", "D-01", "D-03")
async def test_from_one_to_seven_and_back(cluster: Cluster, vip: str, operator: Operator) -> None:
    """two_node if and only if two vote, in every file and in every Corosync that runs; none of them is restarted."""
    names = cluster.topology.node_names
    await operator.founds(names[0])
    await cluster.until(held_by_one_of(vip, names[:1]), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=1))
    await _right(cluster, operator, names[:1])
    for size in range(2, len(names) + 1):
        await operator.joins(names[size - 1], seeder=names[size // 2 - 1])
        await _right(cluster, operator, names[:size])
    first = await operator.corosyncs()
    for size in range(len(names) - 1, 0, -1):
        await operator.does(names[size], "leave")
        await _right(cluster, operator, names[:size])
        assert await operator.corosyncs() == {name: first[name] for name in names[:size]}
        await cluster.shut_down(names[size])


async def _right(cluster: Cluster, operator: Operator, members: tuple[str, ...]) -> None:
    """All of them list all of them, and count two nodes as two where there are two."""
    await operator.all_list(members, members)
    await cluster.until(quorate(members, members), within_s=10)

    async def written() -> bool:
        confs = {await operator.corosync_conf(name) for name in members}
        return {(node_count(conf), two_node(conf)) for conf in confs} == {(len(members), len(members) == 2)}

    async def counts() -> bool:
        flags = [await operator.shell(name, "corosync-quorumtool -s | grep ^Flags:") for name in members]
        return ["2Node" in one for one in flags] == [len(members) == 2] * len(members)

    await until(written, within_s=10, every_s=0.1, what=f"corosync.conf is right for {len(members)} nodes")
    await until(counts, within_s=10, every_s=0.1, what=f"Corosync counts right on {len(members)} nodes")
