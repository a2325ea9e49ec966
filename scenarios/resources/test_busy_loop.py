"""Changing the configuration, however long it is, costs the holder no lease: it is read where nobody waits for it."""

import json

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise
from fixtures.operator import Operator
from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from scenarios.resources.asking import CONFIG, comes_true, config, where

RULES = 400
"""Enough for half a second of reading, in an interpreter that reads YAML in its own language."""


async def _lost(operator: Operator, since_s: float) -> list[str]:
    """The nodes that lost the lease since then."""
    lost = []
    for name in operator.cluster.topology.node_names:
        if any(t_s > since_s for t_s in await operator.times(name, "lease-lost")):
            lost.append(name)
    return lost


@headline
@promise("D-22")
async def test_a_long_configuration_costs_no_lease(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Written by hand on one node, given to all; then services and addresses are added to it."""
    cluster.expect(*undisturbed(vip))
    since_s = (await operator.times("n1", "lease-acquired"))[-1]
    services = [{"name": "worker", "type": "process", "command": "sleep 71020"}]
    constraints = [{"colocation": "worker", "with": "web"}] * RULES
    text = json.dumps(await config(cluster, "n2") | {"services": services, "constraints": constraints})
    await cluster.engine.write_file("n2", NodeFile(CONFIG, text.encode()))
    assert "2/2" in await operator.does("n2", "propagate")

    async def runs_on_the_leader() -> bool:
        return await where(cluster, "71020") == ["n1"]

    await comes_true("the worker runs on n1", runs_on_the_leader)
    for number in (1, 2):
        await operator.does("n2", "service", "add", f"more{number}", "--command", f"sleep 7102{number}")
    other = vip.rpartition(".")[0] + ".240/24"
    await operator.does("n3", "vip", "add", "second", other, "--interface", "eth0")
    await operator.does("n3", "vip", "remove", "second")
    await operator.does("n1", "reload")
    assert await _lost(operator, since_s) == []
    for name in cluster.topology.node_names:
        loop = (await operator.status(name))["loop"]
        assert loop["longest_blocked_ms"] < 50, (name, loop)
