"""`sfha propagate`: all nodes get the configuration, and Corosync where it is stopped; a frozen one delays nobody."""

import json
from copy import deepcopy

import yaml

from fixtures.expected import undisturbed
from fixtures.marks import promise
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import quorate
from harness.engines.engine import NodeFile
from harness.faults.process import Freeze
from harness.faults.select import node
from harness.wait import until
from scenarios.sfha.resources.asking import CONFIG, config

EDITED = {
    "services": [{"name": "worker", "type": "process", "command": "sleep 71007", "critical": True}],
    "health_checks": [
        {"name": "port", "type": "tcp", "target": "127.0.0.1:2379", "interval_ms": 500, "restart_service": "worker"}
    ],
    "constraints": [{"colocation": "worker", "with": "web"}],
    "stonith": {
        "enabled": False,
        "provider": "command",
        "command": {"program": "/bin/true"},
        "nodes": {"n1": {}, "n2": {}, "n3": {}},
        "safety": {"fence_delay_on_node_left": 20},
    },
}
"""A section of each kind, as an administrator would write them on one node."""


@promise("S2-09")
async def test_propagate_with_one_node_frozen(cluster: Cluster, vip: str, operator: Operator) -> None:
    """A frozen node is a warning and n/total; when it is back, the same command reaches everybody."""
    cluster.expect(*undisturbed(vip))
    before = await operator.corosyncs()
    async with cluster.under(Freeze(node("n3"))):
        await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
        said = await operator.does("n2", "propagate", "--timeout", "2", exit_code=3)
        assert "1/2" in said
        assert "n3: no answer within 2 s" in said
    await cluster.until_settled()
    assert "2/2" in await operator.does("n2", "propagate")
    assert await operator.corosyncs() == before


@promise("S2-01", "S2-09", "S2-16")
async def test_propagate_starts_what_is_stopped(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Corosync of one node was stopped by hand: it is started there, and reads its file again on the others."""
    cluster.expect(*undisturbed(vip))
    before, reloads = await operator.corosyncs(), await operator.reloads("n2")
    await operator.shell("n3", "kill $(cat /run/sfha/corosync.pid)")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)

    async def told_apart() -> bool:
        rows = {row["name"]: row for row in (await operator.status("n1"))["nodes"]}
        return (rows["n3"]["online"], rows["n3"]["sfhaRunning"]) == (False, True)

    await until(told_apart, within_s=5, every_s=0.1, what="n3 is offline for n1, though its daemon is heard")
    assert "2/2" in await operator.does("n1", "propagate")
    await cluster.until_settled()
    assert await operator.reloads("n2") > reloads
    after = await operator.corosyncs()
    assert {name: after[name] for name in ("n1", "n2")} == {name: before[name] for name in ("n1", "n2")}
    assert after["n3"] != before["n3"]


@promise("S2-09", "D-05")
async def test_every_section_reaches_everybody(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Services, checks, constraints and fencing, written on one follower: all nodes have them, and act on them."""
    cluster.expect(*undisturbed(vip, outage_s=1))
    for name in cluster.all_but(()):
        await operator.logged(name, "p2p-started")
    edited = await config(cluster, "n2") | deepcopy(EDITED)
    edited["cluster"]["poll_interval_ms"] = 1500
    await cluster.engine.write_file("n2", NodeFile(CONFIG, json.dumps(edited).encode()))
    await operator.does("n2", "config-check")
    assert "2/2" in await operator.does("n2", "propagate")
    for name in cluster.all_but(()):
        found = yaml.safe_load(await cluster.engine.read_file(name, CONFIG))
        assert found.pop("node") == {"name": name}
        assert found == {key: value for key, value in edited.items() if key != "node"}
        assert "worker" in await operator.does(name, "constraints")
        assert "port" in await operator.does(name, "health")

    async def works() -> bool:
        health = (await operator.status("n1"))["health"]
        return [(one["name"], one["healthy"]) for one in health] == [("port", True)]

    await until(works, within_s=10, every_s=0.1, what="the leader checks what was written on a follower")
    # What a running daemon cannot take up is not passed over in silence.
    edited["stonith"]["enabled"] = True
    await cluster.engine.write_file("n2", NodeFile(CONFIG, json.dumps(edited).encode()))
    said = await operator.does("n2", "--lang", "fr", "propagate", exit_code=3)
    assert [f"{name} a le fichier" in said for name in cluster.all_but(())] == [True] * 3, said
    assert "sfha restart" in said
    for name in ("n3", "n2", "n1"):
        await operator.does(name, "restart")
        fencing = json.loads(await operator.does(name, "stonith", "status", "--json"))
        assert [one["configured"] for one in fencing["nodes"]] == [True] * 3

    async def reached() -> bool:
        return all([len(await operator.times(name, "p2p-started")) == 2 for name in ("n1", "n3")])

    await until(reached, within_s=5, every_s=0.05, what="n1 and n3 can be reached by n2 again")
    assert "2/2" in await operator.does("n2", "propagate")
