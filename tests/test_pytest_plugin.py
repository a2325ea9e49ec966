"""A suite of somebody else, run by pytest with our plugin: verdicts, exit codes and clear words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.engines.choice import ENGINES

ROOT = Path(__file__).parents[1]
HOLDS, VIOLATED, INCONCLUSIVE = 0, 1, 2

CONFTEST = """
import pytest
from tests.clusters import drawn

@pytest.fixture
def cluster_design(tmp_path, engine_name):
    return drawn(tmp_path, engine_name).design
"""
HEAD = """
import asyncio
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of
from harness.expectations import Expected, one_holder
from harness.faults.network import Partition

VIP = "10.0.0.1"
Cluster.until_settled = lambda self: asyncio.sleep(0)  # these nodes run nothing that settles
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


def run_suite(directory: Path, body: str, *options: str) -> tuple[int, str]:
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_suite.py").write_text(HEAD + body)
    (directory / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--runs", str(directory / "runs"), *options],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if name != "HARNESS_SESSION"}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_scenario_that_holds_exits_0(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    cluster.note('nothing happens')\n")
    assert code == HOLDS, said
    assert "1 passed" in said
    assert "1 scenarios" in said


def test_a_violated_promise_exits_1_and_says_which(tmp_path: Path) -> None:
    body = "async def test_it(cluster):\n    await cluster.until(held_by_one_of(VIP, ['n1']), within_s=0.1)\n"
    code, said = run_suite(tmp_path, body)
    assert code == VIOLATED, said
    assert "10.0.0.1 is held, and answered for, by one of n1: not within 0.1 s" in said
    assert "Traceback" not in said


def test_a_fault_that_does_not_bite_exits_2(tmp_path: Path) -> None:
    body = """
class Harmless(Partition):
    async def inject(self, cluster):
        await super().inject(cluster)
        await self.heal(cluster)

async def test_it(cluster):
    async with cluster.under(Harmless(["n1"], ["n2", "n3"])):
        pass
"""
    code, said = run_suite(tmp_path, body)
    assert code == INCONCLUSIVE, said
    assert "canaries still arrive" in said
    assert "Traceback" not in said


def test_an_unknown_check_is_a_clear_error(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    cluster.expect(Expected('nonsense'))\n")
    assert code != HOLDS
    assert "there is no check 'nonsense'" in said
    assert "Traceback" not in said


def test_the_seed_is_printed_and_given_to_workers(tmp_path: Path) -> None:
    body = "async def test_it(cluster):\n    cluster.note('nothing happens')\n"
    code, said = run_suite(tmp_path, body, "--seed=7", "-n", "1")
    assert code == HOLDS, said
    assert "--seed=7" in said


def test_an_engine_that_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, "", "--engine=nonsense")
    assert code != HOLDS
    assert "local" in said.rpartition("choose from")[2]


def test_a_long_scenario_runs_only_where_it_is_wanted(tmp_path: Path) -> None:
    body = "import pytest\n@pytest.mark.nightly\nasync def test_it(cluster):\n    cluster.note('it runs')\n"
    code, said = run_suite(tmp_path, body, "-rs")
    assert code == HOLDS, said
    assert "1 skipped" in said
    assert "--nightly" in said
    code, said = run_suite(tmp_path, body, "--nightly")
    assert code == HOLDS, said
    assert "1 passed" in said


def test_a_scenario_is_run_as_often_as_asked_for_on_new_clusters(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    cluster.note('it runs')\n", "--times", "2")
    assert code == HOLDS, said
    assert "2 passed" in said
    assert "2 scenarios" in said


NOWHERE = {"HARNESS_DOCKER": "/nonexistent/docker", "HARNESS_LXD": "/nonexistent/lxd"}


def test_an_engine_that_cannot_be_used_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DOCKER", NOWHERE["HARNESS_DOCKER"])
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    pass\n", "--engine=docker")
    assert code not in (HOLDS, VIOLATED, INCONCLUSIVE)
    assert "--engine=docker: nothing answers at $HARNESS_DOCKER (/nonexistent/docker)" in said
    assert "Traceback" not in said


def test_all_engines_run_each_scenario_and_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, socket in NOWHERE.items():
        monkeypatch.setenv(name, socket)
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    pass\n", "--engine=all", "-v", "-rs")
    assert code == HOLDS, said
    assert "1 passed, 3 skipped" in said
    for name in ENGINES:
        assert f"test_it[{name}]" in said
    assert "not shown here: nothing answers at $HARNESS_LXD" in said


def test_a_scenario_that_never_ends_is_ended_and_exits_2(tmp_path: Path) -> None:
    body = "async def test_it(cluster):\n    await asyncio.Event().wait()\n"
    code, said = run_suite(tmp_path, body, "--limit=0.5")
    assert code == INCONCLUSIVE, said
    assert "had not ended after 0.5 s" in said
    assert "Traceback" not in said


def test_a_sabotage_that_fails_before_it_bites_is_not_caught(tmp_path: Path) -> None:
    body = """
from dataclasses import replace
import pytest
from harness.scenario import until_it_bites

@pytest.fixture
def cluster_design(cluster_design):
    return replace(cluster_design, caught_by=("body_passed",))

async def test_bites(cluster):
    with until_it_bites():
        pass
    assert False, "what has to be caught"

async def test_asserts_too_early(cluster):
    with until_it_bites():
        assert False, "apt failed"

async def test_waits_too_early(cluster):
    with until_it_bites():
        await cluster.until(held_by_one_of(VIP, ("n1",)), within_s=0.01)
"""
    code, said = run_suite(tmp_path, body)
    assert code == INCONCLUSIVE, said
    assert "2 failed, 1 passed" in said
    assert "before the sabotage had an effect: apt failed" in said
    assert "not caught by body_passed" in said
