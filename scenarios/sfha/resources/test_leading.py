"""An administrator says who leads: failover --to, standby, signals."""

import json

from fixtures.expected import highly_available
from fixtures.marks import headline, promise
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.engines.engine import NodeFile
from harness.ledger import ClusterLedger
from scenarios.sfha.resources.asking import (
    CONFIG,
    addresses,
    comes_true,
    config,
    corosync,
    run,
    status,
    where,
)

PREFERRED_S = 4


@headline
@promise("D-11")
async def test_failover_honours_its_target(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """From any node to exactly the node that is named, services first; when the preference ends, all go back."""
    cluster.expect(*highly_available(vip, outage_s=2))
    before = await corosync(cluster)
    async with ledger.writing():
        await run(cluster, "n1", "sfha", "service", "add", "worker", "--command", "sleep 71006")
        await run(cluster, "n2", "sfha", "failover", "--to", "n3", "--for", str(PREFERRED_S))
        await cluster.until(held_by_one_of(vip, ("n3",)), within_s=2)
        for node in cluster.topology.node_names:
            assert (await status(cluster, node))["leader"] == 3

        async def moved() -> bool:
            return await where(cluster, "71006") == ["n3"]

        await comes_true("the service has moved along", moved)
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=PREFERRED_S + 2)
        said = await run(cluster, "n1", "sfha", "failover", "--to", "n9", exit_code=1)
        assert "n1, n2, n3" in said
        await cluster.until_settled()
    assert await corosync(cluster) == before


@headline
@promise("S2-12")
async def test_standby_is_published_and_reconfigures_nothing(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The leader steps aside: the address moves at once, Corosync's map says so, and Corosync itself goes on."""
    cluster.expect(*highly_available(vip, outage_s=1))
    before = await corosync(cluster)
    async with ledger.writing():
        await run(cluster, "n1", "sfha", "standby")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=2)

        async def says(value: int) -> bool:
            done = await cluster.engine.exec("n1", ("corosync-cmapctl", "-g", "sfha.standby"))
            return f"= {value}" in done.stdout.decode()

        await comes_true("Corosync's map says so", lambda: says(1))
        said = await run(cluster, "n2", "sfha", "failover", "--to", "n1", exit_code=1)
        assert "standby" in said
        await run(cluster, "n1", "sfha", "unstandby")
        await comes_true("Corosync's map says that it is over", lambda: says(0))
        await cluster.until_settled()
    assert await corosync(cluster) == before


@promise("S2-47")
async def test_signals_of_the_daemon(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """USR1 is standby, USR2 the end of it, HUP takes up config.yml; the daemon stays the process that it was."""
    cluster.expect(*highly_available(vip, outage_s=1))
    before = await corosync(cluster)
    (pid,) = (await run(cluster, "n1", "cat", "/run/sfha/sfha.pid")).split()
    async with ledger.writing():
        await run(cluster, "n1", "kill", "-USR1", pid)
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
        await run(cluster, "n1", "kill", "-USR2", pid)
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
        edited = await config(cluster, "n1")
        second = f"{vip.rpartition('.')[0]}.150"
        edited["vips"].append({"name": "second", "ip": f"{second}/24", "interface": "eth0"})
        await cluster.engine.write_file("n1", NodeFile(CONFIG, json.dumps(edited).encode()))
        await run(cluster, "n1", "kill", "-HUP", pid)

        async def taken_up() -> bool:
            return second in await addresses(cluster, "n1")

        await comes_true("the second address is up", taken_up)
        assert (await run(cluster, "n1", "cat", "/run/sfha/sfha.pid")).split() == [pid]
    assert await corosync(cluster) == before
