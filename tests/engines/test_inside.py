"""The same done in a node by either way: by its namespaces, and by an agent that runs beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup
from harness.engines.inside import ByItsAgent, Inside, NodeProcess, OnThisKernel
from harness.errors import EngineError
from harness.wait import until
from tests.engines.uml.agents import agent_in

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="entering namespaces needs root")
VARIABLES = {"PATH": os.environ["PATH"]}

BEGINS = "print(flush=True); input()"


@pytest.fixture
def own() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a network namespace of its own, for an agent to be in."""
    command = ["unshare", "--net", sys.executable, "-c", BEGINS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n", "it has begun, and has opened what it opens"
        yield process
        process.kill()


@pytest.fixture(params=["by its namespaces", "by its agent"])
def there(request: pytest.FixtureRequest, own: subprocess.Popen[bytes]) -> Iterator[Inside]:
    if request.param == "by its namespaces":
        group = Cgroup(f"harness-test-inside-{os.getpid()}")
        group.create()
        subprocess.run([*group.joining(), "sh", "-c", ":"], check=True)
        (group.directory / "cgroup.procs").write_text(str(own.pid))
        yield OnThisKernel(own.pid, group, VARIABLES)
        own.kill()
        own.wait()
        group.remove()
    else:
        with agent_in(Path(f"/proc/{own.pid}/ns/net")):
            yield ByItsAgent(own.pid, VARIABLES)


def process_called(there: Inside, pid: int) -> NodeProcess:
    return next(one for one in there.processes() if one.pid == pid)


def test_files_are_read_and_changed_in_place(there: Inside, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert there.read(str(path)) is None
    there.overwrite(str(path), b"0123456789")
    with path.open("rb") as opened:
        there.overwrite(str(path), b"ab", 4)
        assert opened.read() == b"0123ab6789"
    there.overwrite(str(path), b"short")
    assert there.read(str(path)) == b"short"


async def test_processes_are_told_of_and_are_sent_signals(there: Inside, own: subprocess.Popen[bytes]) -> None:
    found = process_called(there, own.pid)
    assert found.words == (sys.executable, "-c", BEGINS)
    assert found.name == Path(f"/proc/{own.pid}/comm").read_text().strip()
    assert found.output == str(Path(f"/proc/{own.pid}/fd/1").readlink())
    there.send(own.pid, found.start_ticks + 1, signal.SIGKILL)  # another that had its number before
    there.send(own.pid, found.start_ticks, signal.SIGSTOP)
    await until(lambda: process_called(there, own.pid).state == "T", within_s=10.0, what="it is stopped")
    assert process_called(there, own.pid).is_same(found)
    there.send(own.pid, found.start_ticks, signal.SIGKILL)
    assert own.wait() == -signal.SIGKILL


def test_open_files_are_limited(there: Inside, own: subprocess.Popen[bytes]) -> None:
    before, free = there.files(own.pid)
    assert free >= 3
    ticks = process_called(there, own.pid).start_ticks
    there.limit_files(own.pid, ticks + 1, 3)
    assert there.files(own.pid) == (before, free)
    there.limit_files(own.pid, ticks, free)
    assert there.files(own.pid) == (free, free)


def test_a_command_that_fails_is_told_in_its_own_words(there: Inside) -> None:
    there.run(("true",))
    with pytest.raises(EngineError, match="no such thing"):
        there.run(("sh", "-c", "echo no such thing >&2; exit 3"))
