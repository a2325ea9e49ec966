"""A cluster is founded, and grows: `sfha init` on one node, `sfha token` and `sfha join` for the others."""

import asyncio

from fixtures.expected import undisturbed
from fixtures.marks import headline, hosts_kernel, nightly, per_engine, promise, software, topology
from fixtures.sfha.operator import Operator, node_count, two_node
from fixtures.sfha.tokens import SCHEME
from fixtures.wiretap import TCP, UDP, Packet, listening, requests
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of, quorate
from harness.faults.network import WanDown
from harness.faults.process import Kill
from harness.faults.select import holder_of, node
from harness.subjects.etcd.subject import CLIENT_PORT, PEER_PORT
from harness.subjects.sfha.subject import WIREGUARD_PORT
from harness.wait import until

P2P_PORT = 7777
"""Where daemons talk to each other, inside the mesh."""

MESH = "10.91.0.0/24"
STEPS = ("1 token read", "2 WireGuard configured", "3 connected to the mesh", "4 registered over the tunnel", "5-8")


@headline
@per_engine
@hosts_kernel("what goes through the tunnel is heard by way of the host's kernel")
@software("sfha-unconfigured", "etcd")
@promise(
    *("S1-02", "S1-03", "S1-06", "S1-08", "S1-16", "S1-17", "S1-18", "S1-27", "S1-28", "S1-29", "S1-30", "S1-31"),
    *("S1-32", "S1-33", "S1-34", "S1-35", "S1-36", "S1-37", "S2-03", "S2-04", "S2-05", "S2-06", "S2-46", "D-15"),
)
async def test_init_and_two_joins(cluster: Cluster, vip: str, operator: Operator) -> None:
    """From three bare nodes to a cluster of three that survives the loss of its leader."""
    await operator.founds("n1", "--mesh", MESH)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=10))
    assert "10.91.0.1/24" in await operator.shell("n1", "ip -4 address show dev wg-sfha")
    assert "ring0_addr: 10.91.0.1" in await operator.corosync_conf("n1")
    assert set(await operator.corosyncs()) == {"n1"}
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    for name in ("n1", "n2"):
        assert two_node(await operator.corosync_conf(name))
    before = await operator.corosyncs()
    async with listening(cluster, "n2", "wg-sfha") as inside, listening(cluster, "n2", "eth0") as outside:
        said = await operator.joins("n3", seeder="n2")
        await operator.logged("n1", "newcomer-votes", name="n3")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    for name in everybody:
        conf = await operator.corosync_conf(name)
        assert node_count(conf) == 3
        assert not two_node(conf)
        lines = {line.strip() for line in conf.splitlines()}
        assert {"version: 2", "transport: knet", "secauth: on", "crypto_cipher: aes256", "crypto_hash: sha256"} <= lines
        peers = (await operator.shell(name, "wg show wg-sfha peers")).split()
        assert len(peers) == 2, f"{name} has {len(peers)} peers in its tunnel"
    assert (await operator.corosyncs()).items() >= before.items(), "a Corosync was started anew"
    assert await operator.reloads("n1") >= 2
    await _went_in_order(operator, said)
    await _registered_over_the_tunnel(cluster, operator, inside)
    _outside_is_nothing_but_wireguard(cluster, outside)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, ("n2", "n3")), within_s=10)
    await cluster.until_settled()


async def _went_in_order(operator: Operator, said: str) -> None:
    """The eight steps of n3's join by way of n2: the joining node's from what it said, the seeder's from its log."""
    places = [said.index(step) for step in STEPS]
    assert places == sorted(places), said
    steps = [(await operator.times("n2", "join-step", name="n3", number=number))[0] for number in (5, 6, 7, 8)]
    (received_s,) = await operator.times("n2", "registration-received", name="n3")
    told_s = (await operator.times("n1", "full-config-received", by="n2"))[0]
    reloaded_s = next(t_s for t_s in await operator.times("n2", "corosync-reloaded") if t_s > steps[2])
    in_order = [received_s, *steps[:2], told_s, steps[2], reloaded_s, steps[3]]
    assert in_order == sorted(in_order), in_order


async def _registered_over_the_tunnel(cluster: Cluster, operator: Operator, inside: list[Packet]) -> None:
    """The message that n2 got, as it went through the tunnel; n2 listens nowhere else."""
    key = (await operator.shell("n3", "wg show wg-sfha public-key")).strip()
    endpoint = f"{cluster.plan.address('n3')}:51820"
    wanted = {"action": "register", "name": "n3", "pubkey": key, "endpoint": endpoint, "meshIp": "10.91.0.3"}
    sent = requests(inside, P2P_PORT, "register")
    assert sent, "no registration went through the tunnel of n2"
    assert all(message == wanted for message in sent), sent
    assert await operator.listens("n2", P2P_PORT) == ["10.91.0.2"]
    partners = {packet.source for packet in inside if packet.protocol == TCP and packet.target_port == P2P_PORT}
    assert {"10.91.0.2", "10.91.0.3"} <= partners, "daemons did not talk over P2P in both directions"


def _outside_is_nothing_but_wireguard(cluster: Cluster, outside: list[Packet]) -> None:
    """Between the nodes' own addresses only WireGuard was heard, besides the store that runs there as well."""
    nodes = {cluster.plan.address(name) for name in cluster.topology.node_names}
    store = {CLIENT_PORT, PEER_PORT}
    between = [
        packet
        for packet in outside
        if {packet.source, packet.target} <= nodes and not store & {packet.source_port, packet.target_port}
    ]
    assert between, "nothing was heard between the nodes"
    others = {packet for packet in between if packet.protocol != UDP or packet.target_port != WIREGUARD_PORT}
    assert not others, sorted((one.source, one.target, one.protocol, one.target_port) for one in others)
    assert not any(b'"action"' in packet.payload for packet in outside)


@software("sfha-unconfigured", "etcd")
@topology("five-nodes")
@promise("S1-06", "S1-27", "S1-28", "S2-06")
async def test_joining_at_the_same_time(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Three nodes join at once by way of two seeders: nobody gets anybody else's address, and all are members."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    await operator.joins("n2", seeder="n1")
    tokens = {
        "n3": await operator.token("n1"),
        "n4": await operator.token("n2"),
        "n5": await operator.token("n1", "--ip", "10.90.0.40"),
    }
    await asyncio.gather(*(operator.does(name, "join", token) for name, token in tokens.items()))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=30)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    addresses = [
        line.split()[-1]
        for line in (await operator.corosync_conf("n1")).splitlines()
        if line.split()[:1] == ["ring0_addr:"]
    ]
    assert len(set(addresses)) == 5, addresses


@software("sfha-unconfigured", "etcd")
async def test_tokens_that_are_no_good(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Damaged, tampered with, expired, used by another, of another cluster: refused in one line, nothing changes."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    good, short = await operator.token("n1"), await operator.token("n1", "--ttl", "1s")
    assert "no join token" in await operator.does("n2", "join", "hello", exit_code=1)
    assert "damaged" in await operator.does("n2", "join", good[: len(SCHEME) + 40], exit_code=1)
    middle = len(good) // 2
    tampered = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    said = await operator.does("n2", "join", tampered, exit_code=1)
    assert "changed" in said or "damaged" in said
    await operator.logged("n1", "token-expired")
    assert "expired" in await operator.does("n2", "join", short, exit_code=1)
    await operator.does("n2", "join", good)
    assert "belongs to a cluster" in await operator.does("n2", "join", good, exit_code=1)
    said = await operator.does("n3", "join", good, exit_code=1)
    assert "the token was used" in said
    assert (
        await operator.shell("n3", "ls /etc/sfha 2>/dev/null; ip link show wg-sfha 2>&1 | grep -c POINTOPOINT")
    ).split() == ["0"]
    await operator.joins("n3", seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)


@nightly
@software("sfha-unconfigured", "etcd")
@topology("five-nodes")
@promise("S1-24")
async def test_seeder_dies_in_the_middle(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The seeder loses power when it has taken the registration; the node joins by way of another, and all agree."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    for name in ("n2", "n3", "n5"):
        await operator.joins(name, seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n5")
    token = await operator.token("n3")
    joining = asyncio.create_task(operator.types("n4", "join", token))
    await operator.logged("n3", "registration-received", name="n4")
    async with cluster.under(Kill(node("n3"))):
        done = await joining
        cluster.note(f"the join that lost its seeder ended with {done.exit_code}")
        assert b"Traceback" not in done.stderr
        if done.exit_code != 0:
            assert b"n3" in done.stderr
            await operator.joins("n4", seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=30)


@software("sfha-unconfigured", "etcd")
@promise("S1-06")
async def test_joiner_dies_in_the_middle(cluster: Cluster, vip: str, operator: Operator) -> None:
    """It loses power when its registration was taken: the others go on, and the same command goes on, too."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    token = await operator.token("n2")
    await operator.shell("n3", f"setsid sfha join {token} > /dev/null 2>&1 < /dev/null &")
    await operator.logged("n2", "registration-received", name="n3")
    await cluster.power_cut("n3")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
    await cluster.power_on("n3")
    if "mesh.json" in await operator.shell(
        "n3", "ls /etc/sfha"
    ):  # it was through already, and needs no more than its power
        assert "belongs to a cluster already" in await operator.does("n3", "join", token, exit_code=1)
    else:
        assert "n3 has joined" in await operator.does("n3", "join", token)
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    assert node_count(await operator.corosync_conf("n1")) == 3


@software("sfha-unconfigured", "etcd")
@promise("S1-07", "S1-10", "S1-19", "S1-20", "S1-21", "S1-22", "S1-23", "S1-24", "S2-46")
async def test_join_and_boot_while_the_wan_is_down(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The seeder cannot be reached: a clear error in good time. A member that boots then waits with its Corosync."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=None))
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    token = await operator.token("n1")
    async with cluster.under(WanDown()):
        await cluster.power_cut("n2")
        await cluster.power_on("n2")
        joining = asyncio.create_task(operator.does("n3", "join", token, exit_code=1))
        await operator.has_peers("n3", 2)  # the seeder, and the other node that the token knows
        assert "does not answer" in await joining
        # Gates of n2: its tunnel is up, no peer has answered; so there is no Corosync, no quorum and no address.
        await operator.logged("n2", "no-peer-reached")
        await operator.has_peers("n2", 1)
        assert set(await operator.corosyncs()) == {"n1"}
        await cluster.until(held_by_nobody(vip), within_s=1)
        await _without_tunnel_nothing_starts(operator, "n2")
        await operator.daemon_starts("n2")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=15)
    starts = [await operator.times("n2", event) for event in ("mesh-up", "corosync-started", "corosync-connected")]
    assert [times[-1] for times in starts] == sorted(times[-1] for times in starts)
    assert "quorum" in await operator.does("n3", "join", token)
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)


async def _without_tunnel_nothing_starts(operator: Operator, name: str) -> None:
    """WireGuard does not come up: the daemon says so and ends, and starts neither Corosync nor anything else."""
    await operator.daemon_dies(name)
    await operator.shell(name, "pkill -x wireguard-go; mv /usr/bin/wireguard-go /usr/bin/wireguard-gone")

    async def gone() -> bool:
        return name not in await operator.running("wireguard-go")

    await until(gone, within_s=5, what=f"the tunnel of {name} is gone")
    said = await operator.does(name, "run", exit_code=1)
    assert "mesh" in said, said
    assert name not in await operator.corosyncs()
    await operator.shell(name, "mv /usr/bin/wireguard-gone /usr/bin/wireguard-go")
