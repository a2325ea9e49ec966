"""A node that wrote the new list of nodes, and stood still when all were told to read it, reads it when it is back."""

import asyncio

from fixtures.expected import undisturbed
from fixtures.marks import promise, software, topology
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, node
from harness.wait import until
from scenarios.sfha.nodes.test_removal import agree

TOOL = "/usr/sbin/corosync-cfgtool"
ASKED, MAY_GO = "/run/reload-asked", "/run/reload-may-go"
HOLDS_BACK = f"""mv {TOOL} {TOOL}.own && cat > {TOOL} << 'END' && chmod 755 {TOOL}
#!/bin/sh
touch {ASKED}
until [ -e {MAY_GO} ]; do sleep 0.02; done
exec {TOOL}.own "$@"
END
"""
"""Whoever has Corosync read its file on this node waits until told."""


@topology("five-nodes")
@software("sfha", "etcd", apart=("n5",))
@promise("S2-06", "S2-16", "S2-46")
async def test_node_frozen_between_writing_its_file_and_reading_it(
    cluster: Cluster, vip: str, operator: Operator
) -> None:
    """n5 joins; n4 is told to write it down, and frozen when Corosync is told to read it: else rings never settle."""
    cluster.expect(*undisturbed(vip, outage_s=10))
    members, there = ("n1", "n2", "n3", "n4"), ("n1", "n2", "n3")
    for name in members:
        await operator.succeeds(name, HOLDS_BACK)
    before = await operator.corosyncs()
    token = await operator.token("n1")
    joining = asyncio.create_task(operator.does("n5", "join", token))

    async def asked() -> bool:
        return "yes" in await operator.shell("n1", f"test -e {ASKED} && echo yes")

    await until(asked, within_s=20, every_s=0.02, what="n1 has had everybody write the list down, and has it read")
    async with cluster.under(Freeze(node("n4"))):
        await cluster.until(quorate(there, there), within_s=10)
        for name in there:
            await operator.shell(name, f"touch {MAY_GO}")
        await joining
        await cluster.until(quorate((*there, "n5"), (*there, "n5")), within_s=10)
    await operator.shell("n4", f"touch {MAY_GO}")
    everybody = cluster.all_but(())
    await cluster.until(quorate(everybody, everybody), within_s=20)
    await agree(cluster, operator, everybody)
    (behind,) = [one for one in await operator.log("n4") if one["event"] == "corosync-behind"]
    assert any(one.startswith("5 ") for one in behind["lacks"]), behind
    await operator.logged("n4", "corosync-caught-up")
    for name in everybody:
        assert (await operator.status(name))["corosync_behind"] is None, name
    assert (await operator.corosyncs()).items() >= before.items(), "a Corosync was started anew"
    for name in members:
        await operator.succeeds(name, f"mv {TOOL}.own {TOOL}")
    async with cluster.under(Kill(holder_of(vip))) as kill:
        await cluster.until(held_by_one_of(vip, cluster.all_but(kill.targets)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=20)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
