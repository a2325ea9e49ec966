"""Datagrams, requests and packets by the thousand that no daemon has just made, over real sockets: without effect."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from fixtures.expected import undisturbed
from fixtures.marks import alone, nightly, promise
from fixtures.sfha.asking import asked
from fixtures.sfha.operator import Operator
from fixtures.wiretap import UDP, Packet, listening
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from scenarios.sfha.security import forging
from scenarios.sfha.security.forging import Forged, Orders, by_outsider, by_root, by_user

LEFT = ("n1", "n2")
ORDINARY, NIGHTLY = 30_000, 1_000_000
RATE, REQUESTS_RATE = 4000.0, 40.0
USERS, OUTSIDERS, REMOVED = 0.4, 0.4, 0.2
"""Their shares of everything."""
STATE = "/etc/sfha/*.yml /etc/sfha/*.json /etc/corosync/* /var/lib/sfha/roster.json"
HARMLESS = ("slow-callback", "lease-", "vip-")
"""What a busy machine brings about by itself, and how it begins; lost leases are counted."""


@dataclass(frozen=True)
class Heard:
    """What there is to begin with: all that was recorded at a member, and what goes between two nodes outside."""

    inside: tuple[str, ...]
    corosync: tuple[str, ...]
    requests: tuple[str, ...]
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What the members logged meanwhile, and what they are afterwards."""

    events: Counter[str]
    state: tuple[str, ...]

    @property
    def leases_lost(self) -> int:
        """Lost leases, of all members."""
        return self.events["lease-lost"]


async def _record(cluster: Cluster, operator: Operator) -> Heard:
    inside: list[Packet]
    async with listening(cluster, "n1", "wg-sfha") as inside, listening(cluster, "n1", "eth0") as outside:
        await operator.does("n1", "vip", "add", "second", "198.51.100.77/32", "--interface", "lo")
        await operator.does("n1", "vip", "remove", "second")
        await asked(operator, "n2", "n1", "/state", count=5)
        await cluster.stay(for_s=3, why="datagrams have to be recorded")
    found = Heard(
        forging.recorded_datagrams(inside),
        forging.recording(inside, UDP, forging.COROSYNC),
        forging.recorded_requests(inside),
        forging.recording(outside, UDP, forging.WIREGUARD),
    )
    assert min(map(len, (found.inside, found.corosync, found.outside))) > 20, found
    assert found.requests
    return found


def _of_user(cluster: Cluster, heard: Heard, count: int, *, real: bool) -> list[Orders]:
    own = cluster.plan.mesh_address("n2")
    peers = [cluster.plan.mesh_address(name) for name in LEFT]
    ports = (forging.DATAGRAMS, forging.COROSYNC) if real else (forging.NOBODYS,)
    targets = tuple((address, port) for address in peers for port in ports)
    requests = int(count / RATE * REQUESTS_RATE)
    doors = ((peers[0], forging.REQUESTS if real else forging.NOBODYS),)
    return [
        Orders("datagrams", (*heard.inside, *heard.corosync), targets, count, RATE, own=own, seed=1),
        Orders("connections", heard.requests, doors, requests, REQUESTS_RATE, seed=2),
    ]


def _of_outsider(cluster: Cluster, heard: Heard, count: int, *, real: bool) -> list[Orders]:
    """Under mesh addresses to the mesh, and to the tunnel's own port under the nodes'."""

    def frames(ports: tuple[int, ...], address: Any, recorded: tuple[str, ...], seed: int) -> Orders:
        targets = tuple(
            (cluster.plan.mac(name), address(name), port if real else forging.NOBODYS)
            for name in LEFT
            for port in ports
        )
        sources = tuple(address(name) for name in ("n1", "n2", "n3"))
        mac = cluster.plan.mac("user")
        return Orders("frames", recorded, targets, count // 2, RATE / 2, sources=sources, mac=mac, seed=seed)

    inside, outside = (forging.DATAGRAMS, forging.COROSYNC), (forging.WIREGUARD,)
    return [
        frames(inside, cluster.plan.mesh_address, (*heard.inside, *heard.corosync), 3),
        frames(outside, cluster.plan.address, heard.outside, 4),
    ]


def _of_removed(cluster: Cluster, heard: Heard, count: int, *, real: bool) -> Orders:
    """What it had recorded while it was a member, under its own addresses, and to the tunnel."""
    everything = (*heard.inside, *heard.corosync, *heard.outside)
    ports = (forging.DATAGRAMS, forging.COROSYNC, forging.WIREGUARD) if real else (forging.NOBODYS,)
    where = (cluster.plan.mesh_address, cluster.plan.address)
    targets = tuple((cluster.plan.mac(one), at(one), port) for one in LEFT for at in where for port in ports)
    sources = tuple(at("n3") for at in where)
    mac = cluster.plan.mac("n3")
    return Orders("frames", everything, targets, count, RATE, sources=sources, mac=mac, seed=5)


async def _all_of_them(
    cluster: Cluster, operator: Operator, heard: Heard, count: int, *, real: bool
) -> tuple[list[Forged], Outcome]:
    """Everybody at the same time; ``real``: to the ports of the cluster, else to one that nobody listens at."""
    patience_s = 60 + 6 * count / RATE
    began_s = now_s()
    users = _of_user(cluster, heard, int(count * USERS), real=real)
    outsiders = _of_outsider(cluster, heard, int(count * OUTSIDERS), real=real)
    removed = _of_removed(cluster, heard, int(count * REMOVED), real=real)
    done = await asyncio.gather(
        *(by_user(operator, "n2", orders, patience_s) for orders in users),
        *(by_outsider(cluster, "user", orders, patience_s) for orders in outsiders),
        by_root(cluster, "n3", removed, patience_s),
    )
    return list(done), await _outcome(operator, began_s, now_s())


async def _outcome(operator: Operator, from_s: float, to_s: float) -> Outcome:
    events: Counter[str] = Counter()
    state = []
    for name in LEFT:
        events.update(one["event"] for one in await operator.log(name) if from_s <= one["t_s"] <= to_s)
        status = await operator.status(name)
        facts = {key: status[key] for key in ("leader_name", "quorate", "members", "standby", "unsealed", "unpaired")}
        state += [json.dumps(facts), await operator.shell(name, f"md5sum {STATE}")]
    return Outcome(events, tuple(state))


async def _fuzz(cluster: Cluster, vip: str, operator: Operator, count: int) -> None:
    everybody = cluster.all_but(())
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    cluster.expect(*undisturbed(vip))
    heard = await _record(cluster, operator)
    await operator.does("n1", "node", "remove", "n3", "--force")
    await operator.all_list(LEFT, LEFT)
    await operator.logged("n3", "left-cluster")
    aside, control = await _all_of_them(cluster, operator, heard, count, real=False)
    done, outcome = await _all_of_them(cluster, operator, heard, count, real=True)
    cluster.note(f"to nobody: {aside} {control.events}; to the cluster: {done} {outcome.events}")
    tried = sum(one.sent + one.refused for one in done)
    assert tried >= count, f"only {tried} were made"
    assert sum(one.sent for one in done) > count / 2, "most were kept from being sent, and show nothing"
    assert sum(one.believed for one in done) == 0, "a forged request was answered as genuine"
    unexpected = Counter({key: number for key, number in outcome.events.items() if not key.startswith(HARMLESS)})
    assert not unexpected - control.events, "the daemons did something"
    assert outcome.leases_lost <= control.leases_lost
    assert outcome.state == control.state, "something was changed"
    assert [status for status, _ in await asked(operator, "n2", "n1", "/ping", count=3)] == [200] * 3
    await operator.all_list(LEFT, LEFT)
    await cluster.shut_down("n3")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)


@alone
@promise("D-52")
async def test_thousands_of_forgeries(cluster: Cluster, vip: str, operator: Operator) -> None:
    """From a member's user, from outside the mesh and from a removed node, at the same time: no effect."""
    await _fuzz(cluster, vip, operator, ORDINARY)


@alone
@nightly
@promise("D-52")
async def test_a_million_forgeries(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The same, a million of them."""
    await _fuzz(cluster, vip, operator, NIGHTLY)
