"""Endpoints are names: what happens when they cannot be looked up is that peer's affair, and nobody else's."""

import json
import re
from typing import Any

from fixtures.expected import undisturbed
from fixtures.marks import headline, nightly, promise, software
from fixtures.sfha.operator import Operator
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Kill
from harness.faults.select import node
from harness.wait import until

NODES = ("n1", "n2", "n3")
DEAD_SERVER = "echo 'nameserver 192.0.2.253' > /etc/resolv.conf"
REJECT_AFTER_S, AFTERWARDS_S = 180, 20


def _name(name: str) -> str:
    return f"{name}.ha.test"


async def _named_cluster(cluster: Cluster, operator: Operator, vip: str) -> None:
    """Three nodes that know each other by names, which every one of them can look up."""
    lines = "\n".join(f"{cluster.plan.address(name)} {_name(name)}" for name in NODES)
    for name in NODES:
        await operator.shell(name, f"printf '%s\\n' '{lines}' >> /etc/hosts")
    await operator.founds("n1", "--endpoint", f"{_name('n1')}:51820")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    for name in NODES[1:]:
        await operator.does(name, "join", await operator.token("n1"), "--endpoint", f"{_name(name)}:51820")
    await operator.all_list(NODES, NODES)
    await cluster.until(quorate(NODES, NODES), within_s=10)
    await operator.logged("n1", "newcomer-votes", name="n3")


async def _names_go_away(operator: Operator) -> None:
    for name in NODES:
        await operator.shell(name, f"sed -i /ha.test/d /etc/hosts; {DEAD_SERVER}")


async def _nudges(operator: Operator, name: str, peer: int) -> int:
    return sum(_is_nudge(one, peer) for one in await operator.log(name))


def _is_nudge(one: dict[str, Any], peer: int) -> bool:
    return one["event"] == "handshake-started-anew" and peer in one["peers"]


async def _tries_go_on(operator: Operator, name: str, peer: int, within_s: float = 30.0) -> None:
    """The node goes on shaking hands with a peer that is not there: it is past the point where it would look up."""
    before = await _nudges(operator, name, peer)

    async def twice() -> bool:
        return await _nudges(operator, name, peer) >= before + 2

    await until(twice, within_s=within_s, every_s=0.2, what=f"{name} has tried to reach {peer} twice more")


async def _handshake_at_s(operator: Operator, name: str, peer: str) -> float:
    """When a node last shook hands with a peer, by its kernel's word, on the clock of all events; a second early."""
    now_on_clock_s = now_s()
    said = json.loads(await operator.shell(name, "sfha mesh status --json"))
    ago_s = next(one["handshake_s_ago"] for one in said["peers"] if one["name"] == peer)
    return now_on_clock_s - float(ago_s)


async def _hear_each_other(operator: Operator, names: tuple[str, ...]) -> bool:
    """Whether each of these nodes has heard the daemons of the others lately, and finds a majority with them."""
    for name in names:
        status = await operator.status(name)
        running = {row["name"] for row in status.get("nodes", []) if row["online"] and row["sfhaRunning"]}
        if not status.get("quorate") or not running >= set(names):
            return False
    return True


async def _forgets_handshake(operator: Operator, name: str, peer: str) -> None:
    """As after three minutes without the peer: there are no keys."""
    status = await operator.shell(name, "sfha mesh status --json")
    address = re.search(rf'"name": "{peer}", "address": "([0-9.]+)"', " ".join(status.split()))
    assert address is not None, status
    listed = (await operator.shell(name, "wg show wg-sfha allowed-ips")).splitlines()
    key = next(line.split()[0] for line in listed if line.split()[1:] == [f"{address[1]}/32"])
    again = f"wg set wg-sfha peer {key} remove peer {key} allowed-ips {address[1]}/32"
    await operator.succeeds(name, again)


@headline
@software("sfha-unconfigured", "etcd")
@promise("D-19")
async def test_names_are_away_and_a_peer_is_dead(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The survivors hold the address and answer; a node that starts without names uses what it remembers."""
    await _named_cluster(cluster, operator, vip)
    cluster.expect(*undisturbed(vip))
    await _names_go_away(operator)
    async with cluster.under(Kill(node("n3"))):
        await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
        for name in ("n1", "n2"):
            await _forgets_handshake(operator, name, "n3")
            await _tries_go_on(operator, name, cluster.topology.node("n3").id)
            assert (await operator.status(name))["quorate"]
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=1)
    await operator.all_list(NODES, NODES, within_s=30)
    await cluster.until_settled()
    for name in NODES:
        assert "name" not in await operator.shell(name, "wg show wg-sfha endpoints | grep -o ha.test"), name


@software("sfha-unconfigured", "etcd")
@promise("D-19")
async def test_a_start_without_names_and_without_memory(cluster: Cluster, vip: str, operator: Operator) -> None:
    """A node starts where no name was ever looked up: it waits to be called, and a later start is not spoilt."""
    await _named_cluster(cluster, operator, vip)
    cluster.expect(*undisturbed(vip, outage_s=None))
    await _names_go_away(operator)
    await operator.shell("n2", "rm -f /var/lib/sfha/endpoints.json")
    await cluster.power_cut("n2")
    await cluster.power_on("n2")
    await operator.shell("n2", DEAD_SERVER)
    await operator.all_list(NODES, NODES, within_s=30)  # n1 knows where n2 is, and so does n3
    await operator.logged("n2", "endpoint-unresolved")
    await cluster.until(quorate(NODES, NODES), within_s=10)


@nightly
@software("sfha-unconfigured", "etcd")
@promise("D-19")
async def test_names_are_away_until_keys_are_too_old(cluster: Cluster, vip: str, operator: Operator) -> None:
    """As it was met: nothing is done to the tunnel, the dead peer's keys grow too old by themselves."""
    await _named_cluster(cluster, operator, vip)
    cluster.expect(*undisturbed(vip))
    await _names_go_away(operator)
    survivors = ("n1", "n2")
    async with cluster.under(Kill(node("n3"))):
        shaken_s = {name: await _handshake_at_s(operator, name, "n3") for name in survivors}
        dead = cluster.topology.node("n3").id
        for name in survivors:
            await _tries_go_on(operator, name, dead, within_s=REJECT_AFTER_S + 60)
            nudges = [float(one["t_s"]) for one in await operator.log(name) if _is_nudge(one, dead)]
            aged_s = min(t_s for t_s in nudges if t_s > shaken_s[name]) - shaken_s[name]
            assert aged_s >= REJECT_AFTER_S, f"{name} tried again after {aged_s} s: the keys were still good"
        too_old_s = now_s()
        while now_s() < too_old_s + AFTERWARDS_S:
            assert await _hear_each_other(operator, survivors)
            assert (await operator.status("n1"))["vips"][0]["held"]
            await cluster.stay(for_s=2, why="the loop was blocked again and again, for as long as anybody looked")
        for name in survivors:
            assert not [t_s for t_s in await operator.times(name, "lease-lost") if t_s > too_old_s]
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=1)
    await operator.all_list(NODES, NODES, within_s=30)
    await cluster.until_settled()
