"""What fencing must not do: without quorum, while nodes come and go, or to a node that is only slow."""

import json
from collections.abc import Awaitable, Callable

from fixtures.expected import highly_available
from fixtures.marks import promise, software
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, quorate, without_quorum, written_by_one_of
from harness.expectations import one_writer
from harness.faults.network import CutSite
from harness.faults.process import Freeze
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.outside import PowerSwitch, WriteRecorder
from harness.software.fenced import SERVICE
from harness.wait import until

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


@promise("S2-02")
@software("sfha-fenced", "etcd")
async def test_a_person_fences_and_unfences(
    cluster: Cluster, vip: str, power: PowerSwitch, writes: WriteRecorder, ledger: ClusterLedger
) -> None:
    """`sfha stonith fence` on a follower: the node is off, everybody knows; `unfence` brings it back."""
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
        await cluster.until_settled()
        told = "the node itself is told when it is back"
        await until(_knows(cluster, "n3", ["n3"]), within_s=5, what=told, every_s=ASK_EVERY_S)


def _knows(cluster: Cluster, at: str, fenced: list[str]) -> Callable[[], Awaitable[bool]]:
    async def knows() -> bool:
        return await _fenced(cluster, at) == fenced

    return knows


async def _fenced(cluster: Cluster, at: str) -> list[str]:
    done = await cluster.engine.exec(at, ["sfha", "stonith", "history", "--json"])
    return [one["node"] for one in json.loads(done.stdout)["history"]]
