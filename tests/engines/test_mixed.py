"""A cluster whose nodes are on several engines: one has a kernel of its own, two share this host's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.cluster import Cluster
from harness.errors import UsageError
from harness.events import RunStarted
from harness.faults.kernels import needs_hosts_kernel
from harness.faults.network import Partition
from harness.faults.process import Kill
from harness.faults.select import node
from harness.history import History
from harness.topology import Topology, engine_words
from tests.clusters import running
from tests.engines.hosted_runs import needs

pytestmark = needs("uml")
DRAWN = {
    "name": "one with a kernel of its own",
    "sites": [{"name": "dijon"}, {"name": "lyon"}],
    "nodes": [
        {"name": "n1", "site": "dijon", "engine": "uml"},
        {"name": "n2", "site": "dijon"},
        {"name": "n3", "site": "lyon"},
    ],
    "vips": [{"name": "web"}],
    "clients": [{"name": "user"}],
}


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Three nodes that run Redis."""
    async with running(tmp_path, "local", Topology.from_json(DRAWN)) as cluster:
        yield cluster


async def said(cluster: Cluster, name: str, *command: str) -> str:
    """What a command in a node printed."""
    return (await cluster.engine.exec(name, command)).stdout.decode().strip()


async def test_each_node_is_what_its_own_engine_declares(cluster: Cluster) -> None:
    kernels = {name: await said(cluster, name, "uname", "-r") for name in cluster.topology.node_names}
    assert kernels["n2"] == kernels["n3"] != kernels["n1"]
    about = {name: cluster.engine.capabilities(name) for name in cluster.topology.node_names}
    assert [one.engine for one in about.values()] == ["uml", "local", "local"]
    assert [one.own_kernel for one in about.values()] == [True, False, False]
    assert [one.loses_unsynced_writes for one in about.values()] == [True, False, False]
    assert (await cluster.engine.clock("n2")).error_s == 0.0
    assert 0.0 < (await cluster.engine.clock("n1")).error_s < 0.005

    started = next(iter(History.read(cluster.run_directory).of(RunStarted)))
    assert started.engines == {"n1": "uml", "n2": "local", "n3": "local"}
    assert not started.loses_unsynced_writes, "of all nodes, that could not be said"
    assert engine_words(started.engine, started.engines) == "local; n1 on uml"

    needs_hosts_kernel(cluster, "n2")
    with pytest.raises(UsageError, match="n1 has a kernel of its own"):
        needs_hosts_kernel(cluster, "n1")

    await _on_one_network(cluster)
    await _what_a_power_cut_takes(cluster)


async def _on_one_network(cluster: Cluster) -> None:
    async def reaches(asker: str, other: str) -> bool:
        command = ("ping", "-c1", "-W1", cluster.plan.address(other))
        return (await cluster.engine.exec(asker, command)).exit_code == 0

    assert await reaches("n1", "n2")
    assert await reaches("n3", "n1")
    async with cluster.under(Partition(["n1"], ["n2", "n3"])):
        assert not await reaches("n2", "n1")
        assert await reaches("n2", "n3")
    assert await reaches("n1", "n3")


async def _what_a_power_cut_takes(cluster: Cluster) -> None:
    """It is each node's own affair."""
    for name in ("n1", "n2"):
        await said(cluster, name, "sh", "-c", "echo synced > /root/a; sync /root/a /root; echo not > /root/b")
        async with cluster.under(Kill(node(name))):
            pass
    assert await said(cluster, "n1", "cat", "/root/a") == await said(cluster, "n2", "cat", "/root/a") == "synced"
    assert await said(cluster, "n2", "cat", "/root/b") == "not"
    assert await said(cluster, "n1", "cat", "/root/b") == ""
