"""A neighbour on the host ends with whoever made it, and with the run: it is the host's processors that it takes."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from functools import partial
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup
from harness.keeper import Keeper
from harness.procfs import command_words
from harness.rundir import RunDirectory
from harness.wait import until
from tests.contracts.fault import start, until_it_bites

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


def _neighbours(run_id: str) -> list[int]:
    """Processes of the run that are in none of its nodes."""
    run = RunDirectory(run_id)
    groups = Cgroup(run.cgroup).directory.glob("noise_*")
    return [pid for group in groups for pid in Cgroup(f"{run.cgroup}/{group.name}").processes()]


def _are_gone(found: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in found)


async def test_it_never_outlives_who_made_it_nor_the_run(tmp_path: Path) -> None:
    run_id = await asyncio.to_thread(start, "local", tmp_path)
    keeper = Keeper.of(RunDirectory(run_id))
    ended = False
    command = [sys.executable, "-m", "harness.cli.main", "fault", "--cluster", run_id, "noisy-neighbour"]
    try:
        for share, ends_the_run in (("0.2", False), ("0.1", True)):
            words = [*command, "--share", share]
            injector = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=PIPE, stderr=STDOUT)
            said = await until_it_bites(injector)
            assert "it bites" in said, said
            found = _neighbours(run_id)
            assert len(found) == len(os.sched_getaffinity(0))
            assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in found} == {-10}
            assert all(share in command_words(pid) for pid in found)
            if ends_the_run:
                await keeper.end()
                ended = True
            else:
                injector.kill()
            await until(partial(_are_gone, found), within_s=10.0, what="nothing of it runs")
            if ends_the_run:
                injector.kill()
            await injector.wait()
    finally:
        if not ended:
            await keeper.end()
