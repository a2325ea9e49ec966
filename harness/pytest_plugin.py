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

from harness.admission import admitted, host_capacity
from harness.checks.verdict import Outcome
from harness.clock import now_s
from harness.cluster import Cluster, ClusterDesign
from harness.durations import dealt, longest_first, store_durations, stored_durations
from harness.engines.choice import ENGINES, why_unusable
from harness.errors import HarnessError, HostError, UsageError
from harness.pytest_interrupt import interruptible
from harness.pytest_options import ALL_ENGINES, name_of, pytest_addoption, pytest_load_initial_conftests
from harness.reap import reap
from harness.reporting.allure import attach_to_allure
from harness.scenario import Inconclusive, Violated, require_root, run_scenario

SESSION_VARIABLE = "HARNESS_SESSION"
EXIT_INCONCLUSIVE = 2
TIME = "_time"
__all__ = ["pytest_addoption", "pytest_load_initial_conftests"]  # pytest finds them here
_DURATIONS = pytest.StashKey[dict[str, float]]()

MARKERS = (
    "headline: a scenario that every change must pass",
    "promise(*ids): the promises that the scenario shows when it holds",
    "image(name): the image that its nodes start from",
    "topology(name): the topology it runs on",
    "software(*names, **settings): what runs on the nodes",
    "caught_by(*checks): a sabotage, which passes if these checks, at least, come out violated",
    "nightly: too long for every change; skipped without --nightly",
    "checklist: shows the checklist of removals",
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, fix the seed and the order, and choose the directory of this session's runs."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if config.option.harness_seed is None:
        config.option.harness_seed = worker["harness_seed"] if worker else random.SystemRandom().randrange(2**32)
    engine = config.option.harness_engine
    if not worker and engine != ALL_ENGINES and (reason := why_unusable(engine)):
        raise pytest.UsageError(f"{name_of(config, '--engine')}={engine}: {reason}")
    if not worker and SESSION_VARIABLE not in os.environ:
        os.environ[SESSION_VARIABLE] = time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}"
    # Read once: workers that collect in different orders (another session may end meanwhile) are refused by xdist.
    config.stash[_DURATIONS] = worker["harness_durations"] if worker else stored_durations()
    if getattr(config.option, "maxschedchunk", 0) is None:
        # Else xdist gives the first worker a quarter of its share to begin with: all the longest, one after another.
        config.option.maxschedchunk = 1


def session_directory(config: pytest.Config) -> Path:
    """Where this session's runs go, one directory a scenario."""
    runs: Path = config.option.harness_runs
    base = runs if runs.is_absolute() else config.rootpath / runs
    return base / os.environ[SESSION_VARIABLE]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the seed that was drawn, and what all workers must order scenarios by."""
    node.workerinput["harness_seed"] = node.config.option.harness_seed
    node.workerinput["harness_durations"] = node.config.stash[_DURATIONS]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones out, unless they are wanted; of several workers, have the longest begin first.

    The last to end decides how long it all takes.
    """
    if not config.option.harness_nightly:
        wanted_by = name_of(config, "--nightly")
        for item in items:
            if item.get_closest_marker("nightly") and "cluster" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=f"a long one: {wanted_by} runs it (make nightly)"))
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker and (durations_s := config.stash[_DURATIONS]):
        order = longest_first([item.nodeid for item in items], durations_s)
        items[:] = [items[at] for at in dealt(order, worker["workercount"])]


def engines(config: pytest.Config) -> tuple[str, ...]:
    """The engines that were asked for."""
    chosen: str = config.option.harness_engine
    return ENGINES if chosen == ALL_ENGINES else (chosen,)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run scenarios once on each engine, when several were asked for, and as often as asked for; on new clusters."""
    times: int = metafunc.config.option.harness_times
    if times > 1 and "cluster" in metafunc.fixturenames:
        metafunc.fixturenames.append(TIME)
        metafunc.parametrize(TIME, range(1, times + 1))
    chosen = engines(metafunc.config)
    if "engine_name" in metafunc.fixturenames and len(chosen) > 1:
        metafunc.parametrize("engine_name", [pytest.param(name, marks=_unless_usable(name)) for name in chosen])


def _unless_usable(engine: str) -> list[pytest.MarkDecorator]:
    reason = why_unusable(engine)
    return [pytest.mark.skip(reason=f"not shown here: {reason}")] if reason else []


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that this scenario runs on; a suite's ``cluster_design`` asks for it."""
    return engines(request.config)[0]


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed, so that a run can be had again."""
    seed: int = config.option.harness_seed
    return f"harness: engine {', '.join(engines(config))}, seed {seed} ({name_of(config, '--seed')}={seed})"


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
    require_root()
    progress = _progress(pyfuncitem)
    nodes = len(cluster.topology.node_names)
    with admitted(nodes, host_capacity(), lambda: progress("waiting until other clusters leave room")):
        began_s = now_s()
        with interruptible(last_one_ends=not hasattr(pyfuncitem.config, "workerinput")):
            ruling = asyncio.run(
                run_scenario(
                    cluster,
                    lambda: body(**arguments),
                    keep_on_failure=pyfuncitem.config.option.harness_keep_on_failure,
                    limit_s=pyfuncitem.config.option.harness_limit,
                    progress=progress,
                )
            )
    pyfuncitem.user_properties.append(("duration_s", now_s() - began_s))
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
    if call.excinfo is not None and isinstance(call.excinfo.value, Violated | Inconclusive | UsageError | HostError):
        report.longrepr = str(call.excinfo.value)
    return report


class SessionOutcome:
    """Collects how scenarios ended, on the controller as well as without xdist."""

    def __init__(self) -> None:
        self.run_directories: list[Path] = []
        self.durations_s: dict[str, float] = {}
        self.inconclusive = 0
        self.failed_otherwise = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a scenario's run and whether its failure means anything."""
        properties = dict(report.user_properties)
        if report.when == "call" and "run_directory" in properties:
            self.run_directories.append(Path(str(properties["run_directory"])))
            self.durations_s[report.nodeid] = float(str(properties["duration_s"]))
        if report.failed:
            if properties.get("outcome") == Outcome.UNKNOWN.name:
                self.inconclusive += 1
            else:
                self.failed_otherwise += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Exit 2 when nothing was violated but something could not be told; remember how long scenarios took."""
        store_durations(self.durations_s)
        if self.inconclusive and not self.failed_otherwise:
            session.exitstatus = EXIT_INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Tell a person what was shown."""
        if self.run_directories:
            from harness.reporting.session import PROMISES, write_session_report

            directory = session_directory(config)
            write_session_report(self.run_directories, directory, terminalreporter, config.rootpath / PROMISES)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Where the session is reported, and so once, whatever workers it has: remove what dead runs left behind, before
    the first cluster, and begin to collect outcomes.
    """
    config = session.config
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(SessionOutcome(), "harness-session-outcome")
    if os.geteuid() == 0 and not config.option.collectonly:
        _remove_dead_runs(config)


def _remove_dead_runs(config: pytest.Config) -> None:
    terminal = config.get_terminal_writer()
    try:
        for remains in reap():
            terminal.line(f"harness: removed what the dead run {remains.run_id} left")
    except (HarnessError, OSError) as error:  # they are in nobody's way: whatever this session runs can go on
        terminal.line(f"harness: dead runs: {error} (`harness reap` tries again)", yellow=True)
