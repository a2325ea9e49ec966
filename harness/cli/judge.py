"""``harness judge``: judge a stored run again, from its history alone; or what others recorded."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from harness.checks.story import clock_of, is_whole
from harness.checks.verdict import Outcome, Verdict
from harness.errors import HarnessError, UsageError
from harness.history import FILE_NAME
from harness.judge import exit_code, judge, load_verdicts, of_one_run, ruling, store_verdicts, to_json
from harness.reading.side_by_side import read_columns, read_history

_LARGE_BYTES = 20 * 2**20
_WITHIN_S = 60.0
_WITH_LEVEL = ("append", "rw")
_WITH_TOTAL = ("bank",)
COLOURS = {Outcome.HOLDS: "green", Outcome.UNKNOWN: "yellow", Outcome.VIOLATED: "red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for on the command line; None and False were not."""

    format_name: str = "auto"
    model: str | None = None
    key: str | None = None
    keyed: bool | None = None
    initial: str | None = None
    level: str | None = None
    total: str | None = None
    within_s: float | None = None


@click.command("judge")
@click.argument("run_directory", metavar="RUN_OR_FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of text.")
@click.option("--store", is_flag=True, help="Replace the verdicts that are stored with the run by these.")
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    help="What others recorded the file in: jepsen-log (also history.txt and the console), edn or jsonl.",
)
@click.option(
    "--model",
    help="What it is a history of: register, multi-register, kv, set, queue, bank, append, counter, lock, mutex or rw.",
)
@click.option("--key", help="Only the operations on this object, and on those below it.")
@click.option("--keyed/--not-keyed", default=None, help="Values are [key value], or are not (default: as they look).")
@click.option("--initial", metavar="VALUE", help="What each object holds at first, in EDN or JSON (default: nothing).")
@click.option("--level", help="Isolation level (models append, rw).  [default: serializable]")
@click.option("--total", help="What all accounts hold together (model bank; default: what the first read shows).")
@click.option("--within-s", type=float, help="Longest time for a search, in seconds.  [default: 60]")
def judge_command(run_directory: Path, *, for_programs: bool, store: bool, **asked: Any) -> None:
    """Judge the run stored in a directory (or a history file) again.

    With --model: judge its operations by the checks of one model, whatever the run was judged by; a file may be what
    others recorded.

    The exit code is 0 when every promise holds, 1 when one is violated, 2 when it cannot be told.
    """
    options = Options(**asked)
    foreign = _checked(run_directory, options, store=store)
    _announce(run_directory)
    if options.model is not None:
        verdicts = judge_by_model(run_directory, foreign, options, aloud=not for_programs)
    else:
        verdicts = judge(read_history(run_directory))
    if for_programs:
        click.echo(json.dumps(to_json(verdicts), indent=1, ensure_ascii=False, default=str))
    else:
        tell(verdicts)
    if run_directory.is_dir() and options.model is None:
        _keep(run_directory, verdicts, store=store, compare=not for_programs)
    sys.exit(exit_code(verdicts))


def _checked(path: Path, asked: Options, *, store: bool) -> str | None:
    """The format of what others recorded; None for a run of ours.

    Raises UsageError when what was asked for does not go together.
    """
    # Imported here: what others recorded is the rarer thing to judge.
    from harness.formats.formats import AUTO, FORMATS, format_of

    if asked.format_name not in (AUTO, *FORMATS):
        raise UsageError(f"--format {asked.format_name}: there are {', '.join(FORMATS)} and {AUTO}")
    if asked.format_name != AUTO and path.is_dir():
        raise UsageError(f"{path} is a directory: --format needs a file")
    found: str | None = asked.format_name
    if found == AUTO:
        found = format_of(path) if path.is_file() else None
    if asked.model is not None:
        _fitting(asked, asked.model)
        if store:
            raise UsageError("--store keeps the verdicts that a run expects: leave it out with --model")
        return found
    if found is not None:
        from harness.checks.consistency.by_model import MODELS

        told = "" if asked.format_name != AUTO else f" ({path.name} looks like {found})"
        raise UsageError(f"--model is missing{told}: there are {', '.join(MODELS)}")
    for name in ("key", "keyed", "initial", "level", "total", "within_s"):
        if getattr(asked, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} needs --model: a run is judged by what it expects")
    return None


def _fitting(asked: Options, model: str) -> None:
    """Whether the options are right, and for this model."""
    from harness.checks.consistency.anomalies import LEVELS
    from harness.checks.consistency.by_model import MODELS

    if model not in MODELS:
        raise UsageError(f"--model {model}: there are {', '.join(MODELS)}")
    if asked.level is not None and model not in _WITH_LEVEL:
        raise UsageError(f"--level: model {model} has none; those that have are {', '.join(_WITH_LEVEL)}")
    if asked.level is not None and asked.level not in LEVELS:
        raise UsageError(f"--level {asked.level}: there are {', '.join(LEVELS)}")
    if asked.total is not None and model not in _WITH_TOTAL:
        raise UsageError(f"--total: model {model} has none; those that have are {', '.join(_WITH_TOTAL)}")
    if asked.total is not None and not _is_number(asked.total):
        raise UsageError(f"--total {asked.total:.60}: allowed is a number, such as 100 or 99.95")
    if asked.within_s is not None and not (math.isfinite(asked.within_s) and asked.within_s > 0):
        raise UsageError(f"--within-s {asked.within_s:g}: allowed is a number of seconds greater than 0")


def _is_number(text: str) -> bool:
    try:
        return len(text) <= 60 and Decimal(text).is_finite() and abs(Decimal(text).adjusted()) < 60
    except InvalidOperation:
        return False


def _announce(path: Path) -> None:
    """Say that a large file takes a while."""
    file = path / FILE_NAME if path.is_dir() else path
    if file.exists() and file.stat().st_size > _LARGE_BYTES:
        click.echo(f"reading {file.stat().st_size / 2**20:.0f} MiB, then judging ...", err=True)


def judge_by_model(path: Path, foreign: str | None, asked: Options, *, aloud: bool = False) -> tuple[Verdict, ...]:
    """The verdicts of one model on a file that others recorded in a format, or, without a format, on a run of ours.

    Instants of a file of others are its lines. ``aloud``: say a verdict at once when explaining it takes longer.

    Raises UsageError for a line that cannot be read.
    """
    from harness.checks.consistency.by_model import MODELS, Question
    from harness.checks.consistency.operations import built, operations_of
    from harness.checks.consistency.search import Limits

    at: Callable[[float], str]
    whole = True
    if foreign is None:
        history = of_one_run(read_history(path))
        whole = is_whole(history)
        operations, at = operations_of(history), clock_of(history).at
    else:
        operations, at = built(read_columns(path, foreign)), _line_of
    if not len(operations):
        read_as = "as a run of the harness" if foreign is None else f"as {foreign}"
        click.echo(f"no operation was found in {path.name}, read {read_as}", err=True)
    question = Question(
        operations=operations,
        at=at,
        limits=Limits(within_s=asked.within_s or _WITHIN_S),
        level=asked.level or "serializable",
        total=asked.total,
        initial=None if asked.initial is None else _initial(asked.initial),
        keyed=asked.keyed,
        key=asked.key,
        whole=whole,
        tell=(lambda text: click.echo(text, err=True)) if aloud else (lambda _: None),
    )
    return MODELS[asked.model or ""](question)


def _initial(text: str) -> Any:
    import msgspec

    from harness.formats.edn import value_of
    from harness.history import MAX_NESTING, nesting

    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return value_of(text, "--initial", 1)
    if nesting(value) > MAX_NESTING:
        raise UsageError("--initial: nested too deeply")
    return value


def _line_of(at: float) -> str:
    """The place in a file: its line, and which of the operations on that line."""
    from harness.formats.pairs import ENTRIES

    entry = round((at - int(at)) * ENTRIES)
    return f"line {int(at)}" + (f", operation {entry + 1}" if entry else "")


def tell(verdicts: Sequence[Verdict]) -> None:
    """Print verdicts, the worst first, and what they amount to."""
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.outcome):
        label = click.style(f"{verdict.outcome.name:8}", fg=COLOURS[verdict.outcome])
        click.echo(f"{label} {verdict.title}: {verdict.summary}")
        for finding in verdict.evidence:
            click.echo(f"           {finding.text}")
    outcome = ruling(verdicts)
    click.echo(f"\n{click.style(outcome.name, fg=COLOURS[outcome], bold=True)} ({len(verdicts)} checks)")


def _keep(run: Path, verdicts: Sequence[Verdict], *, store: bool, compare: bool) -> None:
    """Compare them with those that are stored with the run; store them where there are none, or where it is asked for.

    They have been told by now. What cannot be read, or written without being asked for, is told as well, no more.
    """
    try:
        stored = load_verdicts(run)
    except (HarnessError, OSError) as error:
        stored = ()
        if not store:
            click.echo(f"harness: not compared: {error} (--store replaces them)", err=True)
    if stored and compare:
        _compare(stored, verdicts)
    if store or stored is None:
        try:
            store_verdicts(run, verdicts)
        except OSError as error:
            text = f"the verdicts could not be stored in {run}: {error.strerror}"
            if store:
                raise UsageError(text) from None
            click.echo(f"harness: {text}", err=True)


def _compare(stored: Sequence[Verdict], verdicts: Sequence[Verdict]) -> None:
    """Say whether these are the verdicts that were given when the run ended."""
    before = {verdict.title: verdict.outcome for verdict in stored}
    now = {verdict.title: verdict.outcome for verdict in verdicts}
    changed = [title for title in {**before, **now} if before.get(title) != now.get(title)]
    if not changed:
        click.echo("Judged again: the verdicts are the same as those stored with the run.")
    for title in changed:
        old, new = (outcomes[title].name if title in outcomes else "not judged" for outcomes in (before, now))
        click.echo(f"stored with the run: {title} {old}; now {new}")
