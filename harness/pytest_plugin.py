"""The pytest plugin: options, the ``cluster`` fixture, running async scenarios, and their verdicts.

A scenario is an ``async def`` test that asks for the ``cluster`` fixture. The fixture gives the
cluster drawn but not started; the plugin starts it, runs the scenario in the same event loop, ends
it, judges its history and lets the test pass or fail by the verdict, all within the test's call.
"""

import asyncio
import contextlib
import inspect
import os
import random
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness.checks.verdict import Outcome
from harness.cluster import Cluster, ClusterDesign
from harness.engines.choice import ENGINES
from harness.errors import UsageError
from harness.reap import reap
from harness.reporting.allure import attach_to_allure
from harness.scenario import BODY_LIMIT_S, Inconclusive, Violated, run_scenario

SESSION_VARIABLE = "HARNESS_SESSION"
EXIT_INCONCLUSIVE = 2

MARKERS = (
    "headline: a scenario that every change must pass",
    "promise(*ids): the promises that the scenario shows when it holds",
    "topology(name): the topology it runs on",
    "software(*names, **settings): what runs on the nodes",
    "caught_by(*checks): a sabotage, which passes if these checks, at least, come out violated",
    "nightly: too long for every change",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the harness."""
    group = parser.getgroup("harness", "clusters under test")
    group.addoption("--engine", default="local", choices=ENGINES, help="what runs the nodes (default: local)")
    group.addoption("--seed", type=int, default=None, help="seed of every random choice (default: drawn, and printed)")
    group.addoption("--keep-on-failure", action="store_true", help="leave the cluster of a failed scenario up")
    group.addoption("--runs", type=Path, default=Path("reports/runs"), help="where runs are stored")
    group.addoption(
        "--limit", type=float, default=BODY_LIMIT_S, metavar="S",
        help="seconds after which a scenario that has not ended is inconclusive (default: %(default)g)",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, fix the seed, and choose the directory of this session's runs."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if config.option.seed is None:
        config.option.seed = worker["harness_seed"] if worker else random.SystemRandom().randrange(2**32)
    if not worker and SESSION_VARIABLE not in os.environ:
        os.environ[SESSION_VARIABLE] = time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}"


def session_directory(config: pytest.Config) -> Path:
    """Where this session's runs go, one directory a scenario."""
    runs: Path = config.option.runs
    base = runs if runs.is_absolute() else config.rootpath / runs
    return base / os.environ[SESSION_VARIABLE]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the seed that was drawn."""
    node.workerinput["harness_seed"] = node.config.option.seed


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed, so that a run can be had again."""
    return f"harness: engine {config.option.engine}, seed {config.option.seed} (--seed={config.option.seed})"


@pytest.fixture
def cluster_design(request: pytest.FixtureRequest) -> ClusterDesign:
    """What the cluster of this scenario is made of; the suite overrides this fixture."""
    raise UsageError("this suite defines no cluster_design fixture, which says what its clusters are made of")


@pytest.fixture
def cluster(cluster_design: ClusterDesign) -> Cluster:
    """The scenario's cluster: drawn here, started before the scenario's first line, judged after its last."""
    return Cluster(cluster_design)


def _is_scenario(item: pytest.Function) -> bool:
    # A fixture called cluster of somebody else's knows nothing of designs. Other async tests are run by pytest-asyncio,
    # which wraps coroutine functions.
    ours = {"cluster", "cluster_design"} <= set(item.fixturenames)
    return ours and inspect.iscoroutinefunction(inspect.unwrap(item.obj))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a scenario on its cluster."""
    if not _is_scenario(pyfuncitem):
        return None
    body = inspect.unwrap(pyfuncitem.obj)
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(body).parameters}
    cluster = pyfuncitem.funcargs["cluster"]
    assert isinstance(cluster, Cluster)
    ruling = asyncio.run(
        run_scenario(
            cluster,
            lambda: body(**arguments),
            keep_on_failure=pyfuncitem.config.option.keep_on_failure,
            limit_s=pyfuncitem.config.option.limit,
            progress=_progress(pyfuncitem),
        )
    )
    if pyfuncitem.config.getoption("allure_report_dir", None):
        attach_to_allure(ruling.run_directory, with_logs=ruling.outcome is not Outcome.HOLDS)
    pyfuncitem.user_properties.append(("run_directory", str(ruling.run_directory)))
    pyfuncitem.user_properties.append(("outcome", ruling.outcome.name))
    ruling.raise_unless_as_expected()
    return True


def _progress(item: pytest.Item) -> Any:
    reporter = item.config.pluginmanager.get_plugin("terminalreporter")
    capture = item.config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or item.config.option.verbose < 0 or hasattr(item.config, "workerinput"):
        return lambda _text: None

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(f"    {text}", cyan=True)

    return say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a verdict as what it is: the reason, without a traceback through the harness."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, Violated | Inconclusive | UsageError):
        report.longrepr = str(call.excinfo.value)
    return report


class SessionOutcome:
    """Collects how scenarios ended, on the controller as well as without xdist."""

    def __init__(self) -> None:
        self.run_directories: list[Path] = []
        self.inconclusive = 0
        self.failed_otherwise = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a scenario's run and whether its failure means anything."""
        properties = dict(report.user_properties)
        if report.when == "call" and "run_directory" in properties:
            self.run_directories.append(Path(str(properties["run_directory"])))
        if report.failed:
            if properties.get("outcome") == Outcome.UNKNOWN.name:
                self.inconclusive += 1
            else:
                self.failed_otherwise += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Exit 2 when nothing was violated but something could not be told."""
        if self.inconclusive and not self.failed_otherwise:
            session.exitstatus = EXIT_INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Tell a person what was shown."""
        if self.run_directories:
            from harness.reporting.session import write_session_report

            write_session_report(self.run_directories, session_directory(config), terminalreporter)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Before the first cluster: remove what dead runs left behind (once; workers have a controller for that)."""
    scenarios = any(isinstance(item, pytest.Function) and _is_scenario(item) for item in session.items)
    if scenarios and os.geteuid() == 0 and not session.config.option.collectonly:
        for remains in reap():
            session.config.get_terminal_writer().line(f"harness: removed what the dead run {remains.run_id} left")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to collect outcomes, where the session is reported."""
    if hasattr(session.config, "workerinput"):
        return
    session.config.pluginmanager.register(SessionOutcome(), "harness-session-outcome")
