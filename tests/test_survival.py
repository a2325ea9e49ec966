"""Whatever ends a session of scenarios, and whenever: nothing of it is left on the host within seconds.

HARNESS_KILLS sets how many moments are tried (a few by default).
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.procfs import command_words, parent_pid
from harness.pytest_runs import SESSION_VARIABLE
from harness.reap import leftovers, reap
from harness.rundir import RunDirectory
from harness.wait import until
from tests.engines.hosted_runs import needs

ROOT = Path(__file__).parents[1]
SCENARIO = "scenarios/sfha/failover/test_holder_lost.py::test_holder_killed_and_returning"
KILLS = int(os.environ.get("HARNESS_KILLS", "4"))
LATEST_S = {"local": 6.0, "docker": 8.0, "lxd": 10.0}
"""About when the scenario ends by itself, on each engine."""
BEGUN_WITHIN_S = 60.0
"""When its run is there at the latest: the host may be busy, or have no image yet."""
GONE_WITHIN_S = 20.0
ENGINES = [pytest.param(name, marks=needs(name)) for name in LATEST_S]

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")]


class Session:
    """A pytest of its own that runs one scenario."""

    def __init__(self, runs: Path, *options: str) -> None:
        self.name = f"survival-{os.getpid()}-{runs.name}"
        directory = runs / self.name / SCENARIO.rpartition("::")[2]
        digest = hashlib.sha256(str(directory).encode())
        self.run_id = digest.hexdigest()[:10]
        command = [sys.executable, "-m", "pytest", SCENARIO, "--runs", str(runs), *options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {SESSION_VARIABLE: self.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.said = b""

    async def until_begun(self) -> None:
        """Wait until its run is there."""
        run = RunDirectory(self.run_id).path
        await until(
            lambda: run.exists() or self.process.poll() is not None, within_s=BEGUN_WITHIN_S, what=f"{run} is there"
        )
        if self.process.poll() is not None:
            pytest.fail(f"it ended without a run {self.run_id}:\n{self.process.communicate()[0].decode()}")

    def passes(self, within_s: float) -> bool:
        """Let it run; True when it ended before the time was over: then its scenario has to have passed."""
        ended = self.ends(within_s)
        assert not ended or self.process.returncode == 0, self.said.decode()
        return ended

    def ends(self, within_s: float) -> bool:
        """Let it run; True when it ended, well or not, before the time was over."""
        try:
            self.said, _ = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def workers(self) -> list[int]:
        """The processes of xdist."""
        return [pid for pid in self._processes() if _is_worker(pid, self.process.pid)]

    def remains(self) -> list[str]:
        """What is left of it: of its run, and processes that carry its name."""
        return [*leftovers(self.run_id), *(f"process {pid}" for pid in self._processes())]

    async def until_gone(self, within_s: float) -> None:
        """Wait until nothing is left; the directory of a run that died before it had a keeper is for the next reap."""
        await until(lambda: self.remains() in ([], self._alone), within_s=within_s, what=f"nothing of {self.run_id}")
        reap()
        await until(lambda: not self.remains(), within_s=within_s, what=f"nothing at all of {self.run_id}")

    @property
    def _alone(self) -> list[str]:
        return [f"directory {RunDirectory(self.run_id).path}"]

    def _processes(self) -> list[int]:
        mark = f"{SESSION_VARIABLE}={self.name}".encode()
        found = []
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                try:
                    marked = (
                        mark in (directory / "environ").read_bytes().split(b"\0") and (directory / "exe").readlink()
                    )
                except OSError:  # it has ended, or is about to
                    continue
                if marked:
                    found.append(int(directory.name))
        return found


def _is_worker(pid: int, parent: int) -> bool:
    with suppress(HarnessError):  # it has ended
        return parent_pid(pid) == parent and any("import sys;exec" in word for word in command_words(pid))
    return False


@contextmanager
def running(runs: Path, *options: str) -> Iterator[Session]:
    session = Session(runs, *options)
    try:
        yield session
    finally:
        session.process.kill()
        session.process.communicate()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("moment", range(KILLS))
async def test_nothing_is_left_of_a_session_that_was_killed(moment: int, engine: str, tmp_path: Path) -> None:
    chance = random.Random(moment)
    number = chance.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    with running(tmp_path, "--engine", engine) as session:
        if moment == 0:  # others may come before there is anything that could be left
            await session.until_begun()
        if not session.passes(within_s=chance.uniform(0.2, LATEST_S[engine])):
            session.process.send_signal(number)
            assert session.ends(within_s=GONE_WITHIN_S), f"it does not end on {number.name}"
    within_s = GONE_WITHIN_S * (4 if engine == "lxd" else 1)  # LXD finishes making a disk, a whole copy, first
    await session.until_gone(within_s)


@pytest.mark.parametrize("moment", range(max(1, KILLS // 4)))
async def test_nothing_is_left_of_a_worker_that_was_killed(moment: int, tmp_path: Path) -> None:
    chance = random.Random(1000 + moment)
    with running(tmp_path, "-n", "1") as session:
        await session.until_begun()
        assert session.workers()
        if not session.passes(within_s=chance.uniform(0.0, LATEST_S["local"] - 1.5)):
            for pid in session.workers():
                os.kill(pid, signal.SIGKILL)
            assert session.ends(within_s=3 * GONE_WITHIN_S)
    await session.until_gone(GONE_WITHIN_S)
