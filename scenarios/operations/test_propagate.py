"""`sfha propagate`: all nodes get the configuration, and Corosync where it is stopped; a frozen one delays nobody."""

from fixtures.expected import undisturbed
from fixtures.marks import promise
from fixtures.operator import Operator
from harness.cluster import Cluster
from harness.conditions import quorate
from harness.faults.process import Freeze
from harness.faults.select import node
from harness.wait import until


@promise("S2-09")
async def test_propagate_with_one_node_frozen(cluster: Cluster, vip: str, operator: Operator) -> None:
    """A frozen node is a warning and n/total; when it is back, the same command reaches everybody."""
    cluster.expect(*undisturbed(vip))
    before = operator.corosyncs()
    async with cluster.under(Freeze(node("n3"))):
        await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
        said = await operator.does("n2", "propagate", "--timeout", "2", exit_code=3)
        assert "1/2" in said
        assert "n3: no answer within 2 s" in said
    await cluster.until_settled()
    assert "2/2" in await operator.does("n2", "propagate")
    assert operator.corosyncs() == before


@promise("S2-01", "S2-09", "S2-16")
async def test_propagate_starts_what_is_stopped(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Corosync of one node was stopped by hand: it is started there, and reads its file again on the others."""
    cluster.expect(*undisturbed(vip))
    before, reloads = operator.corosyncs(), await operator.reloads("n2")
    await operator.shell("n3", "kill $(cat /run/sfha/corosync.pid)")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)

    async def told_apart() -> bool:
        rows = {row["name"]: row for row in (await operator.status("n1"))["nodes"]}
        return (rows["n3"]["online"], rows["n3"]["sfhaRunning"]) == (False, True)

    await until(told_apart, within_s=5, every_s=0.1, what="n3 is offline for n1, though its daemon is heard")
    assert "2/2" in await operator.does("n1", "propagate")
    await cluster.until_settled()
    assert await operator.reloads("n2") > reloads
    after = operator.corosyncs()
    assert {name: after[name] for name in ("n1", "n2")} == {name: before[name] for name in ("n1", "n2")}
    assert after["n3"] != before["n3"]
