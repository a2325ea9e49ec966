"""Nodes with kernels of their own pass the contract, and leave nothing on the host."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.engines.engine import Engine, NodeDefinition
from harness.engines.uml.engine import UmlEngine
from harness.engines.uml.mapped_disk import MappedDisk
from harness.engines.uml.parts import Parts
from harness.engines.uml.wall_clock import WallClock
from harness.errors import EngineError, UsageError
from harness.wait import until
from tests.contracts.engine import EngineContract
from tests.engines.hosted_runs import engines, needs

NewEngine = Callable[[], Engine]
pytestmark = needs("uml")


@pytest.fixture
async def new_engine() -> AsyncIterator[NewEngine]:
    """Engines with a run of their own."""
    async with engines("uml") as make:
        yield make


class TestUmlEngine(EngineContract):
    """The contract."""


@pytest.mark.alone
async def test_nothing_is_mounted_on_the_host(new_engine: NewEngine, node_image: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    assert Path("/proc/self/mountinfo").read_text() == before
    await engine.kill("n1")
    await engine.read_file("n1", "/etc/passwd")
    assert Path("/proc/self/mountinfo").read_text() == before


async def test_a_kernel_that_panics_has_no_power(new_engine: NewEngine, node_image: Path) -> None:
    """It would compute for ever, answer nobody, and could not be shut down."""
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    done = await engine.exec("n1", ["sh", "-c", "echo c > /proc/sysrq-trigger"])
    assert done.exit_code == 137

    async def is_off() -> bool:
        return engine.pid("n1") is None

    await until(is_off, within_s=5.0, what="the node is off")
    await engine.start("n1")
    assert (await engine.exec("n1", ["true"])).exit_code == 0


async def booted(engine: Engine, image: Path, name: str = "n1") -> Parts:
    """A node with power, and what only such a node has."""
    assert isinstance(engine, UmlEngine)
    await engine.create(NodeDefinition(name, image))
    await engine.start(name)
    return engine.parts(name)


async def test_a_clock_is_set_of_one_node_alone(new_engine: NewEngine, node_image: Path) -> None:
    engine = new_engine()
    first, second = [
        WallClock(one.pid) for one in await asyncio.gather(*(booted(engine, node_image, name) for name in ("n1", "n2")))
    ]
    began_s = time.monotonic()
    first.set(-3600.0)
    assert abs(first.ahead().ahead_s + 3600.0) < 1.0
    assert abs(second.ahead().ahead_s) < 1.0
    date = await engine.exec("n1", ["date", "+%s"])
    assert abs(int(date.stdout) + 3600 - time.time()) < 2.0 + time.monotonic() - began_s
    before = await engine.clock("n1")
    assert before.error_s < 0.005  # spans of time are as they were
    first.pace(90_250)
    assert first.pace() == 90_250
    assert second.pace() == 0
    one = first.ahead()
    await asyncio.sleep(0.5)
    other = first.ahead()
    gained = (other.ahead_s - one.ahead_s) / (other.at_s - one.at_s)
    assert abs(gained - 0.09025) < 0.02 + 2 * (one.error_s + other.error_s)
    first.set_right()
    assert first.pace() == 0
    assert abs((found := first.ahead()).ahead_s) < 0.1 + found.error_s


async def test_a_disk_is_slow_and_bad_under_what_is_open(new_engine: NewEngine, node_image: Path) -> None:
    engine = new_engine()
    disk = MappedDisk((await booted(engine, node_image)).pid)
    done = await engine.exec("n1", ["sh", "-c", "echo written > /var/tmp/file; echo other > /var/tmp/other; sync"])
    assert done.exit_code == 0, done
    disk.slow(60, 120)
    wrote_s, read_s = disk.took_s()
    assert disk.is_slow()
    assert (wrote_s >= 0.12, read_s >= 0.06) == (True, True)
    disk.bad("/var/tmp/file", forget=True)
    assert not disk.can_read("/var/tmp/file")
    assert disk.can_read("/var/tmp/other")
    assert (await engine.exec("n1", ["cat", "/var/tmp/file"])).stderr.endswith(b"Input/output error\n")
    disk.good("/var/tmp/file")
    disk.slow(0, 0)
    assert not disk.has_bad("/var/tmp/file")
    assert (await engine.exec("n1", ["cat", "/var/tmp/file"])).stdout == b"written\n"
    disk.bad("/var/tmp/file", forget=False)  # read from memory, and what is written stays there until it is synced
    refused = "cat /var/tmp/file && echo again > /var/tmp/copy && sync /var/tmp/copy && printf W 1<> /var/tmp/file"
    assert (await engine.exec("n1", ["sh", "-c", refused])).exit_code == 0
    done = await engine.exec("n1", ["sync", "/var/tmp/file"])
    assert done.stderr.endswith(b"Input/output error\n")
    with pytest.raises(EngineError, match="/etc/passwd is not on the node's disk"):
        disk.bad("/etc/passwd", forget=True)
    await engine.kill("n1")
    disk = MappedDisk(await engine.start("n1"))
    assert disk.can_read("/var/tmp/file")  # with its power, what was wrong is gone
    assert (await engine.exec("n1", ["cat", "/var/tmp/file", "/var/tmp/copy"])).stdout == b"written\nagain\n"


async def test_modules_and_disks_are_there_when_wanted(new_engine: NewEngine, node_image: Path) -> None:
    engine = new_engine()
    parts = await booted(engine, node_image)
    await parts.load_module("sch_netem")
    with pytest.raises(EngineError, match="has no module no-such"):
        await parts.load_module("no-such")
    device = await parts.add_disk(64 << 20)
    assert int((await engine.exec("n1", ["cat", f"/sys/block/{device[5:]}/size"])).stdout) * 512 == 64 << 20
    written = await engine.exec("n1", ["sh", "-c", f"echo data > {device} && sync && head -c 4 {device}"])
    assert written.stdout == b"data"
    slow = "tc qdisc add dev lo root netem delay 40ms && ping -c 1 -q 127.0.0.1 | grep -o 'min.*'"
    done = await engine.exec("n1", ["sh", "-c", slow])
    assert done.exit_code == 0, done
    assert float(done.stdout.split()[2].split(b"/")[0]) >= 79.0  # there and back, both by lo


async def test_an_image_without_python_is_refused(new_engine: NewEngine, tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    with pytest.raises(UsageError, match=r"n1: image .* has no python3"):
        await new_engine().create(NodeDefinition("n1", tmp_path))


async def test_a_start_that_is_cancelled_leaves_nothing_running(new_engine: NewEngine, node_image: Path) -> None:
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    for moment_s in (0.0, 0.01, 0.05, 0.2, 0.5):
        try:
            await asyncio.wait_for(engine.start("n1"), moment_s)
        except TimeoutError:
            pass
        else:  # a quick host: it was up by then
            await engine.kill("n1")
        assert engine.processes("n1") == ()
        assert engine.pid("n1") is None


async def test_a_kernel_that_does_not_start_is_told_of(
    new_engine: NewEngine, node_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_UML", "/bin/false")
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    with pytest.raises(EngineError, match=r"node n1 did not start \(exit code 1\)"):
        await engine.start("n1")
    assert engine.processes("n1") == ()
