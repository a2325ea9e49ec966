"""`sfha node remove` and `sfha leave`: the others stay together, whatever happens in the middle of it."""

import asyncio

from fixtures.expected import undisturbed
from fixtures.marks import checklist, headline, nightly, per_engine, promise, software, topology
from fixtures.sfha.operator import YELLOW, Operator, node_count, two_node
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of, quorate, without_quorum
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, node
from harness.wait import until


async def agree(cluster: Cluster, operator: Operator, left: tuple[str, ...]) -> None:
    """Status, Corosync, corosync.conf and tunnel of all nodes left name the same nodes (S2-49, S2-51, S2-52)."""
    await operator.all_list(left, left)
    await cluster.until(quorate(left, left), within_s=10)
    confs = {name: await operator.corosync_conf(name) for name in left}
    assert len(set(confs.values())) == 1, "corosync.conf differs"
    assert node_count(confs[left[0]]) == len(left)
    assert two_node(confs[left[0]]) == (len(left) == 2)
    for name in left:
        await operator.has_peers(name, len(left) - 1)
        listed = await operator.shell(name, "corosync-quorumtool -l")
        assert all(f" {other}" in listed for other in left), listed


@headline
@checklist
@promise("S2-07", "S2-18", "S2-29", "S2-35", "S2-49", "S2-51", "S2-52", "S2-53", "S2-55", "S2-56", "S2-57")
@promise("D-01", "D-02", "D-03")
async def test_offline_node_removed(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Three nodes, one without power: a follower removes it; the address never moves, and moves when asked to."""
    cluster.expect(*undisturbed(vip))
    await cluster.power_cut("n3")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
    before, reloads, began_s = await operator.corosyncs(), await operator.reloads("n1"), now_s()
    files = await _files(operator, "n2")
    assert "POST /remove-peer to n1" in await operator.does("n2", "node", "remove", "n3", "--dry-run")
    assert await _files(operator, "n2") == files
    assert "1/1" in await operator.does("n2", "node", "remove", "n3")
    await agree(cluster, operator, ("n1", "n2"))
    await operator.stayed_together(("n1", "n2"), began_s)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=1)
    steps = [
        (one["number"], one["event"]) for one in await operator.log("n2") if one["event"].startswith("removal-step")
    ]
    assert steps == [(number, event) for number in range(6) for event in ("removal-step", "removal-step-done")]
    assert await operator.reloads("n1") > reloads
    await operator.does("n1", "standby")
    await cluster.until(held_by_one_of(vip, ("n2",)), within_s=10)
    await operator.does("n1", "unstandby")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    assert await operator.corosyncs() == before


async def _files(operator: Operator, name: str) -> str:
    """A digest of everything that a node knows of its cluster."""
    return await operator.shell(name, "md5sum /etc/sfha/* /etc/corosync/* /etc/wireguard/* /var/lib/sfha/*.json")


@headline
@per_engine
@checklist
@topology("five-nodes")
@promise(
    *("S2-07", "S2-16", "S2-17", "S2-18", "S2-19", "S2-20", "S2-21", "S2-22", "S2-23", "S2-24", "S2-29", "S2-30"),
    *("S2-35", "S2-36", "S2-37", "S2-38", "S2-39", "S2-40", "S2-41", "S2-44", "S2-50", "S2-51", "S2-52", "S2-54"),
)
async def test_online_node_removed_by_force(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The target runs: it is told to leave, stops everything and forgets the cluster; then the leader dies."""
    cluster.expect(*undisturbed(vip, outage_s=10))
    before = await operator.corosyncs()
    left = cluster.all_but(("n5",))
    reloads = {name: await operator.reloads(name) for name in left}
    assert "3/3" in await operator.does("n4", "node", "remove", "n5", "--force")
    await agree(cluster, operator, left)
    await operator.logged("n5", "told-to-leave", by="n4")
    await operator.logged("n5", "left-cluster")
    found = await operator.shell("n5", "ls -A /etc/sfha /etc/corosync")
    assert not {"mesh.json", "config.yml", "authkey", "corosync.conf"} & set(found.split()), found
    assert set(await operator.running("sfha")) >= set(left)
    await _has_stopped(operator, "n5")
    assert await operator.corosyncs() == {name: before[name] for name in left}
    await _removed_in_order(cluster, operator)
    for name in left:
        assert await operator.reloads(name) > reloads[name], f"Corosync of {name} did not read its file again"
    assert "3/3" in await operator.does("n1", "propagate"), "the leader does not reach all others"
    await cluster.shut_down("n5")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, ("n2", "n3", "n4")), within_s=10)
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=20)
    await agree(cluster, operator, left)


async def _has_stopped(operator: Operator, name: str) -> None:
    """Nothing of the stack runs on a node any more."""

    async def stopped() -> bool:
        return not [one for one in ("sfha", "corosync", "wireguard-go") if name in await operator.running(one)]

    await until(stopped, within_s=5, every_s=0.05, what=f"nothing of the stack runs on {name}")


async def _removed_in_order(cluster: Cluster, operator: Operator) -> None:
    """Target, then all others and their confirmations, then the tunnel and Corosync of n4, which removed n5."""
    address = cluster.plan.mesh_address("n5")
    peers = ("n1", "n2", "n3")
    (told_s,) = await operator.times("n5", "told-to-leave", by="n4")
    begun_s = [(await operator.times(one, "remove-peer-begun", name="n5", address=address))[0] for one in peers]
    done_s = [(await operator.times(one, "remove-peer-done", name="n5"))[0] for one in peers]
    steps_s = [(await operator.times("n4", "removal-step", number=number))[0] for number in (2, 3, 4, 5)]
    assert told_s < steps_s[0] < min(begun_s), "the others were told before the target"
    assert max(done_s) < steps_s[1] < steps_s[2] < steps_s[3], "n4 removed it from itself before the others had"


@promise("S2-31", "S2-32", "S2-33", "S2-34")
async def test_what_is_refused(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Oneself, a stranger, a node that is online, and whatever would cost the quorum: refused, and nothing changes."""
    cluster.expect(*undisturbed(vip, outage_s=None))
    assert "sfha leave" in await operator.does("n1", "node", "remove", "n1", exit_code=1)
    assert "n1, n2, n3" in await operator.does("n1", "node", "remove", "n9", exit_code=1)
    assert "online" in await operator.does("n1", "node", "remove", "n3", exit_code=1)
    await cluster.power_cut("n3")
    await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
    said = await operator.does("n1", "node", "remove", "n2", "--force", exit_code=1)
    assert "1 of 2 votes" in said
    await cluster.power_cut("n2")
    await cluster.until(held_by_nobody(vip), within_s=10)
    await cluster.until(without_quorum(("n1",)), within_s=10)
    assert "no quorum" in await operator.does("n1", "node", "remove", "n3", exit_code=1)
    await cluster.power_on("n2")
    await cluster.power_on("n3")
    await cluster.until_settled()
    everybody = cluster.all_but(())
    await agree(cluster, operator, everybody)


@nightly
@topology("five-nodes")
@promise("S2-19", "S2-55")
async def test_interrupted_and_finished(cluster: Cluster, vip: str, operator: Operator) -> None:
    """A peer is frozen, so the removal waits for it; its daemon is killed there. The next one goes on to the end."""
    # One node is off, one is frozen, and a third has to vote for the holder: while its daemon starts it does not.
    cluster.expect(*undisturbed(vip, outage_s=2))
    await cluster.power_cut("n5")
    await cluster.until(quorate(cluster.all_but(("n5",)), cluster.all_but(("n5",))), within_s=10)
    async with cluster.under(Freeze(node("n4"))):
        removing = asyncio.create_task(operator.types("n3", "node", "remove", "n5"))
        await operator.logged("n3", "removal-step", step="tell-peers")
        await operator.logged("n1", "remove-peer-done", name="n5")
        await operator.daemon_dies("n3")
        assert (await removing).exit_code == 1
        await operator.daemon_starts("n3")
        await operator.logged("n3", "removal-resumed", target="n5")
        await operator.logged("n3", "node-removed", target="n5", propagated="2/3")
    await agree(cluster, operator, cluster.all_but(("n5",)))


@topology("five-nodes")
@promise("S2-19", "S2-42", "S2-43", "S2-45")
async def test_removal_with_one_peer_frozen(cluster: Cluster, vip: str, operator: Operator) -> None:
    """It is waited for, 10 s and no longer; the removal counts all the same, and the peer learns of it afterwards."""
    cluster.expect(*undisturbed(vip))
    await cluster.power_cut("n5")
    left = cluster.all_but(("n5",))
    await cluster.until(quorate(left, left), within_s=10)
    async with cluster.under(Freeze(node("n4"))):
        await cluster.until(quorate(("n1", "n2", "n3"), ("n1", "n2", "n3")), within_s=10)
        said = await operator.does_at_a_terminal("n3", "node", "remove", "n5", exit_code=3)
        assert "n4: no answer within 10 s" in said
        assert any(YELLOW in line and "2/3" in line for line in said.splitlines()), said
        (begun_s,) = await operator.times("n3", "removal-step", step="tell-peers")
        (ended_s,) = await operator.times("n3", "removal-step-done", step="tell-peers")
        assert 10.0 <= ended_s - begun_s < 11.0, f"the peers were waited for {ended_s - begun_s:.2f} s"
    await agree(cluster, operator, left)


@topology("five-nodes")
@promise("S2-19", "S2-54")
async def test_leader_dies_in_the_middle(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The leader loses power while another node is being removed: the rest go on, and it learns of it afterwards."""
    cluster.expect(*undisturbed(vip, outage_s=10))
    await operator.does("n5", "standby")
    removing = asyncio.create_task(operator.types("n3", "node", "remove", "n5"))
    await operator.logged("n3", "removal-step", step="tell-target")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
    async with cluster.under(Kill(holder_of(vip))):
        await cluster.until(held_by_one_of(vip, ("n2", "n3", "n4")), within_s=10)
        done = await removing
        assert done.exit_code in (0, 3), done.stderr
    await cluster.shut_down("n5")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=20)
    await agree(cluster, operator, cluster.all_but(("n5",)))


@headline
@promise("S2-08")
async def test_leave(cluster: Cluster, vip: str, operator: Operator) -> None:
    """The leader leaves: it hands over first, the others remove it, and its Corosync stops there and nowhere else."""
    cluster.expect(*undisturbed(vip, outage_s=1))
    before, reloads = await operator.corosyncs(), await operator.reloads("n2")
    assert "2/2" in await operator.does("n1", "leave")
    await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
    await agree(cluster, operator, ("n2", "n3"))
    assert await operator.corosyncs() == {name: before[name] for name in ("n2", "n3")}
    assert await operator.reloads("n2") > reloads
    await cluster.shut_down("n1")


@topology("single-site")
@software("sfha-unconfigured", "etcd")
@promise("S2-15", "S2-30", "S2-46", "S2-48", "D-01")
async def test_corosync_is_never_restarted(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Every operation there is, one after the other: each Corosync stays the process that it was from its start on."""
    names = cluster.all_but(())
    await operator.founds(names[0])
    await cluster.until(held_by_one_of(vip, names[:1]), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=1))
    first, tunnels = await operator.corosyncs(), await operator.running("wireguard-go")
    for name in names[1:]:
        await operator.joins(name, seeder=names[0])
        now = await operator.corosyncs()
        assert now.items() >= first.items(), f"after the join of {name}"
        first = now
        assert (await operator.running("wireguard-go")).items() >= tunnels.items(), f"after the join of {name}"
        tunnels = await operator.running("wireguard-go")
    await operator.all_list(names, names)
    last = names[-1]
    peers = {name: await operator.shell(name, "wg show wg-sfha peers | sort") for name in names}
    for node_name, words in (
        (names[1], ("standby",)),
        (names[1], ("unstandby",)),
        (names[0], ("propagate",)),
        (names[0], ("restart",)),
        (last, ("standby",)),
    ):
        await operator.does(node_name, *words)
        assert await operator.corosyncs() == first, f"after {' '.join(words)}"
    await operator.all_list(names, names)
    assert await operator.running("wireguard-go") == tunnels
    assert {name: await operator.shell(name, "wg show wg-sfha peers | sort") for name in names} == peers
    await operator.does(names[1], "node", "remove", last)
    await operator.logged(last, "left-cluster")
    del first[last]
    assert await operator.corosyncs() == first, "after node remove"
    await agree(cluster, operator, names[:-1])
    await operator.joins(last, seeder=names[1])
    assert (await operator.corosyncs()).items() >= first.items(), "after joining anew"
    await operator.all_list(names, names)
    for name in names:
        log = await operator.shell(name, "cat /var/log/corosync/corosync.log")
        starts = log.count("starting up")
        assert starts == (2 if name == last else 1), f"{name}: Corosync was started {starts} times"
    # Its second life has a node id of its own, and is removed again, so that in the end ids are those of the topology.
    await operator.does(names[0], "node", "remove", last, "--force")
    await _has_stopped(operator, last)
    await agree(cluster, operator, names[:-1])
    assert await operator.corosyncs() == {name: first[name] for name in names[:-1]}, "after a removal by the leader"
    assert await operator.running("wireguard-go") == {name: tunnels[name] for name in names[:-1]}
    await cluster.shut_down(last)
