"""Services run where the addresses are, in order, restarted and moved when they fail; Corosync is left alone."""

from fixtures.expected import highly_available
from fixtures.marks import headline, promise
from harness.cluster import Cluster
from harness.faults.process import Kill
from harness.faults.select import holder_of
from harness.ledger import ClusterLedger
from scenarios.sfha.resources.asking import comes_true, configure, corosync, run, status, where

QUICK = {"interval_ms": 100, "timeout_ms": 1000, "failures_before_unhealthy": 2, "successes_before_healthy": 1}


async def _runs_on(cluster: Cluster, marker: str, node: str) -> None:
    async def there() -> bool:
        return await where(cluster, marker) == [node]

    await comes_true(f"sleep {marker} runs on {node} alone", there)


@headline
@promise("S2-02", "S2-11", "S2-13")
async def test_a_service_follows_the_address(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Added on a follower, it starts on the leader; the leader dies, it starts elsewhere; removed, it is gone."""
    cluster.expect(*highly_available(vip))
    everywhere, before = await corosync(cluster), await corosync(cluster, "n2", "n3")
    async with ledger.writing():
        await run(cluster, "n3", "sfha", "service", "add", "worker", "--command", "sleep 71001", "--critical")
        await _runs_on(cluster, "71001", "n1")
        assert await corosync(cluster) == everywhere
        async with cluster.under(Kill(holder_of(vip))):
            await _runs_on(cluster, "71001", "n2")
        await cluster.until_settled()
        await _runs_on(cluster, "71001", "n1")
        await run(cluster, "n2", "sfha", "service", "remove", "worker")
        assert await where(cluster, "71001") == []
    assert await corosync(cluster, "n2", "n3") == before


@headline
@promise("S2-14")
async def test_unhealthy_is_restarted_then_failed_over(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """What does not get well by a restart moves to another node, with the address; `unstandby` says it is well."""
    cluster.expect(*highly_available(vip))
    before = await corosync(cluster)
    check = {"type": "command", "target": "test ! -e /run/sick", **QUICK}
    worker = {"name": "worker", "type": "process", "command": "sleep 71002", "critical": True, "healthcheck": check}
    async with ledger.writing():
        await configure(cluster, services=[worker])
        await _runs_on(cluster, "71002", "n1")

        async def healthy() -> bool:
            return bool((await status(cluster, "n1"))["health"][0]["healthy"])

        await comes_true("its health is known", healthy)
        await run(cluster, "n1", "touch", "/run/sick")
        await _runs_on(cluster, "71002", "n2")
        log = await run(cluster, "n1", "cat", "/var/log/sfha.log")
        assert log.count('"service-started"') == 2
        assert log.index('"restarting": true') < log.index('"ailing": true')
        assert (await status(cluster, "n3"))["leader"] == 2
        await run(cluster, "n1", "rm", "/run/sick")
        await run(cluster, "n1", "sfha", "unstandby")
        await _runs_on(cluster, "71002", "n1")
        await cluster.until_settled()
    assert await corosync(cluster) == before


@promise("S2-02", "D-12")
async def test_order_and_colocation(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Started in order, stopped in reverse; what is colocated stops when the other fails; a circle is refused."""
    cluster.expect(*highly_available(vip))
    services = [
        {"name": "app", "type": "process", "command": "sleep 71003"},
        {"name": "base", "type": "process", "command": "sleep 71004", "restart_service": False},
        {"name": "side", "type": "process", "command": "sleep 71005"},
    ]
    constraints = [
        {"order": "base", "then": "app"},
        {"colocation": "app", "with": "base"},
        {"order": "app", "then": "side"},
    ]
    async with ledger.writing():
        await configure(cluster, services=services, constraints=constraints)
        await _runs_on(cluster, "71005", "n1")
        log = await run(cluster, "n1", "cat", "/var/log/sfha.log")
        started = [log.index(f'"service-started", "service": "{name}"') for name in ("base", "app", "side")]
        assert started == sorted(started)
        await run(cluster, "n1", "sfha", "standby")
        await _runs_on(cluster, "71005", "n2")
        _, _, log = (await run(cluster, "n1", "cat", "/var/log/sfha.log")).partition('"standby": true')
        stopped = [log.index(f'"service-stopped", "service": "{name}"') for name in ("side", "app", "base")]
        assert stopped == sorted(stopped)
        # On an overloaded host the lease may have run out before anybody asked; else it is given up last.
        assert not (0 <= log.find('"lease-lost"') < stopped[-1])
        await run(cluster, "n2", "pkill", "-f", "^sleep 71004$")

        async def gone() -> bool:
            return await where(cluster, "71003") == []

        await comes_true("app stops along with base", gone)
        assert await where(cluster, "71005") == ["n2"]
        await run(cluster, "n1", "sfha", "unstandby")
        await cluster.until_settled()
        circle = [*constraints, {"order": "side", "then": "base"}]
        said = await _refused(cluster, circle)
        assert "a circle: side -> base -> app -> side" in said
        assert "constraints[3].order" in said


async def _refused(cluster: Cluster, constraints: list[dict[str, str]]) -> str:
    import json

    from harness.engines.engine import NodeFile
    from scenarios.sfha.resources.asking import config

    text = json.dumps(await config(cluster, "n2") | {"constraints": constraints})
    await cluster.engine.write_file("n2", NodeFile("/tmp/draft.yml", text.encode()))
    return await run(cluster, "n2", "sfha", "config-check", "--config", "/tmp/draft.yml", exit_code=1)
