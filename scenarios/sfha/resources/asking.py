"""Asking nodes in these scenarios: commands on them, and what can be seen there."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from harness.wait import until

ASK_EVERY_S = 0.1
CONFIG = "/etc/sfha/config.yml"
COROSYNC = """\
for pid in $(pgrep -x corosync); do echo $pid $(cut -d' ' -f22 /proc/$pid/stat); done
md5sum /etc/corosync/corosync.conf
grep -c 'Config reload requested' /var/log/corosync/corosync.log
true
"""


async def run(cluster: Cluster, node: str, *command: str, exit_code: int = 0) -> str:
    """Run a command on a node, which is to end with ``exit_code``; everything it said."""
    done = await cluster.engine.exec(node, command)
    said = (done.stdout + done.stderr).decode()
    assert done.exit_code == exit_code, f"{' '.join(command)} on {node}: exit code {done.exit_code}: {said}"
    return said


async def status(cluster: Cluster, node: str) -> dict[str, Any]:
    """What a node's daemon says of itself."""
    done = await cluster.engine.exec(node, ("sfha", "status", "--json"))
    document: dict[str, Any] = json.loads(done.stdout)
    return document


async def told(cluster: Cluster, asked: str, *events: str) -> list[dict[str, Any]]:
    """What a node has in its log of such events, oldest first."""
    log = (await cluster.engine.read_file(asked, "/var/log/sfha.log")).decode()
    return [one for one in map(json.loads, log.splitlines()) if one["event"] in events]


async def moves(cluster: Cluster, asked: str) -> int:
    """How often a node was told of another leader, by its log."""
    leaders = [one["leader"] for one in await told(cluster, asked, "leader-elected")]
    return sum(one != other for one, other in itertools.pairwise(leaders))


async def config(cluster: Cluster, node: str) -> dict[str, Any]:
    """A node's config.yml (the harness writes it as JSON, and the stack leaves it so)."""
    document: dict[str, Any] = json.loads(await cluster.engine.read_file(node, CONFIG))
    return document


async def configure(cluster: Cluster, **sections: object) -> None:
    """Edit these sections of config.yml on every node, and have them taken up."""
    for node in cluster.topology.node_names:
        text = json.dumps(await config(cluster, node) | sections)
        await cluster.engine.write_file(node, NodeFile(CONFIG, text.encode()))
        await run(cluster, node, "sfha", "config-check")
        await run(cluster, node, "sfha", "reload")


async def addresses(cluster: Cluster, node: str) -> set[str]:
    """Every address on the node's service interface."""
    done = await cluster.engine.exec(node, ("ip", "-j", "address", "show", "dev", "eth0"))
    return {one["local"] for link in json.loads(done.stdout) for one in link["addr_info"]}


async def running(cluster: Cluster, node: str, marker: str) -> bool:
    """Whether a process with this word on its command line runs on the node."""
    done = await cluster.engine.exec(node, ("pgrep", "-f", f"^sleep {marker}$"))
    return done.exit_code == 0


async def where(cluster: Cluster, marker: str) -> list[str]:
    """The powered nodes on which it runs."""
    up = [node for node in cluster.topology.node_names if cluster.is_up(node)]
    return [node for node in up if await running(cluster, node, marker)]


async def corosync(cluster: Cluster, *nodes: str) -> dict[str, str]:
    """What would be different if anything had been done to Corosync: process, start, configuration, reloads."""
    found = {}
    for node in nodes or cluster.topology.node_names:
        found[node] = (await cluster.engine.exec(node, ("sh", "-c", COROSYNC))).stdout.decode()
        assert len(found[node].splitlines()) == 3, f"{node}: one Corosync, its configuration and its log: {found[node]}"
    return found


async def comes_true(what: str, condition: Callable[[], Awaitable[bool]], *, within_s: float = 10.0) -> None:
    """Wait for something that has to be asked for."""
    await until(condition, within_s=within_s, what=what, every_s=ASK_EVERY_S)
