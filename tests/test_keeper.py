"""The keeper: namespaces, persistence, and the end of a run however it comes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness import keeper as keeper_module
from harness import watchdog
from harness.errors import HarnessError, UsageError
from harness.fabric.namespaces import call_in
from harness.fabric.relay.names import ENTERS, LISTENS
from harness.fabric.shaping import ask_relay
from harness.keeper import Keeper
from harness.reap import leftovers
from harness.rundir import RUNS, RunDirectory
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="runs need root")


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    """The keeper of an empty run; afterwards nothing may be left."""
    keeper = Keeper.start(RunDirectory.create(f"test-keeper-{os.getpid()}"))
    yield keeper
    await keeper.end()
    assert leftovers(keeper.run.run_id) == []


def inode(path: Path) -> int:
    """What tells namespaces apart."""
    return path.stat().st_ino


def addresses_in(namespace: Path) -> str:
    """What iproute2 lists in a namespace."""
    command = ["nsenter", f"--net={namespace}", "ip", "address"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_the_fabric_and_every_place_have_a_namespace_of_their_own(keeper: Keeper) -> None:
    places = [keeper.namespace, keeper.add_namespace("c1"), keeper.add_namespace("c2"), Path("/proc/self/ns/net")]
    assert len({inode(place) for place in places}) == 4
    assert keeper.add_namespace("c1") == places[1]
    for place in places[:3]:
        names = call_in(place, socket.if_nameindex)
        assert [name for _, name in names] == ["lo"]
        assert "127.0.0.1" in addresses_in(place)


async def test_a_terminals_signals_do_not_reach_it(keeper: Keeper) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(keeper.process.pid, number)
    assert keeper.add_namespace("still-there").exists()
    assert os.getsid(keeper.process.pid) != os.getsid(0)


async def test_ending_may_be_repeated_and_done_by_others(keeper: Keeper) -> None:
    await Keeper.of(keeper.run).end()
    await keeper.end()
    with pytest.raises(HarnessError, match="no run"):
        Keeper.of(keeper.run)


def test_the_process_and_its_callers_mean_the_same_place() -> None:
    assert str(RUNS) == watchdog.RUNS


async def test_a_run_id_is_given_once(keeper: Keeper) -> None:
    with pytest.raises(UsageError, match="exists already"):
        RunDirectory.create(keeper.run.run_id)
    with pytest.raises(UsageError, match="run id"):
        RunDirectory.create("../elsewhere")


async def test_a_killed_keeper_is_noticed_and_made_up_for(keeper: Keeper) -> None:
    os.kill(keeper.process.pid, signal.SIGKILL)
    await until(lambda: not keeper.process.lives(), within_s=5.0, what="the keeper is dead")
    with pytest.raises(HarnessError, match="does not answer"):
        keeper.add_namespace("c1")
    with pytest.raises(HarnessError, match="harness reap"):
        Keeper.of(keeper.run)


PERSISTENT = """
import sys
from harness.keeper import Keeper
from harness.rundir import RunDirectory
Keeper.start(RunDirectory.create(sys.argv[1])).persist()
"""


async def test_a_persistent_run_outlives_its_owner() -> None:
    run = RunDirectory(f"test-persistent-{os.getpid()}")
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-c", PERSISTENT, run.run_id]
    await asyncio.to_thread(subprocess.run, command, check=True, env=os.environ | {"PYTHONPATH": root})
    keeper = Keeper.of(run)
    assert run.owner().persistent
    assert run.owner().lives()
    assert not run.owner().owner.lives()
    assert keeper.add_namespace("c1").exists()
    await keeper.end()
    assert leftovers(run.run_id) == []


@pytest.mark.parametrize("killed", [False, True])
async def test_the_relay_of_the_fabric_ends_with_its_keeper_however_that_ends(killed: bool) -> None:
    keeper = Keeper.start(RunDirectory.create(f"test-relay-{os.getpid()}"))
    try:
        with pytest.raises(HarnessError, match="the relay did not start"):
            keeper.start_relay()
        cable = ["ip", "link", "add", ENTERS, "type", "veth", "peer", "name", LISTENS]
        entering = ["nsenter", f"--net={keeper.namespace}"]
        await asyncio.to_thread(subprocess.run, [*entering, *cable], check=True)
        keeper.start_relay()
        keeper.start_relay()
        assert ask_relay(keeper.run.path, {"do": "count"})["received"] == 0
        (relay,) = [line for line in leftovers(keeper.run.run_id) if "relay.process" in line]
        if killed:
            os.kill(keeper.process.pid, signal.SIGKILL)
            await until(lambda: relay not in leftovers(keeper.run.run_id), within_s=10, what="the relay ends")
    finally:
        await keeper.end()
    assert leftovers(keeper.run.run_id) == []


async def test_one_that_never_says_that_it_is_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "python"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(silent))
    monkeypatch.setattr(keeper_module, "_READY_S", 0.05)
    run = RunDirectory.create(f"test-keeper-silent-{os.getpid()}")
    try:
        with pytest.raises(HarnessError, match="the keeper did not start: no reason given"):
            Keeper.start(run)
    finally:
        run.discard()
    assert leftovers(run.run_id) == []
