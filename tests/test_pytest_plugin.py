"""A suite of somebody else, run by pytest with our plugin: verdicts, exit codes and clear words."""

import json
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


def run_suite(directory: Path, body: str, *options: str, conftest: str = CONFTEST) -> tuple[int, str]:
    (directory / "conftest.py").write_text(conftest)
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
        pass

async def test_it(cluster):
    async with cluster.under(Harmless(["n1"], ["n2", "n3"])):
        pass
"""
    code, said = run_suite(tmp_path, body)
    assert code == INCONCLUSIVE, said
    assert "canaries arrive" in said
    assert "Traceback" not in said


def test_one_that_is_not_async_is_refused_for_nothing_of_it_would_be_judged(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, "def test_it(cluster):\n    pass\n")
    assert code != HOLDS
    assert "test_it asks for a cluster, so it is a scenario: write async def test_it(" in said
    assert "Traceback" not in said


def test_a_sabotage_that_no_check_can_catch_is_refused_before_it_starts(tmp_path: Path) -> None:
    designed = """
import pytest
from harness import design_for

@pytest.fixture
def cluster_design(request, engine_name):
    return design_for(request, engine_name, software=("redis",))
"""
    body = "import pytest\n@pytest.mark.caught_by('two_holders')\nasync def test_it(cluster):\n    pass\n"
    code, said = run_suite(tmp_path, body, conftest=designed)
    assert code != HOLDS
    assert "there is no check 'two_holders'; the checks are acknowledged_gap_at_most, " in said
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


TWO_THAT_TAKE_A_WHILE = """
import pytest
from harness.clock import now_s

async def take_a_while(cluster):
    since_s = now_s()
    await cluster.stay(for_s=1.5, why="the other one has every chance to run beside it")
    with open("times", "a") as file:
        file.write(f"{since_s} {now_s()}\\n")

async def test_one(cluster):
    await take_a_while(cluster)

@pytest.mark.MARK
async def test_two(cluster):
    await take_a_while(cluster)
"""


@pytest.mark.alone  # other tests' clusters would take the places of these two
@pytest.mark.parametrize(("mark", "apart"), [("alone", True), ("headline", False)])
def test_one_that_has_to_be_alone_has_no_cluster_beside_it(tmp_path: Path, mark: str, apart: bool) -> None:
    code, said = run_suite(tmp_path, TWO_THAT_TAKE_A_WHILE.replace("MARK", mark), "-n", "2")
    assert code == HOLDS, said
    times = [tuple(map(float, line.split())) for line in (tmp_path / "times").read_text().splitlines()]
    (_, first_end_s), (second_begin_s, _) = sorted(times)
    assert (first_end_s <= second_begin_s) is apart


NOWHERE = {
    "HARNESS_DOCKER": "/nonexistent/docker",
    "HARNESS_LXD": "/nonexistent/lxd",
    "HARNESS_UML": "/nonexistent/linux",
}


def test_an_engine_that_cannot_be_used_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DOCKER", NOWHERE["HARNESS_DOCKER"])
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    pass\n", "--engine=docker")
    assert code not in (HOLDS, VIOLATED, INCONCLUSIVE)
    assert "--engine=docker: nothing answers at $HARNESS_DOCKER (/nonexistent/docker)" in said
    assert "Traceback" not in said


def test_all_engines_run_each_scenario_and_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, place in NOWHERE.items():
        monkeypatch.setenv(name, place)
    code, said = run_suite(tmp_path, "async def test_it(cluster):\n    pass\n", "--engine=all", "-v", "-rs")
    assert code == HOLDS, said
    assert f"1 passed, {len(ENGINES) - 1} skipped" in said
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


MANY_TESTS = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(40))
def test_it(number):
    with Path("begun").open("a") as file:
        file.write(f"{os.environ['PYTEST_XDIST_WORKER']} {number}\\n")
"""


def durations_of(longest: list[int]) -> str:
    return json.dumps({f"test_suite.py::test_it[{number}]": 1000.0 - at for at, number in enumerate(longest)})


def test_the_longest_are_begun_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    longest = list(reversed(range(40)))
    (tmp_path / "cache/durations.json").write_text(durations_of(longest))
    code, said = run_suite(tmp_path, MANY_TESTS, "-n", "2")
    assert code == HOLDS, said
    begun: dict[str, list[int]] = {}
    for line in (tmp_path / "begun").read_text().splitlines():
        worker, number = line.split()
        begun.setdefault(worker, []).append(int(number))
    firsts = [numbers[:2] for numbers in begun.values()]
    assert sorted(firsts, reverse=True) == [[longest[0], longest[3]], [longest[1], longest[2]]]


def test_what_another_session_learns_meanwhile_does_not_part_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    for at, name in enumerate(("durations.json", "next")):
        (tmp_path / "cache" / name).write_text(durations_of([at, *range(2, 40), 1 - at]))
    hook = """
@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_configure_node(node):  # of each worker in turn
    from harness.rundir import cache_directory

    (cache_directory() / "next").replace(cache_directory() / "durations.json")
    (cache_directory() / "next").write_text("{}")
"""
    code, said = run_suite(tmp_path, MANY_TESTS, "-n", "2", conftest=CONFTEST + hook)
    assert code == HOLDS, said
    assert "40 passed" in said


REAPING = """
import os
from pathlib import Path

import harness.pytest_plugin
from harness.errors import HarnessError
from harness.reap import Remains

def reap():
    with Path("reaped").open("a") as file:
        file.write("once ")
    {outcome}

harness.pytest_plugin.reap = reap
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_dead_runs_are_removed_once_and_named(options: tuple[str, ...], tmp_path: Path) -> None:
    conftest = REAPING.format(outcome='return [Remains("gone", ("directory",))]')
    code, said = run_suite(tmp_path, "def test_it():\n    pass\n", *options, conftest=conftest)
    assert code == HOLDS, said
    assert said.count("removed what the dead run gone left") == 1
    assert (tmp_path / "reaped").read_text() == "once "


def test_dead_runs_that_cannot_be_removed_are_a_clear_line(tmp_path: Path) -> None:
    conftest = REAPING.format(outcome='raise HarnessError("run stuck: the daemon does not answer")')
    code, said = run_suite(tmp_path, "def test_it():\n    pass\n", conftest=conftest)
    assert code == HOLDS, said
    assert "run stuck: the daemon does not answer" in said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said


def test_cases_that_have_plans_of_their_own_are_each_there_once(tmp_path: Path) -> None:
    body = """
@pytest.mark.parametrize("case", [pytest.param("a", marks=pytest.mark.plan("a.json")), "b"])
async def test_own(case, performing):
    pass

@pytest.mark.parametrize("case", argvalues=["a", "b"])
async def test_drawn(case, performing):
    pass
"""
    code, said = run_suite(tmp_path, f"import pytest\n{body}", "--collect-only", "-q", "--plans", "3")
    assert code == HOLDS, said
    assert [said.count(f"::test_{which}[") for which in ("own", "drawn")] == [2, 6]
