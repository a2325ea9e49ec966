"""The node that holds the address goes away, in each of the ways in which nodes go away."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from fixtures.announcer import announcing
from fixtures.expected import highly_available
from fixtures.marks import frozen_alone, headline, hosts_kernel, per_engine, promise
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Freeze, Kill, Suspend
from harness.faults.select import aim, holder_of, node
from harness.ledger import ClusterLedger
from harness.wait import until
from scenarios.sfha.resources.asking import comes_true, moves, told

ALL_THREE = [1, 2, 3]
STILL_FROZEN_S = (0.0, 0.1, 0.2, 0.3)
"""How long after another one holds the address: Corosync misses its token, and looks for a consensus, meanwhile."""
DOUBTED_S = 0.9
HANDED_ON = "no longer leader"
ELECTED_OR_MEMBERS = ("leader-elected", "membership-changed")


@headline
@per_engine
@promise("S1-30", "S1-31", "S1-35", "S1-36", "S1-37", "D-16")
async def test_holder_killed_and_returning(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Its power is cut: the address answers again within 10 s, never from two nodes; then it boots and comes back."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            survivors = cluster.all_but(kill.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(quorate(survivors, survivors), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@per_engine
@frozen_alone
@promise("S1-36", "S1-37", "D-16")
async def test_holder_frozen_and_thawed(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Everything on it stops, its kernel lives: the address goes dark there by itself, and stays dark when it thaws."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        async with cluster.under(Freeze(holder_of(vip))) as freeze:
            survivors = cluster.all_but(freeze.targets)
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(quorate(survivors, survivors), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@hosts_kernel("it is about the timers of the profile fast, which slower kernels do not keep")
@promise("S1-36", "S1-37", "D-45")
async def test_holder_frozen_for_half_a_second(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """Four times, for longer each time: whether Corosync leaves n1 out or not, that is one failover.

    Thawed, n1 is the preferred node at once, and may lose its ring a moment later: so n2 goes on until it must have.
    """
    cluster.expect(*highly_available(vip, outage_s=1.0))
    async with ledger.writing():
        for still_s in STILL_FROZEN_S:
            before, moved = len(await told(cluster, "n3", *ELECTED_OR_MEMBERS)), await moves(cluster, "n3")
            late = await _was_late(cluster, "n2")
            async with cluster.under(Freeze(node("n1"))):
                await cluster.until(held_by_one_of(vip, ("n2",)), within_s=1)
                await cluster.stay(for_s=still_s, why="n1 is frozen")
            await cluster.until_settled()
            await comes_true("n3's log has it", partial(_has_moved, cluster, moved + 2))
            kept = await _was_late(cluster, "n2") == late
            _is_one_failover((await told(cluster, "n3", *ELECTED_OR_MEMBERS))[before:], still_s, kept=kept)


async def _was_late(cluster: Cluster, asked: str) -> int:
    """How often a node lost its lease without having handed it on: the host had no time for it, or for others."""
    return sum(one["reason"] != HANDED_ON for one in await told(cluster, asked, "lease-lost"))


async def _has_moved(cluster: Cluster, times: int) -> bool:
    return await moves(cluster, "n3") >= times


def _is_one_failover(said: list[dict[str, Any]], still_s: float, *, kept: bool) -> None:
    """To n2, and back to n1 after as long as n1's ring might be lost.

    That wait ends early when a ring was lost, and when n2 did not keep its lease: nobody leads then.
    """
    elected = [one for one in said if one["event"] == "leader-elected"]
    leaders = [one["leader"] for one in elected]
    assert (leaders[0], leaders[-1]) == (2, 1), said
    if all(one.get("members", ALL_THREE) == ALL_THREE for one in said):
        assert len(leaders) == 2, said
        assert not kept or elected[1]["t_s"] - elected[0]["t_s"] >= still_s + DOUBTED_S, said


@headline
@per_engine
@frozen_alone
@promise("S1-36", "S1-37")
async def test_thawed_holder_has_nothing_to_say(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """A program on the holder announces the address all the time: frozen and thawed with it, it is heard by nobody."""
    cluster.expect(*highly_available(vip))
    (holder,) = await aim(cluster, holder_of(vip))
    async with ledger.writing(), announcing(cluster, holder, vip) as announcer:
        await cluster.until(announcer.is_heard(), within_s=10)
        async with cluster.under(Freeze(node(holder))):
            survivors = cluster.all_but((holder,))
            await cluster.until(held_by_one_of(vip, survivors), within_s=10)
            await cluster.until(quorate(survivors, survivors), within_s=10)  # else it may not lose its ring
            thawed = announcer.is_silenced()
        await cluster.until(thawed, within_s=10)
        await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()


@headline
@per_engine
@hosts_kernel("a daemon alone is stopped by way of the host's kernel")
@promise("S1-36", "S1-37", "S2-13")
async def test_holders_daemon_stopped_and_continued(
    cluster: Cluster, vip: str, ledger: ClusterLedger, operator: Operator
) -> None:
    """Only the daemon hangs, Corosync on its node lives on: the others notice, and the address moves."""
    cluster.expect(*highly_available(vip))
    before = await operator.corosyncs()
    async with ledger.writing():
        async with cluster.under(Suspend(holder_of(vip), daemon="sfha")) as suspend:
            await cluster.until(held_by_one_of(vip, cluster.all_but(suspend.targets)), within_s=10)
            await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()
    assert set(before) == set(cluster.topology.node_names)
    assert await operator.corosyncs() == before


@hosts_kernel("a daemon alone is killed by way of the host's kernel")
@promise("S1-36", "S1-37", "D-17")
async def test_holders_daemon_killed(cluster: Cluster, vip: str, ledger: ClusterLedger, operator: Operator) -> None:
    """Only the daemon dies, without a word: its kernel lets the address go, and its next life begins with nothing."""
    cluster.expect(*highly_available(vip))
    before = await operator.corosyncs()
    (holder,) = await aim(cluster, holder_of(vip))
    first = (await operator.running("sfha"))[holder]
    async with ledger.writing():
        await operator.daemon_dies(holder)
        await operator.daemon_is_another(holder, first)
        await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.until_settled()
    assert await operator.corosyncs() == before


@promise("S1-36", "D-04")
async def test_holder_killed_while_everybody_asks(
    cluster: Cluster, vip: str, ledger: ClusterLedger, operator: Operator
) -> None:
    """`sfha status` is asked on the survivors all the time while the address moves: it still does."""
    cluster.expect(*highly_available(vip))
    asked: Counter[str] = Counter()

    async def ask(name: str) -> None:
        while True:
            if await operator.status(name):
                asked[name] += 1

    async with ledger.writing():
        async with cluster.under(Kill(holder_of(vip))) as kill:
            survivors = cluster.all_but(kill.targets)
            asking = [asyncio.create_task(ask(name)) for name in survivors]
            try:
                await cluster.until(held_by_one_of(vip, survivors), within_s=10)
                await cluster.until(ledger.acknowledges_again(), within_s=10)
                await until(lambda: set(asked) == set(survivors), within_s=10, what="each has answered meanwhile")
                assert not any(task.done() for task in asking), "one of them was asked no longer"
            finally:
                for task in asking:
                    task.cancel()
                await asyncio.gather(*asking, return_exceptions=True)
        await cluster.until_settled()


@headline
@promise("S1-36", "S1-37")
async def test_holder_shut_down_in_good_order(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """A planned stop hands the address over at once; the node comes back later."""
    cluster.expect(*highly_available(vip))
    async with ledger.writing():
        (holder,) = await aim(cluster, holder_of(vip))
        await cluster.shut_down(holder)
        survivors = cluster.all_but((holder,))
        await cluster.until(held_by_one_of(vip, survivors), within_s=10)
        await cluster.until(quorate(survivors, survivors), within_s=10)
        await cluster.until(ledger.acknowledges_again(), within_s=10)
        await cluster.power_on(holder)
        await cluster.until_settled()
