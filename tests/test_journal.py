"""The fault journal: what is open, and healing it by another process."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.engines.engine import NodeDefinition
from harness.engines.local import LocalEngine
from harness.engines.noted import note_process
from harness.errors import HarnessError
from harness.healing import ContinueProcess, DeleteTable, RestoreBytes, ResumeNode
from harness.journal import Journal, heal_fault
from harness.keeper import Keeper
from harness.procfs import process_state
from harness.rundir import ProcessName, RunDirectory
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="runs need root")


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    """The keeper of an empty run."""
    keeper = Keeper.start(RunDirectory.create(f"test-journal-{os.getpid()}"))
    yield keeper
    await keeper.end()


def nft(keeper: Keeper, *words: str) -> str:
    """Run nft in the fabric's namespace."""
    command = ["nsenter", f"--net={keeper.namespace}", "nft", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_keeper_can_heal_and_remove_with_standard_modules_alone() -> None:
    """It starts without any other (``-S``), and would find out only when something is to be healed."""
    command = [sys.executable, "-S", "-c", "import harness.healing, harness.journal, harness.reap"]
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(command, env={"PYTHONPATH": root}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", [0, 5])
def test_a_fault_is_not_injected_whose_healing_could_not_be_written_down(room: int) -> None:
    run = RunDirectory.create(f"test-journal-{os.getpid()}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # so many bytes are written, if any
    try:
        with pytest.raises(HarnessError, match="cannot write the fault journal"):
            Journal(run).about_to("f1", ResumeNode("n1"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        run.discard()


async def test_open_faults_are_those_without_a_healing_newest_first(keeper: Keeper) -> None:
    journal = Journal(keeper.run)
    assert journal.open_faults() == ()
    journal.about_to("f1", ResumeNode("n1"))
    journal.about_to("f2", ContinueProcess("n1", 17, 4711), DeleteTable("bridge", "cut-1"))
    journal.about_to("f3")
    journal.healed("f1")
    assert [fault.fault_id for fault in journal.open_faults()] == ["f3", "f2"]
    assert journal.open_faults()[1].heals == (ContinueProcess("n1", 17, 4711), DeleteTable("bridge", "cut-1"))
    assert journal.open_faults()[0].injector == ProcessName.of(os.getpid())


async def test_a_torn_last_line_was_not_injected_and_any_other_is_an_error(keeper: Keeper) -> None:
    journal = Journal(keeper.run)
    journal.about_to("f1", ResumeNode("n1"))
    with journal.path.open("a") as file:
        file.write('{"about_to": "f2", "inj')
    assert [fault.fault_id for fault in journal.open_faults()] == ["f1"]
    with journal.path.open("a") as file:
        file.write("\n")
    with pytest.raises(HarnessError, match="no journal entry"):
        journal.open_faults()
    journal.path.unlink()


async def test_a_table_is_deleted_and_deleting_it_again_is_no_error(keeper: Keeper) -> None:
    nft(keeper, "add table bridge cut-1; add table bridge other")
    for _ in range(2):
        DeleteTable("bridge", "cut-1").carry_out(keeper.run)
    assert nft(keeper, "list tables").split() == ["table", "bridge", "other"]


@contextmanager
def running(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with pipes, killed in the end."""
    root = str(Path(__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": root}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_a_stopped_process_continues_but_not_another_with_its_id(keeper: Keeper) -> None:
    with running("sleep", "1000") as process:
        name = ProcessName.of(process.pid)
        keeper.run.node("n1").mkdir(parents=True)
        note_process(keeper.run.node("n1"), process.pid)
        keeper.run.node_note("n1").write_text('{"environment": {}}')
        process.send_signal(signal.SIGSTOP)
        await until(lambda: process_state(process.pid) == "T", within_s=5.0, what="it is stopped")
        ContinueProcess("n1", name.pid, name.start_ticks + 1).carry_out(keeper.run)
        assert process_state(process.pid) == "T"
        ContinueProcess("n1", name.pid, name.start_ticks).carry_out(keeper.run)
        await until(lambda: process_state(process.pid) == "S", within_s=5.0, what="it continues")
    ContinueProcess("n1", name.pid, name.start_ticks).carry_out(keeper.run)


async def test_flipped_bytes_are_put_back_and_what_was_written_anew_is_left(keeper: Keeper, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with running("sleep", "1000") as process:
        keeper.run.node("n1").mkdir(parents=True)
        note_process(keeper.run.node("n1"), process.pid)
        keeper.run.node_note("n1").write_text('{"environment": {}}')
        heal = RestoreBytes("n1", str(path), 2, b"cd".hex(), b"XY".hex())
        heal.carry_out(keeper.run)
        assert not path.exists()
        for before, after in ((b"abXYef", b"abcdef"), (b"abcdef", b"abcdef"), (b"other!", b"other!"), (b"ab", b"ab")):
            path.write_bytes(before)
            heal.carry_out(keeper.run)
            assert path.read_bytes() == after


async def test_a_frozen_node_is_thawed_by_whoever_reads_the_journal(keeper: Keeper, node_image: Path) -> None:
    engine = LocalEngine(keeper.run)
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    journal = Journal(keeper.run)
    journal.about_to("freeze", ResumeNode("n1"))
    await engine.pause("n1")
    heal_fault(keeper.run, journal.open_faults()[0])
    assert (await engine.exec("n1", ["true"])).exit_code == 0
    assert journal.open_faults() == ()
    await engine.destroy("n1")
    ResumeNode("n1").carry_out(keeper.run)


INJECT = """
import os, sys
from harness.healing import DeleteTable
from harness.journal import Journal
from harness.rundir import RunDirectory
Journal(RunDirectory(sys.argv[1])).about_to("cut", DeleteTable("bridge", "cut-1"))
print("written", flush=True)
sys.stdin.read()
"""


async def test_the_keeper_of_a_living_run_heals_the_faults_of_an_injector_that_died(keeper: Keeper) -> None:
    with running(sys.executable, "-c", INJECT, keeper.run.run_id) as injector:
        assert injector.stdout is not None
        assert injector.stdout.readline() == b"written\n"
        nft(keeper, "add table bridge cut-1")
        assert "cut-1" in nft(keeper, "list tables")
    journal = Journal(keeper.run)
    await until(lambda: journal.open_faults() == (), within_s=5.0, what="the keeper heals")
    assert nft(keeper, "list tables") == ""
