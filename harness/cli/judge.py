"""``harness judge``: judge a stored run again, from its history alone."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.checks.verdict import Outcome, Verdict
from harness.errors import UsageError
from harness.history import History
from harness.judge import exit_code, judge, load_verdicts, ruling, store_verdicts, to_json

COLOURS = {Outcome.HOLDS: "green", Outcome.UNKNOWN: "yellow", Outcome.VIOLATED: "red"}


@click.command("judge")
@click.argument("run_directory", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of text.")
@click.option("--store", is_flag=True, help="Replace the verdicts that are stored with the run by these.")
@click.option("--format", "format_name", help="The file is what others recorded: jepsen-log, edn or jsonl.")
@click.option("--model", help="What it is a history of: register, kv, set, queue, bank, append, counter or rw.")
@click.option("--key", help="Only the operations on this object, and on those below it (with --format).")
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

    With --format and --model: judge a file of operations that others recorded.

    The exit code is 0 when every promise holds, 1 when one is violated, 2 when it cannot be told.
    """
    if format_name or model:
        foreign = judge_foreign(run_directory, format_name, model, key=key, level=level, total=total, within_s=within_s)
        if for_programs:
            click.echo(json.dumps(to_json(foreign), indent=1, ensure_ascii=False))
        else:
            _tell(foreign)
        sys.exit(exit_code(foreign))
    verdicts = judge(History.read(run_directory))
    stored = load_verdicts(run_directory) if run_directory.is_dir() else None
    if run_directory.is_dir() and (store or stored is None):
        store_verdicts(run_directory, verdicts)
    if for_programs:
        click.echo(json.dumps(to_json(verdicts), indent=1, ensure_ascii=False))
    else:
        _tell(verdicts)
        if stored is not None:
            _compare(stored, verdicts)
    sys.exit(exit_code(verdicts))


def judge_foreign(
    path: Path,
    format_name: str | None,
    model: str | None,
    *,
    key: str | None = None,
    level: str,
    total: float | None,
    within_s: float,
) -> tuple[Verdict, ...]:
    """The verdicts on a file that others recorded. Instants are lines of the file.

    Raises UsageError for an unknown format or model, and for a line that cannot be read.
    """
    # Imported here: they bring numpy, which judging a stored run may do without.
    from harness.checks.consistency.by_model import MODELS, Question
    from harness.checks.consistency.operations import belongs_to, operations_from
    from harness.checks.consistency.search import Limits
    from harness.formats.formats import FORMATS, read_operations

    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name or 'is missing'}: there are {', '.join(FORMATS)}")
    if model not in MODELS:
        raise UsageError(f"--model {model or 'is missing'}: there are {', '.join(MODELS)}")
    if path.is_dir():
        raise UsageError(f"{path} is a directory: --format needs a file")
    question = Question(
        operations=operations_from(one for one in read_operations(path, format_name) if belongs_to(one.key, key)),
        at=lambda number: f"line {number:.0f}",
        limits=Limits(within_s=within_s),
        level=level,
        total=total,
    )
    return MODELS[model](question)


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
