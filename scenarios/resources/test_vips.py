"""Virtual addresses come and go while the cluster runs; whoever asks, and whatever is cut off meanwhile."""

import asyncio
import socket
import subprocess

from fixtures.expected import highly_available
from fixtures.marks import headline, promise
from harness.cluster import Cluster
from harness.fabric.namespaces import call_in
from harness.faults.process import Kill
from harness.faults.select import holder_of
from harness.ledger import ClusterLedger
from scenarios.resources.asking import addresses, comes_true, config, corosync, run, status

SIX, SIX_PREFIX = "fd00:5afe::100", 64
P2P_DOWN = """\
nft add table inet deaf
nft add chain inet deaf in '{ type filter hook input priority 0; }'
nft add rule inet deaf in tcp dport 7777 drop
nft add chain inet deaf out '{ type filter hook output priority 0; }'
nft add rule inet deaf out tcp dport 7777 drop
"""


def _beside(vip: str, host: int) -> str:
    return f"{vip.rpartition('.')[0]}.{host}"


@headline
@promise("S1-04", "S1-26", "S2-10", "S2-25", "S2-47")
async def test_added_and_removed_on_leader_and_follower(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Two addresses that one could take for each other; foreign ones stay; the first VIP notices nothing."""
    cluster.expect(*highly_available(vip, outage_s=0.5))
    before = await corosync(cluster)
    short, long, foreign = _beside(vip, 15), _beside(vip, 150), _beside(vip, 151)
    async with ledger.writing():
        await run(cluster, "n1", "ip", "address", "add", f"{foreign}/24", "dev", "eth0")
        await run(cluster, "n1", "sfha", "vip", "add", "short", f"{short}/24")
        await run(cluster, "n3", "sfha", "vip", "add", "long", f"{long}/24")
        assert {vip, short, long, foreign} <= await addresses(cluster, "n1")
        for node in cluster.topology.node_names:
            assert [one["name"] for one in (await config(cluster, node))["vips"]] == ["web", "short", "long"]
        await run(cluster, "n2", "sfha", "vip", "remove", short)
        left = await addresses(cluster, "n1")
        assert {vip, long, foreign} <= left
        assert short not in left
        refused = await run(cluster, "n2", "sfha", "vip", "add", "own", f"{foreign}/24", exit_code=1)
        assert "not one of sfha's" in refused
        assert foreign in await addresses(cluster, "n1")
        await run(cluster, "n1", "sfha", "vip", "remove", "long")
        assert {vip, foreign} <= await addresses(cluster, "n1")
    assert await corosync(cluster) == before


def _somebody_answers() -> bool:
    """Whether a kernel answers for the IPv6 address; a refusal is an answer, too."""
    try:
        socket.create_connection((SIX, 9), timeout=0.5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


@promise("S2-26", "S2-27")
async def test_added_while_p2p_is_down(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The leader says whom it could not tell, and that node catches up; a follower that is deaf saves nothing."""
    cluster.expect(*highly_available(vip, outage_s=0.5))
    added = _beside(vip, 150)
    async with ledger.writing():
        await run(cluster, "n1", "sh", "-c", P2P_DOWN)
        said = await run(cluster, "n3", "sfha", "vip", "add", "second", f"{added}/24", exit_code=1)
        assert "nothing was changed" in said
        assert len((await config(cluster, "n3"))["vips"]) == 1
        await run(cluster, "n1", "nft", "delete", "table", "inet", "deaf")
        await run(cluster, "n3", "sh", "-c", P2P_DOWN)
        said = await run(cluster, "n1", "sfha", "vip", "add", "second", f"{added}/24", exit_code=3)
        assert "n3" in said
        assert "1/2" in said
        assert added in await addresses(cluster, "n1")
        assert len((await config(cluster, "n3"))["vips"]) == 1
        await run(cluster, "n3", "nft", "delete", "table", "inet", "deaf")

        async def caught_up() -> bool:
            return len((await config(cluster, "n3"))["vips"]) == 2

        await comes_true("n3 has fetched what it missed", caught_up, within_s=20)


@promise("S1-11", "S1-12", "S1-13", "S1-14", "S1-15")
async def test_an_interface_that_is_not_there(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The kernel's own words come back, nothing is changed anywhere, and what is up stays up."""
    cluster.expect(*highly_available(vip, outage_s=0.5))
    async with ledger.writing():
        said = await run(
            cluster, "n2", "sfha", "vip", "add", "lost", "192.0.2.9/24", "--interface", "eth7", exit_code=1
        )
        assert "No such device: eth7" in said
        for node in cluster.topology.node_names:
            assert len((await config(cluster, node))["vips"]) == 1
        log = await run(cluster, "n1", "cat", "/var/log/sfha.log")
        assert "No such device: eth7" in log
        assert log.count('"resources-activated"') == 1


@headline
@promise("S1-36", "S2-13")
async def test_an_ipv6_address_follows_the_leader(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Added at run time; a client reaches it, the leader's power is cut, the client reaches it again."""
    cluster.expect(*highly_available(vip))
    (client,) = cluster.life.observation.client_namespaces.values()

    def give_address() -> None:
        command = ("ip", "address", "add", f"fd00:5afe::9/{SIX_PREFIX}", "dev", "eth0", "nodad")
        subprocess.run(command, check=True, capture_output=True)

    async def reached() -> bool:
        return await asyncio.to_thread(call_in, client, _somebody_answers)

    await asyncio.to_thread(call_in, client, give_address)
    await run(cluster, "n2", "sfha", "vip", "add", "six", f"{SIX}/{SIX_PREFIX}")
    await comes_true("the client reaches the IPv6 address", reached)
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))):
            await comes_true("the client reaches the IPv6 address on another node", reached)
            assert SIX in await addresses(cluster, "n2")
            assert SIX not in await addresses(cluster, "n3")
        await cluster.until_settled()
        await comes_true("the client reaches it on the node that came back", reached)
    found = {one["name"]: one for one in (await status(cluster, "n1"))["vips"]}
    assert found["six"]["held"]
