"""Virtual addresses come and go while the cluster runs; whoever asks, and whatever is cut off meanwhile."""

import asyncio
import json
import socket
import subprocess
from pathlib import Path

from fixtures.expected import highly_available
from fixtures.marks import headline, per_engine, promise
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of
from harness.events import Announced
from harness.fabric.namespaces import call_in
from harness.faults.process import Kill
from harness.faults.select import holder_of
from harness.history import History
from harness.ledger import ClusterLedger
from harness.wait import until
from scenarios.sfha.resources.asking import addresses, comes_true, config, corosync, run, status, told

SIX, SIX_PREFIX = "fd00:5afe::100", 64
ACTIVATED, FAILED = '"resources-activated"', '"activation-failed", "vip": "six"'
FIRST_SECONDS_S, USUALLY_EVERY_S = 2.2, 5.0
REFUSED = "Permission denied"
"""What Linux says to an IPv6 address on an interface without IPv6 (EACCES)."""
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
@promise("S2-10", "S2-25", "S2-47", "D-06", "D-07")
async def test_added_and_removed_on_leader_and_follower(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Two addresses that one could take for each other; foreign ones stay; the first VIP notices nothing."""
    cluster.expect(*highly_available(vip, outage_s=0.5))
    before, daemons = await corosync(cluster), await _daemons(cluster)
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
    assert await _daemons(cluster) == daemons, "a change of addresses restarted a daemon"


@promise("D-56")
async def test_what_is_set_counts_on_the_wire_and_moves_nothing(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """A follower is asked; the next leader goes by it as well."""
    cluster.expect(*highly_available(vip, outage_s=1.0))
    async with ledger.writing():
        refused = await run(cluster, "n3", "sfha", "vip", "set", "web", "announce_every_s=0", exit_code=1)
        assert "announce_every_s: must be a whole number from 1 to 3600" in refused
        taken_away = await _taken_away_without_loss(cluster, "n1")
        await run(cluster, "n3", "sfha", "vip", "set", "web", "announce_every_s=1")
        for node in cluster.topology.node_names:
            (web,) = (await status(cluster, node))["vips"]
            assert web["settings"] == {"announce_every_s": 1}
            assert "announce_every_s=1" in await run(cluster, node, "sfha", "status")
        await _is_announced_each_second(cluster, vip, "n1")
        assert await _taken_away_without_loss(cluster, "n1") == taken_away, "it was taken away to be set"
        await run(cluster, "n1", "sfha", "standby")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
        await _is_announced_each_second(cluster, vip, "n2")


async def _taken_away_without_loss(cluster: Cluster, node: str) -> int:
    """How often more than it lost its lease, which it may on a busy host."""
    events = [one["event"] for one in await told(cluster, node, "vip-released", "lease-lost")]
    return events.count("vip-released") - events.count("lease-lost")


async def _is_announced_each_second(cluster: Cluster, vip: str, node: str) -> None:
    """On the wire, and after the first seconds, in which it is announced more often anyhow."""
    from_s = now_s() + FIRST_SECONDS_S

    async def is_seen() -> bool:
        seen = History.read(cluster.run_directory).of(Announced)
        times_s = [one.t_s for one in seen if (one.address, one.node, one.form) == (vip, node, "request")]
        late_s = sorted({round(time_s, 1) for time_s in times_s if time_s > from_s})
        return any(third - first < USUALLY_EVERY_S for first, third in zip(late_s, late_s[2:], strict=False))

    # The whole history is read for each look.
    within_s = 2 * (FIRST_SECONDS_S + USUALLY_EVERY_S)
    await until(is_seen, within_s=within_s, what=f"{node} announces it each second", every_s=1.0)


async def _daemons(cluster: Cluster) -> list[str]:
    """Process id and command of every daemon, and the life that it is in."""
    words = ("sh", "-c", 'echo "$(cat /run/sfha/sfha.pid)"; grep -c daemon-started /var/log/sfha.log')
    return [await run(cluster, node, *words) for node in cluster.topology.node_names]


def _somebody_answers() -> bool:
    """Whether a kernel answers for the IPv6 address; a refusal is an answer, too."""
    try:
        socket.create_connection((SIX, 9), timeout=0.5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


@promise("S2-26", "S2-27", "D-08")
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


@promise("D-09")
async def test_added_right_after_a_failover(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """A follower that knew another leader a moment ago: the new one gets it, and the old one when it is back."""
    cluster.expect(*highly_available(vip))
    added = _beside(vip, 150)
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))):
            await cluster.until(held_by_one_of(vip, ("n2",)), within_s=10)
            said = await run(cluster, "n3", "sfha", "vip", "add", "second", f"{added}/24", exit_code=3)
            assert "1/2" in said, said
            assert added in await addresses(cluster, "n2")
        await cluster.until_settled()
        await comes_true("n1 holds both", lambda: _has(cluster, "n1", {vip, added}))
        for node in cluster.topology.node_names:
            assert [one["name"] for one in (await config(cluster, node))["vips"]] == ["web", "second"]


@promise("S1-35")
async def test_addresses_on_several_interfaces(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """One address faces clients, one another network: both move, are guarded, and go, each on its own interface."""
    cluster.expect(*highly_available(vip, outage_s=1))
    inner = "198.51.100.5"
    async with ledger.writing():
        for node in cluster.topology.node_names:
            await run(cluster, node, "ip", "link", "add", "lan1", "type", "veth", "peer", "name", "lan1-far")
            await run(cluster, node, "ip", "link", "set", "lan1", "up")
            await run(cluster, node, "ip", "link", "set", "lan1-far", "up")
        await run(cluster, "n3", "sfha", "vip", "add", "inner", f"{inner}/24", "--interface", "lan1")
        assert await _at(cluster, inner) == {"n1": "lan1"}
        assert "lan1" in await run(cluster, "n1", "nft", "list", "table", "netdev", "sfha")
        await run(cluster, "n1", "sfha", "standby")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
        await comes_true("it has moved along", lambda: _only_at(cluster, inner, "n2"))
        await run(cluster, "n1", "sfha", "unstandby")
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
        await comes_true("it has moved back", lambda: _only_at(cluster, inner, "n1"))
        await run(cluster, "n2", "sfha", "vip", "remove", "inner")
        assert await _at(cluster, inner) == {}
        await cluster.until_settled()


async def _only_at(cluster: Cluster, address: str, node: str) -> bool:
    return await _at(cluster, address) == {node: "lan1"}


async def _at(cluster: Cluster, address: str) -> dict[str, str]:
    """Node to interface, wherever the address is."""
    found = {}
    for node in cluster.topology.node_names:
        for link in json.loads(await run(cluster, node, "ip", "-j", "address")):
            if any(one["local"] == address for one in link["addr_info"]):
                found[node] = link["ifname"]
    return found


@promise("S1-11", "S1-15")
async def test_an_interface_that_is_not_there(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """The kernel's own words come back, nothing is changed anywhere, and what is up stays up."""
    cluster.expect(*highly_available(vip, outage_s=0.5))
    activated = (await _log(cluster, "n1")).count(ACTIVATED)
    async with ledger.writing():
        said = await run(
            cluster, "n2", "sfha", "vip", "add", "lost", "192.0.2.9/24", "--interface", "eth7", exit_code=1
        )
        assert "No such device: eth7" in said
        for node in cluster.topology.node_names:
            assert len((await config(cluster, node))["vips"]) == 1
        assert "No such device: eth7" in await _log(cluster, "n1")
        assert (await _log(cluster, "n1")).count(ACTIVATED) == activated


@promise("S1-04", "S1-11", "S1-12", "S1-13", "S1-14", "S1-15", "S1-26")
async def test_an_address_that_the_kernel_refuses(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """n1 has no IPv6: of three addresses two come up there, the failure of one is told in the kernel's words."""
    cluster.expect(*highly_available(vip, outage_s=1))
    third, activated = _beside(vip, 150), (await _log(cluster, "n1")).count(ACTIVATED)
    async with ledger.writing():
        await _without_ipv6(cluster, "n1")
        said = await run(cluster, "n2", "sfha", "vip", "add", "six", f"{SIX}/{SIX_PREFIX}", exit_code=3)
        assert REFUSED in said, said
        await run(cluster, "n2", "sfha", "vip", "add", "third", f"{third}/24")
        assert {vip, third} <= await addresses(cluster, "n1")
        assert SIX not in await addresses(cluster, "n1")
        found = {one["name"]: one for one in (await status(cluster, "n1"))["vips"]}
        assert [found[name]["held"] for name in ("web", "six", "third")] == [True, False, True]
        assert REFUSED in found["six"]["error"]
        assert not (await status(cluster, "n1"))["active"]
        log = await _log(cluster, "n1")
        assert log.count(FAILED) == 1
        assert REFUSED in log[log.index(FAILED) :].splitlines()[0]
        assert '"vip-added", "vip": "third"' in log
        assert log.count(ACTIVATED) == activated
        # n2 can have all of them, and says so; back on n1 the other two come up again, and it does not say so.
        await run(cluster, "n1", "sfha", "standby")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
        await comes_true("n2 has all addresses", lambda: _has(cluster, "n2", {vip, SIX, third}))
        assert ACTIVATED in await _log(cluster, "n2")
        await run(cluster, "n1", "sfha", "unstandby")
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
        await comes_true("n1 has two of them", lambda: _has(cluster, "n1", {vip, third}))
        log = await _log(cluster, "n1")
        assert log.count(FAILED) == 2
        assert log.count(ACTIVATED) == activated
        await run(cluster, "n1", "sfha", "vip", "remove", "six")
        await cluster.until_settled()


async def _log(cluster: Cluster, node: str) -> str:
    return await run(cluster, node, "cat", "/var/log/sfha.log")


async def _has(cluster: Cluster, node: str, wanted: set[str]) -> bool:
    return wanted <= await addresses(cluster, node)


async def _without_ipv6(cluster: Cluster, node: str) -> None:
    """Have the kernel refuse IPv6 on the node's service interface."""

    def refuse() -> None:
        Path("/proc/sys/net/ipv6/conf/eth0/disable_ipv6").write_text("1\n")

    await asyncio.to_thread(call_in, Path(f"/proc/{cluster.engine.pid(node)}/ns/net"), refuse)


@headline
@per_engine
@promise("S1-36")
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
