"""Two real kernels that hold one address, and a time in which neither does: both are found from outside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.checks.verdict import Outcome
from harness.checks.vip import one_holder
from harness.checks.wire import one_answerer
from harness.clock import now_s
from harness.cluster import Cluster
from harness.events import AddressAdded, AddressRemoved, ArpAnswered, NodeClockMapped
from harness.faults.network import Partition
from harness.history import History
from harness.topology import Topology
from harness.wait import until
from tests.clusters import running
from tests.engines.hosted_runs import needs

pytestmark = needs("uml")
DRAWN = {
    "name": "two kernels",
    "sites": [{"name": "dijon"}, {"name": "lyon"}],
    "nodes": [{"name": "n1", "site": "dijon"}, {"name": "n2", "site": "lyon"}],
    "vips": [{"name": "web"}],
    "clients": [{"name": "user"}],
}
SOON_S = 20.0
ERROR_S = 0.005
SLACK_S = 4 * ERROR_S
"""A question is put every ERROR_S; then it and its answer are on their way, on a host that has other things to do."""
APART_S = 0.5
BOTH_ANSWER = 10
"""Times: more than could have been on their way."""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Two nodes in two sites, on which nothing cares for the address."""
    async with running(tmp_path, "uml", Topology.from_json(DRAWN)) as cluster:
        yield cluster


def history_of(cluster: Cluster) -> History:
    return History.read(cluster.run_directory)


async def hold(cluster: Cluster, node: str, address: str, *, begin: bool = True) -> tuple[float, float]:
    """A node takes the address, or gives it up, and tells nobody; the instants before and after."""
    before_s = now_s()
    done = await cluster.engine.exec(node, ["ip", "address", "add" if begin else "del", f"{address}/32", "dev", "eth0"])
    assert done.exit_code == 0, done.stderr
    return before_s, now_s()


def answers(cluster: Cluster, node: str) -> list[ArpAnswered]:
    return [one for one in history_of(cluster).of(ArpAnswered) if one.node == node]


async def answering(cluster: Cluster, node: str) -> None:
    """Wait until a node answers a question that is put from now on."""
    asked_s = now_s()

    def does() -> bool:
        return any(one.t_s > asked_s for one in answers(cluster, node))

    await until(does, within_s=SOON_S, every_s=0.02, what=f"{node} answers")


async def test_a_known_double_holder_and_a_known_gap_are_found(cluster: Cluster) -> None:
    vip = cluster.plan.vip("web")
    await hold(cluster, "n1", vip)
    await answering(cluster, "n1")
    async with cluster.under(Partition(["n1"], ["n2"])):  # neither can hear of the other one
        doubly_from_s, _ = await hold(cluster, "n2", vip)
        for _ in range(BOTH_ANSWER):
            await answering(cluster, "n2")
            await answering(cluster, "n1")
        _, doubly_until_s = await hold(cluster, "n1", vip, begin=False)
    leaving = await hold(cluster, "n2", vip, begin=False)
    await asyncio.sleep(APART_S)
    coming = await hold(cluster, "n1", vip)
    await answering(cluster, "n1")
    await until(
        lambda: len(history_of(cluster).of(AddressAdded)) == 3, within_s=SOON_S, what="the observer has seen it all"
    )
    history = history_of(cluster)
    assert one_answerer(history, vip).outcome is Outcome.VIOLATED
    assert {one.client for one in answers(cluster, "n2")} >= {"witness-lyon"}
    found = one_holder(history, vip)
    assert found.outcome is Outcome.VIOLATED
    assert any(
        one.from_s is not None and one.until_s is not None
        and doubly_from_s - ERROR_S <= one.from_s < one.until_s <= doubly_until_s + SLACK_S
        for one in found.evidence
    ), found  # fmt: skip
    _gap(history, leaving, coming)


def _gap(history: History, leaving: tuple[float, float], coming: tuple[float, float]) -> None:
    """Both on the wire and by the nodes' own kernels, whose clocks are mapped."""
    on_the_wire = [
        max(one.t_s for one in history.of(ArpAnswered) if one.node == "n2"),
        min(one.t_s for one in history.of(ArpAnswered) if one.node == "n1" and one.t_s > leaving[1]),
    ]
    inside = [
        max(one.t_s for one in history.of(AddressRemoved) if one.node == "n2"),
        max(one.t_s for one in history.of(AddressAdded) if one.node == "n1"),
    ]
    for gone_s, there_s in (on_the_wire, inside):
        assert leaving[0] - SLACK_S <= gone_s <= leaving[1] + SLACK_S
        assert coming[0] - SLACK_S <= there_s <= coming[1] + SLACK_S
    assert inside[0] >= leaving[0] - ERROR_S
    assert inside[1] >= coming[0] - ERROR_S
    errors_s = {one.node: one.error_s for one in history.of(NodeClockMapped)}
    assert max(errors_s.values()) <= ERROR_S, errors_s
