"""A host of the nodes' network says that it is a member, and a member's user speaks to Corosync: all is dropped."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.expected import undisturbed
from fixtures.marks import alone, headline, hosts_kernel, promise, software
from fixtures.sfha.operator import Operator
from fixtures.wiretap import UDP, listening
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.fabric.namespaces import call_in
from harness.wait import until
from scenarios.sfha.security.attacks import Effects, effects_of, quiet
from scenarios.sfha.security.forging import COROSYNC, Forged, Orders, by_outsider, by_user, recording

PROBE = 9000
ATTACK_S, RATE = 8.0, 500.0
TABLE = "inet sfha_mesh"


@contextmanager
def _probe(cluster: Cluster, node: str) -> Iterator[socket.socket]:
    """A port of a node's mesh address, of a service that believes in addresses."""

    def bound() -> socket.socket:
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.bind((cluster.plan.mesh_address(node), PROBE))
        link.setblocking(False)
        return link

    with call_in(Path(f"/proc/{cluster.engine.pid(node)}/ns/net"), bound) as link:
        yield link


def _heard(link: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(link.recvfrom(2000)[1][0])
        except BlockingIOError:
            return found


def _as_n2_to_n1(cluster: Cluster, recorded: tuple[str, ...], port: int, count: int) -> Orders:
    mac, address = cluster.plan.mac("n1"), cluster.plan.mesh_address("n1")
    return Orders(
        "frames",
        recorded,
        ((mac, address, port),),
        count,
        RATE,
        sources=(cluster.plan.mesh_address("n2"),),
        mac=cluster.plan.mac("user"),
        mutate=port == COROSYNC,
        seed=port,
    )


async def _as_without_an_attack(
    cluster: Cluster, vip: str, operator: Operator, *, listener: str
) -> tuple[Effects, tuple[str, ...]]:
    """What happens by itself in the time of an attack, and what Corosync says meanwhile at one node."""
    everybody = cluster.all_but(())
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    cluster.expect(*undisturbed(vip))
    async with listening(cluster, listener, "wg-sfha") as heard:
        control = await quiet(cluster, operator, ATTACK_S)
    return control, recording(heard, UDP, COROSYNC)


async def _forged(cluster: Cluster, orders: Orders) -> Forged:
    return await by_outsider(cluster, "user", orders, timeout_s=60)


@alone
@headline
@hosts_kernel("the rules around the mesh are of the family inet, which the kernel of such a node has not")
@software("sfha", "etcd", profile="lan")
@promise("D-51")
async def test_a_host_of_the_network_under_a_mesh_address(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Corosync's packets, recorded and changed, as from n2: n1's ring does not notice, nor does any port of its own."""
    everybody = cluster.all_but(())
    control, recorded = await _as_without_an_attack(cluster, vip, operator, listener="n1")
    assert len(recorded) > 50, "Corosync says nothing that could be recorded"
    began_s = now_s()
    with _probe(cluster, "n1") as link:
        done = await _forged(cluster, _as_n2_to_n1(cluster, recorded, COROSYNC, int(RATE * ATTACK_S)))
        effects = await effects_of(operator, began_s, now_s())
        cluster.note(f"{done}: {effects}; without an attack: {control}")
        await _forged(cluster, _as_n2_to_n1(cluster, ("00",), PROBE, 50))
        assert _heard(link) == [], "a packet under n2's address came from outside the tunnel"
        genuine = f"import socket; socket.socket(2, 2).sendto(b'x', ('{cluster.plan.mesh_address('n1')}', {PROBE}))"
        await operator.succeeds("n2", f'python3 -c "{genuine}"')
        await until(lambda: bool(_heard(link)), within_s=5, every_s=0.05, what="n1 hears n2 through the tunnel")
        assert done.sent == RATE * ATTACK_S
        assert effects.elections == 0
        assert effects.leases_lost <= control.leases_lost
        await operator.stayed_together(everybody, began_s)
        # A firewall that is loaded anew takes the rules away: for a moment the same packets do come in. The daemon puts
        # them back at once, often between two packets of the attack.
        async with asyncio.TaskGroup() as group:
            attack = group.create_task(_forged(cluster, _as_n2_to_n1(cluster, ("00",), PROBE, int(RATE * 4))))
            await cluster.stay(for_s=1, why="the attack has to be under way")

            async def came_in() -> bool:
                await operator.shell("n1", f"nft delete table {TABLE} 2>&1 || true")
                return bool(_heard(link))

            await until(came_in, within_s=5, every_s=0.01, what="the attack is one without the rules")
            await operator.logged("n1", "mesh-guarded-again")
        assert (await attack).sent
        _heard(link)
        await _forged(cluster, _as_n2_to_n1(cluster, ("00",), PROBE, 50))
        assert _heard(link) == []
    findings = json.loads((await operator.types("n1", "doctor", "--json")).stdout)["findings"]
    assert not [one for one in findings if one["key"] == "doctor.no-wall"]


@alone
@software("sfha", "etcd", profile="lan")
@promise("D-51")
async def test_a_members_user_speaks_to_corosync(cluster: Cluster, vip: str, operator: Operator) -> None:
    """From the member's own mesh address, in Corosync's own words: nothing leaves that node."""
    everybody = cluster.all_but(())
    control, recorded = await _as_without_an_attack(cluster, vip, operator, listener="n3")
    own = cluster.plan.mesh_address("n3")
    targets = tuple((cluster.plan.mesh_address(name), COROSYNC) for name in everybody)
    began_s = now_s()
    orders = Orders("datagrams", recorded, targets, int(RATE * ATTACK_S), RATE, own=own)
    done = await by_user(operator, "n3", orders, timeout_s=60)
    effects = await effects_of(operator, began_s, now_s())
    cluster.note(f"{done}: {effects}; without an attack: {control}")
    assert done.sent + done.refused == RATE * ATTACK_S
    assert effects.elections == 0, "the ring broke"
    assert effects.leases_lost <= control.leases_lost
    await operator.stayed_together(everybody, began_s)
    assert done.sent == 0
