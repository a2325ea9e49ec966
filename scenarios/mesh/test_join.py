"""A cluster is founded, and grows: `sfha init` on one node, `sfha token` and `sfha join` for the others."""

import asyncio

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise, software, topology
from fixtures.operator import Operator, node_count, two_node
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.network import WanDown
from harness.faults.process import Kill
from harness.faults.select import holder_of, node
from harness.stack.token.core import PREFIX


@headline
@software("sfha-unconfigured", "etcd")
@promise(
    *("S1-02", "S1-03", "S1-06", "S1-07", "S1-08", "S1-16", "S1-17", "S1-18", "S1-19", "S1-20", "S1-21", "S1-22"),
    *("S1-23", "S1-27", "S1-28", "S1-29", "S1-30", "S1-31", "S1-32", "S1-33", "S1-34", "S1-35", "S1-36", "S1-37"),
    *("S2-05", "S2-06", "S2-46"),
)
async def test_init_and_two_joins(cluster: Cluster, vip: str, operator: Operator) -> None:
    """From three bare nodes to a cluster of three that survives the loss of its leader."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=10))
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    assert two_node(await operator.corosync_conf("n1"))
    assert two_node(await operator.corosync_conf("n2"))
    await operator.joins("n3", seeder="n2")
    await operator.logged("n1", "newcomer-votes", name="n3")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    for name in everybody:
        conf = await operator.corosync_conf(name)
        assert node_count(conf) == 3
        assert not two_node(conf)
        peers = (await operator.shell(name, "wg show wg-sfha peers")).split()
        assert len(peers) == 2, f"{name} has {len(peers)} peers in its tunnel"
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
    events = [one["event"] for one in await operator.log("n3")]
    assert events.index("mesh-up") < events.index("corosync-started")
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, ("n2", "n3")), within_s=10)
    await cluster.until_settled()


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
        "n4": await operator.token("n2", "--ip", "10.90.0.40"),
        "n5": await operator.token("n1"),
    }
    await asyncio.gather(*(operator.does(name, "join", token) for name, token in tokens.items()))
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=30)
    addresses = [
        line.split()[-1]
        for line in (await operator.corosync_conf("n1")).splitlines()
        if line.split()[:1] == ["ring0_addr:"]
    ]
    assert len(set(addresses)) == 5, addresses


@software("sfha-unconfigured", "etcd")
@promise("S1-24")
async def test_tokens_that_are_no_good(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Damaged, tampered with, expired, used by another, of another cluster: refused in one line, nothing changes."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    good, short = await operator.token("n1"), await operator.token("n1", "--ttl", "1s")
    assert "no join token" in await operator.does("n2", "join", "hello", exit_code=1)
    assert "damaged" in await operator.does("n2", "join", good[: len(PREFIX) + 40], exit_code=1)
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
@promise("S1-24")
async def test_join_while_the_wan_is_down(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The seeder cannot be reached: a clear error in good time; afterwards the same command works."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=None))
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    token = await operator.token("n1")
    async with cluster.under(WanDown()):
        assert "does not answer" in await operator.does("n3", "join", token, exit_code=1)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await operator.does("n3", "join", token)
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
