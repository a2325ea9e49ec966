"""After kill -9 at any moment nothing of a run is left: thanks to its keeper, or to the next reap.

The moments are drawn from seeds; HARNESS_KILLS says how many of each kind (more for a long look).
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup
from harness.errors import HarnessError
from harness.keeper import Keeper
from harness.procfs import process_state
from harness.reap import destroy, leftovers, reap
from harness.rundir import OWNER_FILE, RUNS, RunDirectory, disks_root, group_prefix
from harness.wait import until
from tests.engines.hosted_runs import needs

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.geteuid() != 0, reason="runs need root")]
KILLS = int(os.environ.get("HARNESS_KILLS", "6"))
_SOON_S = 10.0
_SLOWER = {"local": 1, "docker": 3, "lxd": 4, "lxd-unprivileged": 4, "uml": 6}
"""How many times longer nodes take to be there, about."""
_GONE_WITHIN_S = {"local": 10.0, "docker": 30.0, "lxd": 120.0, "lxd-unprivileged": 120.0, "uml": 10.0}
"""LXD finishes making a disk before it removes it, and where it has no snapshots it copies the whole image."""
ENGINES = [pytest.param(name, marks=needs(name)) for name in _SLOWER]
_ROOT = Path(__file__).parent.parent
_ENDED: list[str] = []


@contextmanager
def doomed(run_id: str, image: Path, seed: int, engine: str = "local") -> Iterator["subprocess.Popen[bytes]"]:
    """A run in a process of its own, which lives for it."""
    command = [sys.executable, "-m", "tests.doomed_run", run_id, str(image), str(seed), engine]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        _ENDED.append(run_id)


@pytest.fixture(scope="module", autouse=True)
def nothing_comes_back() -> Iterator[None]:
    """Whoever was killed may have asked a daemon for something that it came up with afterwards."""
    yield
    assert {run_id: left for run_id in _ENDED if (left := left_by(run_id))} == {}


def moment_s(seed: int, engine: str = "local") -> float:
    """When to kill, in seconds after the process was started: it needs about 0.4 to have three nodes up."""
    return random.Random(seed).uniform(0.05, 0.8) * _SLOWER[engine]


def wait_for_word(process: "subprocess.Popen[bytes]", word: str) -> list[str]:
    """Read what the run prints until a line begins with the word; gives that line's words."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.decode().split()[0] == word:
            return line.decode().split()
    raise AssertionError(f"the run ended before it said {word!r}")


def left_by(run_id: str) -> list[str]:
    """Leftovers, but for the directory of a run that died before it had a keeper: that is for reap."""
    return [line for line in leftovers(run_id) if line != f"directory {RUNS / run_id}"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_killed_run_is_removed_by_its_keeper(seed: int, engine: str, node_image: Path) -> None:
    run_id = f"test-doomed-{os.getpid()}-{seed}"
    with doomed(run_id, node_image, seed, engine) as process:
        wait_for_word(process, "keeper")
        threading.Event().wait(moment_s(seed, engine) / 2)
        process.kill()
        process.wait()
        await until(lambda: not leftovers(run_id), within_s=_GONE_WITHIN_S[engine], what="the keeper removes the run")


@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_run_killed_at_any_moment_leaves_nothing_for_long(seed: int, node_image: Path) -> None:
    run_id = f"test-doomed-{os.getpid()}-{seed}"
    with doomed(run_id, node_image, seed) as process:
        threading.Event().wait(moment_s(seed))
        process.kill()
        process.wait()
        await until(lambda: not left_by(run_id), within_s=_SOON_S, what="the keeper removes the run")
        reap()
        assert leftovers(run_id) == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(KILLS))
async def test_reap_removes_a_run_whose_keeper_was_killed_too(seed: int, engine: str, node_image: Path) -> None:
    run_id = f"test-doomed-{os.getpid()}-{seed}"
    with doomed(run_id, node_image, seed, engine) as process:
        keeper = int(wait_for_word(process, "keeper")[1])
        threading.Event().wait(moment_s(seed, engine) / 2)
        first, second = random.Random(seed).sample([keeper, process.pid], 2)
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGKILL)
        process.wait()
        await until(partial(_is_dead, keeper), within_s=_SOON_S, what="the keeper is dead")
        reap()
        assert leftovers(run_id) == []


async def test_a_keeper_killed_half_way_through_removing_is_made_up_for(node_image: Path) -> None:
    for seed, pause_s in enumerate((0.0, 0.005, 0.01, 0.02, 0.04)):
        run_id = f"test-halfway-{os.getpid()}-{seed}"
        with doomed(run_id, node_image, seed) as process:
            keeper = int(wait_for_word(process, "keeper")[1])
            wait_for_word(process, "started")
            process.kill()
            threading.Event().wait(pause_s)
            with suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGKILL)
            process.wait()
        await until(partial(_is_dead, keeper), within_s=_SOON_S, what="the keeper is dead")
        reap()
        assert leftovers(run_id) == []


def _is_dead(pid: int) -> bool:
    try:
        return process_state(pid) in "ZX"
    except HarnessError:
        return True


def _reapers(count: int, prefix: Sequence[str] = ()) -> list["subprocess.Popen[bytes]"]:
    command = [*prefix, sys.executable, "-c", "from harness.reap import reap; reap()"]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    return [subprocess.Popen(command, cwd=_ROOT, env=environment) for _ in range(count)]


async def test_two_reapers_at_once_do_not_disturb_each_other(node_image: Path) -> None:
    run_id = f"test-reapers-{os.getpid()}"
    with doomed(run_id, node_image, 1) as process:
        keeper = int(wait_for_word(process, "keeper")[1])
        wait_for_word(process, "started")
        os.kill(keeper, signal.SIGKILL)
        process.kill()
        process.wait()
        await until(partial(_is_dead, keeper), within_s=_SOON_S, what="the keeper is dead")
        assert [reaper.wait(30.0) for reaper in _reapers(3)] == [0, 0, 0]
        assert leftovers(run_id) == []


async def test_half_made_things_are_found(tmp_path: Path) -> None:
    base = f"test-half-{os.getpid()}"
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / f"{base}-empty").mkdir()
    Cgroup(f"{group_prefix()}{base}-group/n1").create()
    (disks_root() / f"{base}-disk/n1/upper").mkdir(parents=True)
    making = RUNS / f".making.1.999999999.{base}-making"
    making.mkdir()
    found = {one.run_id for one in reap(dry_run=True)}
    assert {f"{base}-empty", f"{base}-group", f"{base}-disk"} <= found
    assert Cgroup(f"{group_prefix()}{base}-group").everywhere()
    foreign = Cgroup(f"harness-1-{base}-foreign/n1")  # of another pid namespace that shares our tree of groups
    foreign.create()
    reap()
    assert foreign.everywhere()
    Cgroup(f"harness-1-{base}-foreign").remove()
    for kind in ("empty", "group", "disk"):
        assert leftovers(f"{base}-{kind}") == []
    assert not making.exists()


async def test_living_runs_are_left_alone(node_image: Path) -> None:
    run_id = f"test-living-{os.getpid()}"
    with doomed(run_id, node_image, 2) as process:
        wait_for_word(process, "started")
        assert run_id not in {one.run_id for one in reap()}
        assert process.poll() is None
        assert any("process" in line for line in leftovers(run_id))
        assert any("control group" in line for line in leftovers(run_id))
        await Keeper.of(RunDirectory(run_id)).end()
        process.wait(10.0)


async def test_a_run_seen_from_another_pid_namespace_is_left_alone(node_image: Path) -> None:
    run_id = f"test-foreign-{os.getpid()}"
    with doomed(run_id, node_image, 3) as process:
        wait_for_word(process, "started")
        foreign = ["unshare", "--pid", "--fork", "--mount-proc"]
        assert [reaper.wait(30.0) for reaper in _reapers(1, foreign)] == [0]
        assert Keeper.of(RunDirectory(run_id)).add_namespace("still-there").exists()
        await Keeper.of(RunDirectory(run_id)).end()


async def test_a_run_that_took_a_dead_ones_name_is_left_alone() -> None:
    run = RunDirectory.create(f"test-again-{os.getpid()}")
    destroy(run, only_dead=True)
    assert run.owner().lives()
    destroy(run)
    assert leftovers(run.run_id) == []


async def test_a_run_of_another_version_and_disks_of_another_container_are_left_alone() -> None:
    run = RunDirectory.create(f"test-other-{os.getpid()}")
    run.mark_disks()
    owner = run.owner()
    (run.path / OWNER_FILE).write_text('{"written": "by a later version"}')
    assert run.run_id not in {one.run_id for one in reap()}
    assert run.path.exists()
    disks = disks_root() / run.run_id
    run.set_owner(replace(owner, pid_namespace=1))  # a container with a /run of its own, and our cache
    run.mark_disks()
    shutil.rmtree(run.path)
    assert run.run_id not in {one.run_id for one in reap()}
    assert disks.exists()
    RunDirectory.create(run.run_id).mark_disks()
    shutil.rmtree(run.path)
    assert run.run_id in {one.run_id for one in reap()}
    assert leftovers(run.run_id) == []


async def test_an_id_that_is_part_of_anothers_is_not_mixed_up() -> None:
    run = RunDirectory.create(f"test-part-{os.getpid()}-10")
    try:
        assert leftovers(run.run_id.removesuffix("0")) == []
        assert leftovers(run.run_id) == [f"directory {run.path}"]
    finally:
        destroy(run)
    with pytest.raises(HarnessError, match="no run"):
        run.owner()
    assert not run.path.exists()
