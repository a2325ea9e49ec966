"""What a session of scenarios leaves for a person: a summary in the terminal, and pages to open."""

import io
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from harness.errors import UsageError, told
from harness.history import FILE_NAME
from harness.reporting.facts import RunFacts, facts_of, read_run, unreadable
from harness.reporting.index import INDEX, write_index
from harness.reporting.promises import Promise, load_promises, promise_table
from harness.reporting.summary import print_summary
from harness.reporting.timeline import write_timeline

PROMISES = Path("fixtures/promises.toml")
"""Where a suite keeps its table of promises, from its root directory; or one for each system, a folder deeper."""
MIN_WIDTH = 100


class Terminal(Protocol):
    """What is needed of pytest's terminal reporter."""

    @property
    def hasmarkup(self) -> bool:
        """Whether the terminal shows colours."""

    def write_line(self, line: str) -> None:
        """Write a line."""


def write_session_report(
    run_directories: Sequence[Path],
    session: Path,
    terminal: Terminal,
    promises: Path = PROMISES,
    of_subjects: Collection[Path] = (),
) -> None:
    """Write a timeline for each run and an index of all, and print the summary.

    A run whose history cannot be read is named, and counts as inconclusive. The index also lists what was in the
    session's directory before: it is the page of the directory, and nothing vanishes from it.

    ``promises`` is the suite's table, and beside it are those of its systems, each in a folder; ``of_subjects`` are
    those that its subjects have of their own.
    """
    runs, problems = _report_runs(run_directories)
    known, problem = _promises(promises, of_subjects)
    rows = promise_table(known, runs)
    if rows and not known and not problem:
        problem = [f"no table of promises: {promises} is not there"]
    session.mkdir(parents=True, exist_ok=True)
    mine = {directory.resolve() for directory in run_directories}
    others, _ = _report_runs(
        [file.parent for file in session.glob(f"*/{FILE_NAME}") if file.parent.resolve() not in mine]
    )
    every = sorted([*runs, *others], key=lambda run: run.directory)
    write_index(session, every, promise_table(known, every) if others else rows)
    for line in [*problems, *problem]:
        terminal.write_line(line)
    text = io.StringIO()
    width = max(MIN_WIDTH, shutil.get_terminal_size().columns)
    colour = terminal.hasmarkup
    console = Console(file=text, width=width, force_terminal=colour, no_color=not colour, highlight=False)
    print_summary(runs, rows, str(session / INDEX), console)
    for line in text.getvalue().splitlines():
        terminal.write_line(line)


def _report_runs(run_directories: Sequence[Path]) -> tuple[list[RunFacts], list[str]]:
    runs, problems = [], []
    for directory in sorted(set(run_directories)):
        try:
            run = read_run(directory)
            write_timeline(run)
            runs.append(facts_of(run))
        except Exception as error:  # one page must not take the others with it
            problems.append(f"no report of {directory}: {told(error)}")
            if (directory / FILE_NAME).exists():
                runs.append(unreadable(directory, error))
    return runs, problems


def _promises(suite: Path, of_subjects: Collection[Path]) -> tuple[tuple[Promise, ...], list[str]]:
    """Every promise once: what a subject's table and the suite's both have is as the suite has it.

    The suite's tables follow each other as their first promises do.
    """
    known: dict[str, Promise] = {}
    problems: list[str] = []
    for table in _tables(sorted(of_subjects), problems):
        known |= table
    own: dict[str, Promise] = {}
    of_suite = _tables((suite, *sorted(suite.parent.glob(f"*/{suite.name}"))), problems)
    for table in sorted(of_suite, key=lambda table: next(iter(table), "")):
        problems += [f"no single table of promises: {one} is in two of the suite's" for one in own.keys() & table]
        own |= table
    return tuple((known | own).values()), problems


def _tables(paths: Iterable[Path], problems: list[str]) -> list[dict[str, Promise]]:
    found = []
    for path in paths:
        if path.exists():
            try:
                found.append({promise.id: promise for promise in load_promises(path)})
            except UsageError as error:
                problems.append(f"no table of promises: {error}")
    return found
