"""``harness judge``: judge a stored run again, from its history alone."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.checks.story import clock_of, is_whole
from harness.checks.verdict import Outcome, Verdict
from harness.errors import UsageError
from harness.history import FILE_NAME, History
from harness.judge import exit_code, judge, load_verdicts, ruling, store_verdicts, to_json
from harness.operations import belongs_to

_LARGE_BYTES = 20 * 2**20
COLOURS = {Outcome.HOLDS: "green", Outcome.UNKNOWN: "yellow", Outcome.VIOLATED: "red"}


@click.command("judge")
@click.argument("run_directory", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of text.")
@click.option("--store", is_flag=True, help="Replace the verdicts that are stored with the run by these.")
@click.option("--format", "format_name", help="The file is what others recorded: jepsen-log, edn or jsonl.")
@click.option("--model", help="What it is a history of: register, kv, set, queue, bank, append, counter or rw.")
@click.option("--key", help="Only the operations on this object, and on those below it (with --model).")
@click.option("--level", default="serializable", show_default=True, help="Isolation level (models append, rw).")
@click.option("--total", type=float, help="What all accounts hold together (model bank).")
@click.option("--within-s", default=60.0, show_default=True, help="Longest time for a search, in seconds.")
def judge_command(
    run_directory: Path,
    *,
    for_programs: bool,
    store: bool,
    format_name: str | None,
    model: str | None,
    key: str | None,
    level: str,
    total: float | None,
    within_s: float,
) -> None:
    """Judge the run stored in RUN_DIRECTORY (or a history file) again.

    With --model: judge its operations by the checks of one model, whatever the run was judged by.
    With --format as well: judge a file of operations that others recorded.

    The exit code is 0 when every promise holds, 1 when one is violated, 2 when it cannot be told.
    """
    _announce(run_directory)
    asked = bool(format_name or model)
    if asked:
        verdicts = judge_by_model(
            run_directory, format_name, model, key=key, level=level, total=total, within_s=within_s
        )
    else:
        verdicts = judge(History.read(run_directory))
    stored = load_verdicts(run_directory) if run_directory.is_dir() and not asked else None
    if run_directory.is_dir() and not asked and (store or stored is None):
        store_verdicts(run_directory, verdicts)
    if for_programs:
        click.echo(json.dumps(to_json(verdicts), indent=1, ensure_ascii=False))
    else:
        _tell(verdicts)
        if stored is not None:
            _compare(stored, verdicts)
    sys.exit(exit_code(verdicts))


def _announce(path: Path) -> None:
    """Say that a large file takes a while."""
    file = path / FILE_NAME if path.is_dir() else path
    if file.exists() and file.stat().st_size > _LARGE_BYTES:
        click.echo(f"reading {file.stat().st_size / 2**20:.0f} MiB, then judging ...", err=True)


def judge_by_model(
    path: Path,
    format_name: str | None,
    model: str | None,
    *,
    key: str | None = None,
    level: str,
    total: float | None,
    within_s: float,
) -> tuple[Verdict, ...]:
    """The verdicts of one model on a file that others recorded, or, without a format, on a run of ours.

    Instants of a file of others are its lines.

    Raises UsageError for an unknown format or model, and for a line that cannot be read.
    """
    # Imported here: what others recorded is the rarer thing to judge.
    from harness.checks.consistency.by_model import MODELS, Question
    from harness.checks.consistency.operations import operations_from, operations_of
    from harness.checks.consistency.search import Limits
    from harness.formats.formats import FORMATS, read_operations

    if format_name is not None and format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: there are {', '.join(FORMATS)}")
    if model not in MODELS:
        raise UsageError(f"--model {model or 'is missing'}: there are {', '.join(MODELS)}")
    whole = True
    if format_name is None:
        history = History.read(path)
        whole = is_whole(history)
        operations = operations_of(history, key)
        at: Callable[[float], str] = clock_of(history).at
    elif path.is_dir():
        raise UsageError(f"{path} is a directory: --format needs a file")
    else:
        operations = operations_from(one for one in read_operations(path, format_name) if belongs_to(one.key, key))
        at = _line_of
    limits = Limits(within_s=within_s)
    return MODELS[model](Question(operations=operations, at=at, limits=limits, level=level, total=total, whole=whole))


def _line_of(number: float) -> str:
    return f"line {number:.0f}"


def _tell(verdicts: Sequence[Verdict]) -> None:
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.outcome):
        label = click.style(f"{verdict.outcome.name:8}", fg=COLOURS[verdict.outcome])
        click.echo(f"{label} {verdict.title}: {verdict.summary}")
        for finding in verdict.evidence:
            click.echo(f"           {finding.text}")
    outcome = ruling(verdicts)
    click.echo(f"\n{click.style(outcome.name, fg=COLOURS[outcome], bold=True)} ({len(verdicts)} checks)")


def _compare(stored: Sequence[Verdict], verdicts: Sequence[Verdict]) -> None:
    """Say whether these are the verdicts that were given when the run ended."""
    before = {verdict.title: verdict.outcome for verdict in stored}
    now = {verdict.title: verdict.outcome for verdict in verdicts}
    changed = [title for title in {**before, **now} if before.get(title) != now.get(title)]
    if not changed:
        click.echo("The verdicts are those that are stored with the run.")
    for title in changed:
        old, new = (outcomes[title].name if title in outcomes else "not judged" for outcomes in (before, now))
        click.echo(f"stored with the run: {title} {old}; now {new}")
