"""Whatever the harness cannot do, from set-up to clean-up, leaves a run that is inconclusive, counted and shown."""

import asyncio
import json
import os
import warnings
from pathlib import Path

import pytest

from harness.checks.verdict import Outcome
from harness.cluster import Cluster
from harness.conditions import held_by_nobody
from harness.errors import DeadlinePassed, EngineError, FaultDidNotBite, HealFailed
from harness.events import RunStarted
from harness.history import History
from harness.judge import load_verdicts
from harness.scenario import all_awaited, ending_by, record_scenario
from tests.clusters import drawn
from tests.test_pytest_plugin import HOLDS, INCONCLUSIVE, VIOLATED, run_suite

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")

CONFTEST = """
from dataclasses import replace
import pytest
from harness.pytest_runs import run_directory_for
from harness.stored import title_of
from tests.clusters import drawn

@pytest.fixture
def cluster_design(request, tmp_path, engine_name):
    made = drawn(tmp_path, engine_name).design
    test = request.node.nodeid
    return replace(made, run_directory=run_directory_for(request.node), test=test, scenario=title_of(test))
"""
QUIET = "async def test_it(cluster):\n    cluster.note('nothing happens')\n"
ATTACHED = """
import pytest
from harness.errors import HarnessError

class Attached:
    async def begin(self):
        pass
    async def finish(self):
        {finish}
    async def close(self):
        {close}

@pytest.fixture
def attached(cluster):
    cluster.attach(Attached())

async def test_it(cluster, attached):
    cluster.expect(Expected("nothing_left_behind"))
"""
TROUBLE = "raise HarnessError('the store is silent')"


def suite(directory: Path, body: str, *options: str, conftest: str = CONFTEST) -> tuple[int, str]:
    return run_suite(directory, body, *options, conftest=conftest)


def runs_of(directory: Path) -> list[Path]:
    return sorted(path.parent for path in directory.glob("runs/*/*/history.jsonl"))


def outcomes_of(run: Path) -> dict[str, Outcome]:
    verdicts = load_verdicts(run)
    assert verdicts is not None
    return {one.check: one.outcome for one in verdicts}


def is_inconclusive_and_counted(directory: Path, code: int, said: str, words: str) -> None:
    assert code == INCONCLUSIVE, said
    assert words in said
    assert "1 scenarios: 1 inconclusive" in said
    assert "Traceback" not in said
    (run,) = runs_of(directory)
    assert Outcome.VIOLATED not in outcomes_of(run).values()
    (index,) = directory.glob("runs/*/index.html")
    assert "inconclusive" in index.read_text(encoding="utf-8")


def test_while_being_set_up(tmp_path: Path) -> None:
    body = """
import pytest
from harness.errors import HarnessError

@pytest.fixture
def store(cluster):
    raise HarnessError("there is no store")

async def test_it(cluster, store):
    pass
"""
    code, said = suite(tmp_path, body)
    is_inconclusive_and_counted(tmp_path, code, said, "while being set up: HarnessError: there is no store")


def test_while_the_design_is_made(tmp_path: Path) -> None:
    conftest = CONFTEST.replace("    made =", "    raise __import__('harness').errors.HostError('no disk')\n    made =")
    code, said = suite(tmp_path, QUIET, conftest="import harness.errors\n" + conftest)
    is_inconclusive_and_counted(tmp_path, code, said, "HostError: no disk")


@pytest.mark.parametrize("error", ["EngineError('n2 does not boot')", "OSError('no space left')"])
def test_while_starting(error: str, tmp_path: Path) -> None:
    body = f"""
from harness.errors import EngineError
async def power_on(self, node):
    raise {error}
Cluster.power_on = power_on
{QUIET}"""
    code, said = suite(tmp_path, body)
    assert code == INCONCLUSIVE, said
    assert "while starting" in said
    assert error.split("'")[1] in said
    assert "1 scenarios: 1 inconclusive" in said
    assert outcomes_of(runs_of(tmp_path)[0])["nothing_left_behind"] is Outcome.HOLDS


@pytest.mark.parametrize(("finish", "close"), [(TROUBLE, "pass"), ("pass", TROUBLE)])
def test_while_collecting_and_at_the_end(finish: str, close: str, tmp_path: Path) -> None:
    code, said = suite(tmp_path, ATTACHED.format(finish=finish, close=close))
    is_inconclusive_and_counted(tmp_path, code, said, "HarnessError: the store is silent")
    outcomes = outcomes_of(runs_of(tmp_path)[0])
    assert (outcomes["body_passed"], outcomes["nothing_left_behind"]) == (Outcome.HOLDS, Outcome.HOLDS)
    assert outcomes["harness_worked"] is Outcome.UNKNOWN


def test_while_cleaning_up_after_the_scenario(tmp_path: Path) -> None:
    body = """
import pytest
from harness.errors import HarnessError

@pytest.fixture
def store(cluster):
    yield
    raise HarnessError("the store does not end")

async def test_it(cluster, store):
    pass
"""
    code, said = suite(tmp_path, body)
    assert code == INCONCLUSIVE, said
    assert "the store does not end" in said
    assert "Traceback" not in said


UNPROVEN = """
from harness.errors import DeadlinePassed
from harness.fault import Effect

class Unproven(Partition):
    async def see(self, cluster):
        seen = await super().see(cluster)
        if seen.effect is Effect.NONE:
            raise DeadlinePassed("packets pass again: not within 2 s")
        return seen

async def test_it(cluster):
    async with cluster.under(Unproven(["n1"], ["n2", "n3"])):
        {}
"""


def test_a_heal_that_could_not_be_proven(tmp_path: Path) -> None:
    code, said = suite(tmp_path, UNPROVEN.format("pass"))
    is_inconclusive_and_counted(tmp_path, code, said, "HealFailed: partition: packets pass again: not within 2 s")


def test_a_heal_that_could_not_be_proven_hides_no_failed_assertion(tmp_path: Path) -> None:
    code, said = suite(tmp_path, UNPROVEN.format("assert False, 'seen under the fault'"))
    assert code == VIOLATED, said
    assert "seen under the fault" in said
    assert outcomes_of(runs_of(tmp_path)[0])["harness_worked"] is Outcome.UNKNOWN


def test_a_mistake_of_the_scenario_fails_it_and_is_counted(tmp_path: Path) -> None:
    code, said = suite(tmp_path, "async def test_it(cluster):\n    print(1 / 0)\n")
    assert code == VIOLATED, said
    assert "Traceback" in said or "ZeroDivisionError" in said
    assert "1 scenarios: 1 violated" in said


def test_a_failure_called_for_fails_it_and_is_counted(tmp_path: Path) -> None:
    code, said = suite(tmp_path, "import pytest\nasync def test_it(cluster):\n    pytest.fail('it is wrong')\n")
    assert code == VIOLATED, said
    assert "assertion: it is wrong" in said
    assert "1 scenarios: 1 violated" in said


def test_a_check_that_fails_takes_no_other_verdict_with_it(tmp_path: Path) -> None:
    broken = """
from harness.checks import registry
from harness.checks.declared import Check

def one_holder_(history, address: str):
    return {}[address]

one_holder_.__name__ = "one_holder"
registry.CHECKS["one_holder"] = Check(one_holder_, durable=False)

async def test_it(cluster):
    cluster.expect(one_holder_expected)
"""
    code, said = suite(tmp_path, "one_holder_expected = Expected('one_holder', {'address': VIP})\n" + broken)
    assert code == INCONCLUSIVE, said
    assert "the check itself failed: KeyError: '10.0.0.1'" in said
    verdicts = json.loads((runs_of(tmp_path)[0] / "verdicts.json").read_text())["verdicts"]
    (one,) = [one for one in verdicts if one["check"] == "one_holder"]
    assert "return {}[address]" in one["evidence"][0]["text"]
    assert outcomes_of(runs_of(tmp_path)[0])["nothing_left_behind"] is Outcome.HOLDS


def test_a_worker_that_dies(tmp_path: Path) -> None:
    body = "import os\nasync def test_it(cluster):\n    os._exit(9)\n\ndef test_other():\n    pass\n"
    code, said = suite(tmp_path, body, "-n", "1")
    assert code == INCONCLUSIVE, said
    assert "1 scenarios: 1 inconclusive" in said
    assert "the run was cut short" in said


def test_a_worker_that_dies_in_a_test_of_another_kind_is_a_failure(tmp_path: Path) -> None:
    code, said = suite(tmp_path, "import os\ndef test_it():\n    os._exit(9)\n", "-n", "1")
    assert code == VIOLATED, said


def test_a_report_that_cannot_be_made_takes_no_verdict_with_it(tmp_path: Path) -> None:
    broken = "import harness.reporting.session as told\ndef broken(*_):\n    raise RuntimeError('no page')\n"
    code, said = suite(tmp_path, f"{broken}told.write_index = broken\n{QUIET}")
    assert code == HOLDS, said
    assert "no page" in said
    assert "INTERNALERROR" not in said


def test_while_a_run_is_judged_others_have_its_places(tmp_path: Path) -> None:
    body = f"""
from functools import partial
from pathlib import Path
import harness.pytest_plugin as plugin
from harness.admission import admitted, host_capacity

PLACES = Path(__file__).parent / "places"
judge_run = plugin.judge_run

def waiting():
    raise RuntimeError("the cluster that is being judged has its places still")

def judge_beside(directory):
    with admitted(host_capacity(), host_capacity(), waiting, PLACES):
        return judge_run(directory)

plugin.judge_run = judge_beside
plugin.admitted = partial(admitted, directory=PLACES)
{QUIET}"""
    code, said = suite(tmp_path, body)
    assert code == HOLDS, said


# --- a run directory belongs to one run ------------------------------------------------------------------


def one_run_each(directory: Path, count: int) -> list[Path]:
    found = runs_of(directory)
    assert len(found) == count
    assert all(len(History.read(run).of(RunStarted)) == 1 for run in found)
    return found


def test_two_tests_of_one_name(tmp_path: Path) -> None:
    for name, body in (
        ("zz_a", "async def test_same(cluster):\n    assert False\n"),
        ("zz_b", "async def test_same(cluster):\n    pass\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_one.py").write_text(body)
    code, said = suite(tmp_path, "", "--import-mode=importlib")
    assert code == VIOLATED, said
    assert "2 scenarios: 1 holds, 1 violated" in said
    one_run_each(tmp_path, 2)


AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):  # as those do that run failed tests again
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        for report in reports:
            report.outcome = "rerun" if report.failed else report.outcome
            item.ihook.pytest_runtest_logreport(report=report)
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


def test_a_test_that_is_run_again(tmp_path: Path) -> None:
    body = """
from pathlib import Path
async def test_it(cluster):
    first = not Path("again").exists()
    Path("again").touch()
    assert not first, "only the first time"
"""
    code, said = suite(tmp_path, body, conftest=CONFTEST + AGAIN)
    assert code == HOLDS, said
    assert "2 scenarios: 1 holds, 1 violated" in said
    first, second = one_run_each(tmp_path, 2)
    assert (outcomes_of(first)["body_passed"], outcomes_of(second)["body_passed"]) == (Outcome.VIOLATED, Outcome.HOLDS)


def test_a_session_directory_that_is_there_already(tmp_path: Path) -> None:
    setting = "import os\nos.environ['HARNESS_SESSION'] = 'ci'\n"
    for body in ("async def test_it(cluster):\n    assert False\n", QUIET):
        _, said = suite(tmp_path, body, conftest=setting + CONFTEST)
    assert "1 scenarios: 1 holds" in said
    one_run_each(tmp_path, 2)
    index = (tmp_path / "runs/ci/index.html").read_text(encoding="utf-8")
    assert "2 scenarios" in index
    assert "violated" in index


def test_parameters_stay_below_the_session(tmp_path: Path) -> None:
    body = """
import pytest
PARAMETERS = ["192.0.2.100/24", "../../../x", "a\\nb", "x" * 300, "::"]
@pytest.mark.parametrize("one", PARAMETERS, ids=PARAMETERS)
async def test_it(cluster, one):
    pass
"""
    code, said = suite(tmp_path, body)
    assert code == HOLDS, said
    runs = one_run_each(tmp_path, 5)
    assert len({run.parent for run in runs}) == 1
    titles = [History.read(run).of(RunStarted)[0].scenario for run in runs]
    assert "test_suite.py::test_it[192.0.2.100/24]" in titles
    assert f"test_suite.py::test_it[{'x' * 300}]" in titles
    assert "It [192.0.2.100/24]" in next(tmp_path.glob("runs/*/index.html")).read_text(encoding="utf-8")


# --- what an error in a scenario's body amounts to -----------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EngineError("n1 is gone"), "inconclusive"),
        (FaultDidNotBite("a canary arrives"), "inconclusive"),
        (HealFailed("canaries are lost"), "inconclusive"),
        (DeadlinePassed("the address is held"), "failed"),
        (AssertionError("wrong"), "failed"),
        (KeyError("x"), "failed"),
        (ExceptionGroup("several", [EngineError("n1"), HealFailed("n2")]), "inconclusive"),
        (ExceptionGroup("several", [EngineError("n1"), AssertionError("wrong")]), "failed"),
    ],
)
def test_endings(error: Exception, outcome: str) -> None:
    ending = ending_by(error)
    assert ending.outcome == outcome
    assert (ending.mistake is not None) == isinstance(error, KeyError)


async def test_a_line_that_forgot_its_await_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = drawn(tmp_path)
    monkeypatch.setattr(Cluster, "until_settled", lambda _self: asyncio.sleep(0))

    async def body() -> None:
        cluster.until(held_by_nobody("10.0.0.1"), within_s=1)  # type: ignore[unused-coroutine]  # as suites may

    with pytest.warns(RuntimeWarning, match="was never awaited"):
        ending = await record_scenario(cluster, body)
    assert ending.outcome == "inconclusive"
    assert "coroutine 'Cluster.until' was never awaited: write await before it" in ending.reason
    assert ending.mistake is None


async def test_other_warnings_pass_as_they_are() -> None:
    with pytest.warns(RuntimeWarning, match="something else"), all_awaited():
        warnings.warn("something else", RuntimeWarning, stacklevel=1)
