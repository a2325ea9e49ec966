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
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Literal

import pytest

from harness.admission import admitted, host_capacity
from harness.checks.verdict import Outcome
from harness.clock import now_s
from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.durations import dealt, longest_first, stored_durations
from harness.engines.choice import ENGINES, places_of, why_unusable
from harness.errors import HarnessError, UsageError, leaves, told
from harness.events import RunEnded, RunStarted
from harness.history import FILE_NAME, Recorder
from harness.pytest_design import ledger, vip
from harness.pytest_interrupt import LeftAlone, interruptible
from harness.pytest_options import ALL_ENGINES, name_of, pytest_addoption, pytest_load_initial_conftests
from harness.pytest_outcome import INCONCLUSIVE, PROMISE_TABLE, SessionOutcome
from harness.pytest_plans import PLAN_NUMBER, PLANS_BY_DEFAULT, has_own_plan, performing, plan, plan_number
from harness.pytest_runs import RUN_DIRECTORY, SESSION_VARIABLE, run_directory_for, session_directory
from harness.reap import reap
from harness.reporting.allure import attach_to_allure
from harness.scenario import (
    Inconclusive,
    Ruling,
    Violated,
    judge_run,
    record_scenario,
    require_root,
)
from harness.stored import title_of

TIME = "_time"
__all__ = [
    "ledger",
    "performing",
    "plan",
    "plan_number",
    "pytest_addoption",
    "pytest_load_initial_conftests",
    "vip",
]  # pytest finds them here
_DURATIONS = pytest.StashKey[dict[str, float]]()
_PROPERTIES = frozenset({"duration_s", "run_directory", "outcome", PROMISE_TABLE})

MARKERS = (
    "headline: a scenario that every change must pass",
    "promise(*ids): the promises that the scenario shows when it holds",
    "image(name): the image that its nodes start from",
    "topology(name): the topology it runs on",
    "software(*names, **settings): the subjects that run on the nodes, with settings for the first of them",
    "caught_by(*checks): a sabotage, which passes if these checks, at least, come out violated",
    "hosts_kernel(why): asks what nodes with kernels of their own cannot show; skipped there, with the reason",
    "nightly: too long for every change; skipped without --nightly",
    "plan(file): the plan of faults it performs, a file beside it (see harness chaos, harness shrink)",
    "alone: no other cluster may run on the host meanwhile: it takes all of the processor, or judges what that takes",
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
    if PLAN_NUMBER in metafunc.fixturenames and not has_own_plan(metafunc.definition):
        metafunc.parametrize(PLAN_NUMBER, range(metafunc.config.option.harness_plans or PLANS_BY_DEFAULT))
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
    """What the cluster of this scenario is made of; the suite overrides this fixture (see :func:`design_for`)."""
    raise UsageError("this suite defines no cluster_design fixture, which says what its clusters are made of")


@pytest.fixture
def cluster(cluster_design: ClusterDesign) -> Cluster:
    """The scenario's cluster: drawn here, started before the scenario's first line, judged after its last."""
    return Cluster(cluster_design)


def _is_scenario(item: pytest.Function) -> bool:
    # A fixture called cluster of somebody else's knows nothing of designs. Other async tests are run by pytest-asyncio,
    # which wraps coroutine functions.
    if not {"cluster", "cluster_design"} <= set(item.fixturenames):
        return False
    if not inspect.iscoroutinefunction(inspect.unwrap(item.obj)):
        # Its cluster would never be started, and nothing judged.
        raise UsageError(
            f"{item.name} asks for a cluster, so it is a scenario: write async def {item.originalname}(...)"
        )
    return True


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
    ruling, mistake = _run(pyfuncitem, cluster, lambda: body(**arguments))
    if pyfuncitem.config.getoption("allure_report_dir", None):
        _attach_to_allure(pyfuncitem, ruling)
    pyfuncitem.user_properties.append(("run_directory", str(ruling.run_directory)))
    pyfuncitem.user_properties.append(("outcome", ruling.outcome.name))
    tables = (subject.promises for subject in cluster.design.subjects)
    pyfuncitem.user_properties += [(PROMISE_TABLE, str(table)) for table in tables if table is not None]
    if mistake is not None:
        raise mistake
    ruling.raise_unless_as_expected()
    return True


def _run(
    item: pytest.Function, cluster: Cluster, body: Callable[[], Awaitable[None]]
) -> tuple[Ruling, Exception | None]:
    """Run a scenario and judge it. While it is judged, another cluster may have its places."""
    progress = _progress(item)
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in _PROPERTIES]  # of an earlier try
    places = host_capacity()
    nodes = places if item.get_closest_marker("alone") else places_of(cluster.design.engines.values())
    with admitted(nodes, places, lambda: progress("waiting until other clusters leave room")):
        began_s = now_s()
        with interruptible(last_one_ends=not hasattr(item.config, "workerinput")):
            ending = asyncio.run(
                record_scenario(
                    cluster,
                    lambda: _as_assertion(body),
                    keep_on_failure=item.config.option.harness_keep_on_failure,
                    limit_s=item.config.option.harness_limit,
                    progress=progress,
                )
            )
    item.user_properties.append(("duration_s", now_s() - began_s))
    ruling = judge_run(cluster.run_directory)
    caught = bool(cluster.design.caught_by) and ruling.outcome is Outcome.HOLDS
    progress("caught" if caught else ruling.outcome.name)
    return ruling, ending.mistake


async def _as_assertion(body: Callable[[], Awaitable[None]]) -> None:
    """What ``pytest.fail`` raises is no Exception, and means the same as a failed assertion."""
    try:
        await body()
    except pytest.fail.Exception as failure:
        raise AssertionError(str(failure)) from failure


def _attach_to_allure(item: pytest.Item, ruling: Ruling) -> None:
    """A report that cannot be made takes no verdict with it."""
    try:
        attach_to_allure(ruling.run_directory, with_logs=ruling.outcome is not Outcome.HOLDS)
    except Exception as error:
        item.add_report_section("call", "harness", f"nothing of {ruling.run_directory} in Allure: {told(error)}")


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
    error = call.excinfo.value if call.excinfo is not None else None
    if error is None or not report.failed:
        return report
    undecided = all(isinstance(one, Inconclusive | HarnessError) for one in leaves(error))
    if undecided:
        report.user_properties.append((INCONCLUSIVE, str(call.when)))
    if undecided or isinstance(error, Violated):
        report.longrepr = told(error) if isinstance(error, ExceptionGroup) else str(error)
    if call.when == "setup" and isinstance(item, pytest.Function) and _is_scenario(item):
        ruling = _unstarted(item, f"while being set up: {told(error)}", "inconclusive" if undecided else "failed")
        report.user_properties.append(("run_directory", str(ruling.run_directory)))
    return report


def _unstarted(item: pytest.Function, reason: str, outcome: Literal["failed", "inconclusive"]) -> Ruling:
    """Store a run of a scenario that came to no cluster: whatever is counted counts it."""
    directory = item.stash.get(RUN_DIRECTORY, None)
    if directory is None or (directory / FILE_NAME).exists():
        directory = run_directory_for(item)
    recorder = Recorder(directory / FILE_NAME)
    started = RunStarted(
        t_s=now_s(),
        run_id="",
        scenario=title_of(item.nodeid),
        promises=tuple(str(one) for mark in item.iter_markers("promise") for one in mark.args),
        seed=item.config.option.harness_seed,
        engine=str(item.funcargs.get("engine_name", engines(item.config)[0])),
        subject="",
        topology={},
        caught_by=tuple(str(one) for mark in item.iter_markers("caught_by") for one in mark.args),
        test=item.nodeid,
    )
    recorder.record(started)
    recorder.record(RunEnded(t_s=now_s(), outcome=outcome, reason=reason))
    recorder.close()
    return judge_run(directory)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Where the session is reported, and so once, whatever workers it has: remove what dead runs left behind, before
    the first cluster, and begin to collect outcomes.
    """
    config = session.config
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(LeftAlone(config.workerinput["workerid"]), "harness-left-alone")
        return
    config.pluginmanager.register(SessionOutcome(session_directory(config)), "harness-session-outcome")
    if os.geteuid() == 0 and not config.option.collectonly:
        _remove_dead_runs(config)


def _remove_dead_runs(config: pytest.Config) -> None:
    terminal = config.get_terminal_writer()
    try:
        for remains in reap():
            terminal.line(f"harness: removed what the dead run {remains.run_id} left")
    except (HarnessError, OSError) as error:  # they are in nobody's way: whatever this session runs can go on
        terminal.line(f"harness: dead runs: {error} (`harness reap` tries again)", yellow=True)
