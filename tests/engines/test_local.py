"""The local engine passes the contract, and leaves nothing on the host."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.engines.engine import NodeDefinition
from harness.engines.local import LocalEngine
from harness.errors import EngineError
from harness.keeper import Keeper
from harness.procfs import command_words
from harness.reap import leftovers
from harness.rundir import RunDirectory
from harness.wait import until
from tests.contracts.engine import EngineContract

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="nodes need root")
_numbers = itertools.count(1)


@pytest.fixture
async def new_engine() -> AsyncIterator[Callable[[], LocalEngine]]:
    """Engines with a run and a keeper of their own; afterwards nothing of them may be left."""
    keepers: list[Keeper] = []

    def make() -> LocalEngine:
        run = RunDirectory.create(f"test-{os.getpid()}-{next(_numbers)}")
        keepers.append(Keeper.start(run))
        return LocalEngine(run)

    yield make
    for keeper in keepers:
        await keeper.end()
        assert leftovers(keeper.run.run_id) == []


class TestLocalEngine(EngineContract):
    """The contract."""


@pytest.mark.alone
async def test_nothing_is_mounted_on_the_host(new_engine: Callable[[], LocalEngine], node_image: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    assert Path("/proc/self/mountinfo").read_text() == before
    await engine.exec("n1", ["mount", "-t", "tmpfs", "none", "/mnt"])
    await engine.kill("n1")
    await engine.read_file("n1", "/etc/passwd")
    assert Path("/proc/self/mountinfo").read_text() == before


async def test_three_nodes_are_up_quickly(new_engine: Callable[[], LocalEngine], node_image: Path) -> None:
    engine = new_engine()
    names = ("n1", "n2", "n3")
    began_s = time.monotonic()
    await asyncio.gather(*(engine.create(NodeDefinition(name, node_image)) for name in names))
    await asyncio.gather(*(engine.start(name) for name in names))
    assert time.monotonic() - began_s < 3.0  # 0.07 s on an idle host; this is not the benchmark


async def test_a_start_that_is_cancelled_leaves_nothing_running(
    new_engine: Callable[[], LocalEngine], node_image: Path
) -> None:
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    for moment_s in (0.0, 0.002, 0.005, 0.01, 0.015, 0.02):
        try:
            await asyncio.wait_for(engine.start("n1"), moment_s)
        except TimeoutError:
            pass
        else:  # a quick host: it was up by then
            await engine.kill("n1")
        assert engine.processes("n1") == ()
        assert engine.pid("n1") is None
    await engine.start("n1")


async def test_a_start_goes_over_what_a_killed_one_was_writing(
    new_engine: Callable[[], LocalEngine], node_image: Path
) -> None:
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    (engine._run.node("n1") / ".pid").write_text("12")
    assert await engine.start("n1") == engine.pid("n1")


async def test_a_start_that_fails_names_the_reason(
    new_engine: Callable[[], LocalEngine], node_image: Path, tmp_path: Path
) -> None:
    (tmp_path / "usr").mkdir()
    engine = new_engine()
    await engine.create(NodeDefinition("n1", tmp_path))
    with pytest.raises(EngineError, match=r"n1 did not start.*tini"):
        await engine.start("n1")
    assert engine.processes("n1") == ()


async def test_another_process_may_take_up_the_run(new_engine: Callable[[], LocalEngine], node_image: Path) -> None:
    first = new_engine()
    await first.create(NodeDefinition("n1", node_image, environment={"COLOUR": "green"}))
    pid = await first.start("n1")
    second = LocalEngine(RunDirectory(f"test-{os.getpid()}-{next(_numbers) - 1}"))
    assert second.pid("n1") == pid
    assert (await second.exec("n1", ["sh", "-c", "echo $COLOUR"])).stdout == b"green\n"


async def test_a_run_that_has_ended_starts_nothing(new_engine: Callable[[], LocalEngine], node_image: Path) -> None:
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    run = RunDirectory(f"test-{os.getpid()}-{next(_numbers) - 1}")
    await Keeper.of(run).end()
    with pytest.raises(EngineError, match="no node n1"):
        await engine.start("n1")


async def test_spawned_commands_talk_and_end_with_the_node(
    new_engine: Callable[[], LocalEngine], node_image: Path
) -> None:
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    process = await engine.spawn("n1", ["cat"])
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"hello\n")
    assert await process.stdout.readline() == b"hello\n"
    lonely = await engine.spawn("n1", ["sleep", "12345"])
    await until(lambda: _sleeps(engine), within_s=10.0, what="the second command runs")
    lonely.kill()
    await until(lambda: not _sleeps(engine), within_s=10.0, what="the command ends with its pipe's process")
    await engine.kill("n1")
    assert await asyncio.wait_for(process.wait(), 10.0) != 0
    process.stdin.close()


def _sleeps(engine: LocalEngine) -> bool:
    return any(command_words(pid) == ("sleep", "12345") for pid in engine.processes("n1"))
