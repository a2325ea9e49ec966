"""``harness judge``: judge a stored run again, from its history alone."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.checks.verdict import Outcome, Verdict
from harness.history import History
from harness.judge import exit_code, judge, load_verdicts, ruling, store_verdicts, to_json

COLOURS = {Outcome.HOLDS: "green", Outcome.UNKNOWN: "yellow", Outcome.VIOLATED: "red"}


@click.command("judge")
@click.argument("run_directory", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of text.")
@click.option("--store", is_flag=True, help="Replace the verdicts that are stored with the run by these.")
def judge_command(run_directory: Path, for_programs: bool, store: bool) -> None:
    """Judge the run stored in RUN_DIRECTORY (or a history file) again.

    The exit code is 0 when every promise holds, 1 when one is violated, 2 when it cannot be told.
    """
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
