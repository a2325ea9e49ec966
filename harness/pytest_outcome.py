"""What a session of pytest comes to: the runs that were made, how they ended, the exit code and the report."""

from pathlib import Path
from typing import Any

import pytest

from harness.durations import store_durations
from harness.errors import HarnessError, told
from harness.events import RunStarted
from harness.history import FILE_NAME, events_in

EXIT_INCONCLUSIVE = 2
INCONCLUSIVE = "inconclusive"
"""The property of a report that failed without anything being violated."""
PROMISE_TABLE = "promises"
"""The property of a report that names a table of promises: that of a subject."""
CRASHED = "???"
"""The phase of a test that took its xdist worker with it."""


class SessionOutcome:
    """Collects how scenarios ended, on the controller as well as without xdist."""

    def __init__(self, session: Path) -> None:
        self.run_directories: list[Path] = []
        self.durations_s: dict[str, float] = {}
        self.promises: set[Path] = set()
        self.inconclusive = 0
        self.failed_otherwise = 0
        self._session = session
        self._there_before = frozenset(session.iterdir()) if session.is_dir() else frozenset[Path]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a scenario's run and whether its failure means anything."""
        properties = dict(report.user_properties)
        self.promises |= {Path(str(value)) for name, value in report.user_properties if name == PROMISE_TABLE}
        if "run_directory" in properties and (report.when == "call" or report.outcome != "passed"):
            self._note(Path(str(properties["run_directory"])))
        if "duration_s" in properties and report.when == "call":
            self.durations_s[report.nodeid] = float(str(properties["duration_s"]))
        if report.failed:
            undecided = INCONCLUSIVE in properties or (report.when == CRASHED and self._crashed(report.nodeid))
            self.inconclusive += undecided
            self.failed_otherwise += not undecided

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not even be read may hide anything."""
        self.failed_otherwise += report.failed

    def _note(self, directory: Path) -> None:
        if directory not in self.run_directories:
            self.run_directories.append(directory)

    def _crashed(self, test: str) -> bool:
        """Take up the run of a test whose worker died; gives whether it was a scenario."""
        new = set(self._session.iterdir()) if self._session.is_dir() else set()
        cut_short = [
            one for one in new - self._there_before if one not in self.run_directories and _test_of(one) == test
        ]
        for directory in cut_short:
            self._note(directory)
        return bool(cut_short)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Exit 2 when nothing was violated but something could not be told; remember how long scenarios took."""
        store_durations(self.durations_s)
        if self.inconclusive and not self.failed_otherwise and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = EXIT_INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Tell a person what was shown. A report that cannot be made takes no exit code with it."""
        if not self.run_directories:
            return
        from harness.reporting.session import PROMISES, write_session_report

        try:
            suite = config.rootpath / PROMISES
            write_session_report(self.run_directories, self._session, terminalreporter, suite, self.promises)
        except Exception as error:
            terminalreporter.write_line(f"harness: no report in {self._session}: {told(error)}")


def _test_of(run_directory: Path) -> str | None:
    """The test that a run was made of, as pytest names it; None for what is no run."""
    try:
        first = next(events_in(run_directory / FILE_NAME), None)
    except (OSError, HarnessError):
        return None
    return first.test if isinstance(first, RunStarted) else None
