"""A program on each node is told of dead nodes: by every survivor, with proof, and of their return afterwards.

What the daemons say of it is not asked: the program notes how it is called.
"""

from collections.abc import Mapping

import pytest

from fixtures.expected import highly_available
from fixtures.marks import headline, promise, software
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import quorate
from harness.faults.network import Isolate
from harness.faults.process import Freeze, Kill
from harness.faults.select import holder_of, node
from harness.ledger import ClusterLedger
from harness.outside import PowerSwitch
from harness.subjects.sfha.fenced import NOTES
from harness.wait import until

TOLD_WITHIN_S = 3.0
"""Death, a look at the switch, and the call; well below the delay after which a node would be fenced."""
LONG_S = 4.0
"""Longer than a node needs to be back."""


class Notes:
    """What the program of each node has noted, from a moment on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._before: Mapping[str, int] = {}

    async def begin(self) -> None:
        """All nodes have been said to be here, as each daemon does once; from here on lines count."""
        nodes = self._cluster.topology.node_names
        for one in nodes:
            here = [line for other in nodes if other != one for line in _call("returned", other)]

            async def said(one: str = one, here: list[str] = here) -> bool:
                return sorted(await self._lines(one)) == sorted(here)

            await until(said, within_s=10, every_s=0.1, what=f"{one} has said that all are here")
        self._before = {one: len(await self._lines(one)) for one in nodes}

    async def of(self, one: str) -> list[str]:
        """The lines of a node."""
        return (await self._lines(one))[self._before[one] :]

    async def become(self, one: str, lines: list[str], within_s: float) -> None:
        """Wait until the node's are these."""

        async def so() -> bool:
            return await self.of(one) == lines

        await until(so, within_s=within_s, every_s=0.05, what=f"{one} has noted {lines}")

    async def _lines(self, one: str) -> list[str]:
        done = await self._cluster.engine.exec(one, ["cat", NOTES])
        return done.stdout.decode().splitlines()


def _call(word: str, node: str) -> list[str]:
    return [f"begin {word} {node}", f"end {word} {node}"]


@pytest.fixture
def notes(cluster: Cluster) -> Notes:
    """Of this cluster's nodes."""
    return Notes(cluster)


@headline
@promise("D-57")
@software("sfha-fenced", "etcd", writes=False, told_takes_s=0.0, fence_delay_s=10)
async def test_every_survivor_is_told_of_a_node_without_power_and_of_its_return(
    cluster: Cluster, vip: str, power: PowerSwitch, notes: Notes, ledger: ClusterLedger
) -> None:
    """The leader loses its power: the others see that at once, and need not take it; later it is back."""
    cluster.expect(*highly_available(vip))
    await notes.begin()
    async with ledger.writing(), cluster.under(Kill(holder_of(vip))) as kill:
        (dead,) = kill.targets
        survivors = cluster.all_but(kill.targets)
        for one in survivors:
            await notes.become(one, _call("fenced", dead), TOLD_WITHIN_S)
        assert power.switched_off == []
    await cluster.until_settled()
    for one in survivors:
        await notes.become(one, [*_call("fenced", dead), *_call("returned", dead)], TOLD_WITHIN_S)


@headline
@promise("D-57")
@software("sfha-fenced", "etcd", writes=False, told_takes_s=0.0, fence_delay_s=3, provider="webhook")
async def test_a_frozen_node_is_spoken_of_only_when_its_power_was_taken(
    cluster: Cluster, vip: str, power: PowerSwitch, notes: Notes, ledger: ClusterLedger
) -> None:
    """Whoever follows looks itself, as soon as the leader says that it has fenced a node."""
    cluster.expect(*highly_available(vip))
    await notes.begin()
    async with ledger.writing(), cluster.under(Freeze(holder_of(vip))) as freeze:
        (frozen,) = freeze.targets
        survivors = cluster.all_but(freeze.targets)
        await cluster.until(quorate(survivors, survivors), within_s=10)
        said = [await notes.of(one) for one in survivors]
        assert (said, power.switched_off) == ([[], []], [])
        for one in survivors:
            await notes.become(one, _call("fenced", frozen), 3 + TOLD_WITHIN_S)
        assert power.switched_off == [frozen]
        await cluster.power_on(frozen)
    await cluster.until_settled()
    for one in survivors:
        await notes.become(one, [*_call("fenced", frozen), *_call("returned", frozen)], TOLD_WITHIN_S)


@promise("D-57")
@software("sfha-fenced", "etcd", writes=False, told_takes_s=0.0)
async def test_without_proof_nobody_is_told(
    cluster: Cluster, vip: str, power: PowerSwitch, notes: Notes, ledger: ClusterLedger
) -> None:
    """A node is cut off and its switch out of order: whether it is dead nobody knows, so nobody says so."""
    cluster.expect(*highly_available(vip))
    await notes.begin()
    async with ledger.writing(), power.answering("with an error"), cluster.under(Isolate(holder_of(vip))) as cut:
        survivors = cluster.all_but(cut.targets)
        await cluster.until(quorate(survivors, survivors), within_s=10)
        await cluster.stay(for_s=12, why="the switch is asked twice, and to fence fails")
        assert [await notes.of(one) for one in cluster.topology.node_names] == [[], [], []]
    await cluster.until_settled()
    assert [await notes.of(one) for one in cluster.topology.node_names] == [[], [], []]
    assert power.switched_off == []


@promise("D-57")
@software("sfha-fenced", "etcd", writes=False, told_takes_s=LONG_S)
async def test_a_return_is_told_after_the_end_of_what_it_undoes(
    cluster: Cluster, vip: str, power: PowerSwitch, notes: Notes, ledger: ClusterLedger
) -> None:
    """The node is back while programs still run; and on one survivor the daemon dies, but not what it has begun."""
    cluster.expect(*highly_available(vip))
    await notes.begin()
    async with ledger.writing(), cluster.under(Kill(node("n3"))):
        for one in ("n1", "n2"):
            await notes.become(one, ["begin fenced n3"], TOLD_WITHIN_S)
        await Operator(cluster).daemon_dies("n2")
    await cluster.until_settled()
    await notes.become("n1", [*_call("fenced", "n3"), *_call("returned", "n3")], 2 * LONG_S + 5)

    # Its new daemon knows of nothing, and says of each that it is here.
    async def all_said() -> bool:
        lines = await notes.of("n2")
        return {"end returned n1", "end returned n3"} <= set(lines)

    await until(all_said, within_s=3 * LONG_S + 5, every_s=0.2, what="n2 has said that both are here")
    of_n3 = [line for line in await notes.of("n2") if line.endswith(" n3")]
    assert of_n3[:2] == _call("fenced", "n3")
    assert of_n3[-2:] == _call("returned", "n3")
    begun = [line.startswith("begin ") for line in of_n3]
    assert begun == [True, False] * (len(of_n3) // 2)
