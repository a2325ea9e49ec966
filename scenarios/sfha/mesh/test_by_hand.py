"""The ways beside the automatic one: a reply token carried by a person, and a node evicted by the leader."""

from fixtures.expected import undisturbed
from fixtures.marks import promise, software
from fixtures.sfha.asking import asked
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.wait import until


@software("sfha-unconfigured", "etcd")
@promise("S1-09", "S2-04", "D-15")
async def test_reply_token_and_eviction(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Registered by `mesh add-peer`; the service answers members, on the mesh address, and tells strangers nothing."""
    nodes = [word for name in cluster.all_but(()) for word in ("--node", name)]
    await operator.founds("n1", "--stonith", "command", "--program", "/bin/true", *nodes)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    token = await operator.token("n1")
    await operator.shell("n2", f"setsid sfha join --reply {token} > /tmp/join 2>&1 < /dev/null &")

    async def reply() -> str:
        said = (await operator.shell("n2", "grep -o 'sfha-reply://[A-Za-z0-9_=-]*' /tmp/join")).split()
        return said[0] if said else ""

    carried = await until(reply, within_s=15, every_s=0.1, what="n2 prints a reply token")
    await operator.does("n1", "mesh", "add-peer", carried)
    await operator.all_list(("n1", "n2"), ("n1", "n2"), within_s=30)
    await operator.joins("n3", seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    for name in everybody:  # what init was told of fencing, the others have from it
        fencing = (await operator.status(name))["stonith"]
        assert (fencing["provider"], [one["configured"] for one in fencing["nodes"]]) == ("command", [True] * 3)
    assert "404" in await operator.shell("n3", "curl -s -i -m 3 http://10.90.0.1:7777/ping")
    listening = await operator.shell("n3", "cat /proc/net/tcp")
    assert [
        line.split()[1]
        for line in listening.splitlines()
        if line.split()[1].endswith(":1E61") and line.split()[3] == "0A"
    ] == [
        "03005A0A:1E61"  # 10.90.0.3:7777, and no other address
    ]
    [(status, said)] = await asked(operator, "n2", "n3", "/api/node/evict", {"name": "n2", "force": True})
    assert status == 409, said  # n3 does not lead
    [(status, said)] = await asked(operator, "n2", "n1", "/api/node/evict", {"name": "n3", "force": True}, timeout_s=30)
    assert status == 200, said
    await operator.all_list(("n1", "n2"), ("n1", "n2"))
    await operator.logged("n3", "left-cluster")
    await cluster.shut_down("n3")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
