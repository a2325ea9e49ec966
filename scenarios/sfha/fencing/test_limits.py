"""What fencing must not do: without quorum, while nodes come and go, or to a node that is only slow."""

import json
from collections.abc import Awaitable, Callable

from fixtures.expected import highly_available
from fixtures.marks import nightly, promise, software, topology
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, quorate, without_quorum, written_by_one_of
from harness.expectations import one_writer
from harness.faults.network import CutSite
from harness.faults.process import Freeze
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.outside import PowerSwitch, WriteRecorder
from harness.subjects.sfha.fenced import SERVICE
from harness.wait import until

LOOP_LIMIT = 3
"""So often a node is fenced in a row (docs/fencing.md)."""

FLAPS = 4
SETTLED_S = 1.8
ASK_EVERY_S = 0.2


@promise("S2-02")
@software("sfha-fenced", "etcd", fence_delay_s=3)
async def test_flapping_quorum_fences_nobody(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """A node is cut off and comes back, again and again, each time within the delay: nobody loses power."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    async with ledger.writing():
        for _ in range(FLAPS):
            async with cluster.under(CutSite("lyon")):
                await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
                await cluster.stay(for_s=SETTLED_S, why="who is quorate has to be seen; the delay is longer")
            await cluster.until_settled()
        assert power.switched_off == []
    assert await _fenced(cluster, "n1") == []


@promise("S2-02")
@software("sfha-fenced", "etcd", fence_delay_s=1)
async def test_without_quorum_nobody_is_fenced(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """Two of three nodes freeze: the third has no quorum, holds nothing, runs nothing and fences nobody."""
    cluster.expect(*highly_available(vip, outage_s=None), one_writer(SERVICE))
    async with ledger.writing():
        async with cluster.under(Freeze(node("n2", "n3"))):
            await cluster.until(without_quorum(("n1",)), within_s=10)
            await cluster.until(held_by_nobody(vip), within_s=10)
            await cluster.stay(for_s=3, why="the delay passes several times")
            refused = await cluster.engine.exec("n1", ["sfha", "stonith", "fence", "n2", "--force"])
            assert refused.exit_code == 1
            assert b"quorum" in refused.stderr
            assert power.switched_off == []
        await cluster.until_settled()
        await cluster.until(written_by_one_of(SERVICE, ("n1",)), within_s=10)


@promise("S2-02", "D-43")
@software("sfha-fenced", "etcd")
async def test_a_person_fences_and_unfences(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """`sfha stonith fence` on a follower: the node is off, everybody knows; `unfence` brings it back, as all know."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    async with ledger.writing():
        done = await cluster.engine.exec("n2", ["sfha", "stonith", "fence", "n3"])
        assert done.exit_code == 0, done.stderr
        assert power.switched_off == ["n3"]
        await cluster.until(quorate(("n1", "n2"), ("n1", "n2")), within_s=10)
        for one in ("n1", "n2"):
            await until(
                _knows(cluster, one, ["n3"]), within_s=5, what=f"{one} knows of the fencing", every_s=ASK_EVERY_S
            )
        again = await cluster.engine.exec("n2", ["sfha", "stonith", "fence", "n3"])
        assert again.exit_code == 1
        assert b"min_delay_between_fence" in again.stderr
        back = await cluster.engine.exec("n2", ["sfha", "stonith", "unfence", "n3"])
        assert back.exit_code == 0, back.stderr
        await Operator(cluster).logged("n1", "node-forgiven", target="n3", by="n2")
        await cluster.until_settled()
        told = "the node itself is told when it is back"
        await until(_knows(cluster, "n3", ["n3"]), within_s=5, what=told, every_s=ASK_EVERY_S)


@topology("five-nodes")
@promise("S2-02")
@software("sfha-fenced", "etcd", fence_delay_s=1, max_fences=1)
async def test_a_storm_stops_at_the_limit(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """Two of five freeze and one fencing in five minutes is allowed: one loses its power, for the other a person is
    waited for."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    async with ledger.writing():
        async with cluster.under(Freeze(node("n4", "n5"))):
            await until(lambda: power.switched_off, within_s=10, what="one of them is fenced", every_s=ASK_EVERY_S)
            (other,) = {"n4", "n5"} - set(power.switched_off)
            await until(
                _refused(cluster, "n1", other, "storm"), within_s=10, what="the limit is reached", every_s=ASK_EVERY_S
            )
            await cluster.stay(for_s=3, why="the delay passes several times")
            assert len(power.switched_off) == 1
            refused = await cluster.engine.exec("n1", ["sfha", "stonith", "fence", other])
            assert refused.exit_code == 1
            assert b"max_fences_per_5min" in refused.stderr
            done = await cluster.engine.exec("n1", ["sfha", "stonith", "fence", other, "--force"])
            assert done.exit_code == 0, done.stderr
            assert sorted(power.switched_off) == ["n4", "n5"]
            await cluster.power_on("n4")
            await cluster.power_on("n5")
        await cluster.until_settled()


@nightly
@promise("S2-02")
@software("sfha-fenced", "etcd", fence_delay_s=1, min_delay_s=0, max_fences=9)
async def test_a_node_that_never_stays_is_not_fenced_for_ever(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """It freezes again each time that it is back: fenced three times, then left alone until a person looks."""
    cluster.expect(*highly_available(vip), one_writer(SERVICE))
    async with ledger.writing():
        for times in range(1, LOOP_LIMIT + 1):
            async with cluster.under(Freeze(node("n3"))):
                await until(_switched_off(power, times), within_s=10, what=f"fenced {times} times", every_s=ASK_EVERY_S)
                await cluster.power_on("n3")
            await cluster.until_settled()
        async with cluster.under(Freeze(node("n3"))):
            await until(
                _refused(cluster, "n1", "n3", "loop"), within_s=10, what="the loop is noticed", every_s=ASK_EVERY_S
            )
            await cluster.stay(for_s=3, why="the delay passes several times")
            assert len(power.switched_off) == LOOP_LIMIT
        await cluster.until_settled()


def _switched_off(power: PowerSwitch, times: int) -> Callable[[], bool]:
    return lambda: len(power.switched_off) == times


def _refused(cluster: Cluster, at: str, name: str, why: str) -> Callable[[], Awaitable[bool]]:
    """Whether a node says that it must not fence another one, for this reason."""

    async def refused() -> bool:
        done = await cluster.engine.exec(at, ["sfha", "stonith", "status", "--json"])
        return [one["refused"] for one in json.loads(done.stdout)["nodes"] if one["name"] == name] == [why]

    return refused


def _knows(cluster: Cluster, at: str, fenced: list[str]) -> Callable[[], Awaitable[bool]]:
    async def knows() -> bool:
        return await _fenced(cluster, at) == fenced

    return knows


async def _fenced(cluster: Cluster, at: str) -> list[str]:
    done = await cluster.engine.exec(at, ["sfha", "stonith", "history", "--json"])
    return [one["node"] for one in json.loads(done.stdout)["history"]]
