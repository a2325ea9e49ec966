"""Faults on real nodes: how they aim, what becomes of one that does not bite, and of one whose scenario fails.

What every fault has to do is in tests/contracts/fault.py.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import FaultDidNotBite, HarnessError, NothingToAimAt, UsageError
from harness.events import AddressAdded, FaultEffective, FaultWithoutEffect, Note
from harness.faults.disk import FlipBits, TornWrite
from harness.faults.network import Partition
from harness.faults.process import Freeze, Kill, Suspend
from harness.faults.select import Selector, aim, follower_of, holder_of, node
from harness.history import History, Recorder
from harness.procfs import process_name, process_state
from harness.wait import until
from tests.clusters import running

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with running(tmp_path) as started:
        for name in started.topology.node_names:
            await until(lambda: _redis(started, name) is not None, within_s=10, what=f"redis on {name}")  # noqa: B023
        yield started


def _redis(cluster: Cluster, name: str) -> int | None:
    for pid in cluster.engine.processes(name):
        if process_name(pid) == "redis-server":
            return pid
    return None


async def test_a_fault_is_healed_when_the_scenario_fails_under_it(cluster: Cluster) -> None:
    with pytest.raises(ZeroDivisionError):
        async with cluster.under(Partition(["n1"], ["n2", "n3"])):
            raise ZeroDivisionError
    assert await cluster.fabric.canary("n1", "n2", within_s=5)
    assert cluster.life.journal.open_faults() == ()


async def test_a_suspended_daemon_stands_still_and_goes_on(cluster: Cluster) -> None:
    pid = _redis(cluster, "n2")
    assert pid is not None
    async with cluster.under(Suspend(node("n2"), "redis-server")):
        assert process_state(pid) == "T"
    assert process_state(pid) != "T"


class _HealedAtOnce(Partition):
    """A cut that is gone before anybody could be hurt by it."""

    async def inject(self, cluster: Cluster) -> None:
        await super().inject(cluster)
        cluster.fabric.heal(self._table)


class _OtherwiseBroken(Partition):
    """A cut of the wrong cable."""

    async def inject(self, cluster: Cluster) -> None:
        self._flows = ()
        await super().inject(cluster)


@pytest.mark.parametrize("fault", [_HealedAtOnce(["n1"], ["n2", "n3"]), _OtherwiseBroken(["n1"], ["n2", "n3"])])
async def test_a_fault_that_does_not_bite_is_found_out(cluster: Cluster, fault: Partition) -> None:
    with pytest.raises(FaultDidNotBite):
        async with cluster.under(fault):
            pytest.fail("the block must not run without its fault")
    history = History.read(cluster.run_directory)
    assert len(history.of(FaultWithoutEffect)) == 1
    assert not history.of(FaultEffective)


async def test_a_daemon_that_does_not_run_cannot_be_suspended(cluster: Cluster) -> None:
    with pytest.raises(HarnessError, match="no process called nonsense runs on n1"):
        async with cluster.under(Suspend(node("n1"), "nonsense")):
            pass


async def test_a_node_that_lost_power_has_no_network_even_while_its_namespace_is_held(cluster: Cluster) -> None:
    """An open socket keeps the namespace of a dead node; its kernel must be out of reach all the same."""
    pid = cluster.engine.pid("n1")
    held = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        async with cluster.under(Kill(node("n1"))):
            with pytest.raises(HarnessError):
                await cluster.fabric.canary("n2", "n1", within_s=0.1)
    finally:
        os.close(held)
    assert await cluster.fabric.canary("n2", "n1", within_s=5)


# --- aiming --------------------------------------------------------------------------------------------


def _held_by(cluster: Cluster, name: str) -> AddressAdded:
    return AddressAdded(t_s=now_s(), node=name, address=cluster.plan.vip("web"), interface="eth0")


async def test_a_fault_waits_for_whom_it_is_meant_for_and_says_so(cluster: Cluster) -> None:
    vip = cluster.plan.vip("web")
    observer = Recorder(cluster.history_path)
    tried = asyncio.Event()

    def first_nobody(asked: Cluster) -> tuple[str, ...]:
        asyncio.get_running_loop().call_soon(tried.set)
        return holder_of(vip)(asked)

    async def regained() -> None:
        await tried.wait()
        observer.record(_held_by(cluster, "n2"))

    regaining = asyncio.create_task(regained())
    async with cluster.under(Freeze(first_nobody)) as freeze:
        assert freeze.targets == ("n2",)
    await regaining
    observer.close()
    (said,) = [note.text for note in History.read(cluster.run_directory).of(Note) if "to take aim" in note.text]
    assert f"{vip} has 0 holders, and exactly one is needed" in said


@pytest.mark.parametrize("selector", [holder_of, follower_of])
async def test_a_fault_that_has_nobody_to_hit_says_what_was_seen(
    cluster: Cluster, selector: Callable[[str], Selector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.injection.AIM_WITHIN_S", 0.05)
    vip = cluster.plan.vip("web")
    with pytest.raises(
        NothingToAimAt, match=r"freeze: nothing to aim at within 0\.05 s \(from 0\.\d+ s on: .* 0 holders"
    ):
        async with cluster.under(Freeze(selector(vip))):
            pytest.fail("the block must not run without its fault")
    observer = Recorder(cluster.history_path)
    for name in ("n1", "n2"):
        observer.record(_held_by(cluster, name))
    observer.close()
    with pytest.raises(NothingToAimAt, match=r"2 holders \(n1, n2\)"):
        await aim(cluster, selector(vip))


async def test_a_directory_is_no_file_whose_bits_could_flip(cluster: Cluster) -> None:
    for fault in (FlipBits("n1", "/etc"), TornWrite("n1", "/etc")):
        with pytest.raises(UsageError, match="/etc of n1 is a directory, and has to be a file"):
            fault.aim(cluster)
