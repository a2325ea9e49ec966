"""Whatever a daemon does beside its leases, reading and executing, keeps no lease waiting."""

import json

from fixtures.expected import undisturbed
from fixtures.marks import alone, headline, hosts_kernel, promise
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from scenarios.sfha.resources.asking import CONFIG, comes_true, config, where

RULES = 400
"""Enough for half a second of reading, in an interpreter that reads YAML in its own language."""


SLOW_TOOLS = """
for tool in wg ip nice setpriv corosync-cfgtool corosync-cmapctl; do
    path=$(command -v $tool) || continue
    mv $path $path.real
    printf '#!/bin/sh\\nsleep 0.7\\nexec %s.real "$@"\\n' $path > $path
    chmod +x $path
done
"""
"""Whoever waits for one of them in the lease's loop loses four leases."""


async def _nobody_was_kept(operator: Operator) -> None:
    """No daemon's loop was blocked for long, since it was complete."""
    for name in operator.cluster.topology.node_names:
        loop = (await operator.status(name))["loop"]
        assert loop["longest_blocked_ms"] < 50, (name, loop)


@alone
@headline
@hosts_kernel("it is about 50 ms of a daemon's loop, which a slower kernel takes by itself")
@promise("D-22")
async def test_a_long_configuration_costs_no_lease(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Written by hand on one node, given to all; then services and addresses are added to it."""
    cluster.expect(*undisturbed(vip))
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
    await _nobody_was_kept(operator)


@alone
@promise("D-22")
async def test_tools_that_take_their_time_cost_no_lease(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Every program that the daemon executes takes a while to begin, on all nodes: only whoever asked waits for it."""
    cluster.expect(*undisturbed(vip))
    for name in cluster.topology.node_names:
        await operator.succeeds(name, SLOW_TOOLS)
    await operator.token("n1")
    await operator.does("n2", "service", "add", "worker", "--command", "sleep 71030", "--check", "command=true")

    async def runs_on_the_leader() -> bool:
        return await where(cluster, "71030") == ["n1"]

    await comes_true("the worker runs on n1", runs_on_the_leader)
    await operator.does("n2", "propagate")
    await operator.daemon_dies("n3")
    await operator.daemon_starts("n3")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=40)

    async def all_are_told() -> bool:
        return b"2/2" in (await operator.types("n2", "propagate")).stdout

    await comes_true("n3 takes requests again", all_are_told)
    await operator.does("n2", "service", "remove", "worker")
    await _nobody_was_kept(operator)
