"""``harness shrink``: the smallest plan that still violates what a stored run violated, also as a scenario."""

import asyncio
import sys
from pathlib import Path

import click

from harness.chaos.designing import changed, started_of
from harness.chaos.shrinker import Shrinker
from harness.chaos.written_out import scenario
from harness.history import History
from harness.plans.plan import to_json
from harness.plans.shrinking import Bounds, Shrunk
from harness.scenario import require_root

PLAN_FILE = "shrunk.json"
SCENARIO_FILE = "test_shrunk.py"
NOT_SHRUNK = 2


@click.command("shrink")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runs", type=click.IntRange(1, 10_000), default=150, show_default=True, help="At most so many runs.")
@click.option("--candidate-runs", type=click.IntRange(1, 100), default=12, show_default=True,
              help="At most so many runs of one candidate.")  # fmt: skip
@click.option("--false-alarm", type=click.FloatRange(0.001, 0.4), default=0.05, show_default=True,
              help="How often a candidate may be taken to fail that does not.")  # fmt: skip
@click.option("--missed", type=click.FloatRange(0.001, 0.4), default=0.1, show_default=True,
              help="How often one may be given up that does.")  # fmt: skip
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="Where to put the result (default: RUN)."
)
def shrink_command(
    *,
    run: Path,
    runs: int,
    candidate_runs: int,
    false_alarm: float,
    missed: float,
    into: Path | None,
) -> None:
    """Make the plan of a failed RUN as small as it can be and still fail.

    Candidates are run on real clusters of the same make, as often as it takes to tell. What is left is written
    down as a plan and as a scenario. Called again, it goes on where it was ended.

    The exit code is 2 when no run failed again.
    """
    require_root()
    bounds = Bounds(runs=runs, candidate_runs=candidate_runs, false_alarm=false_alarm, missed=missed)
    shrinker = Shrinker(run, bounds, click.echo)
    checks = sorted(shrinker.failure.checks)
    click.echo(f"to be violated again: {', '.join(checks)}")
    found = asyncio.run(shrinker.shrink())
    if not found.confirmed:
        click.echo(f"in {found.runs} runs it did not fail again: nothing to shrink (--candidate-runs for more)")
        sys.exit(NOT_SHRUNK)
    _write(found, run, into or run, checks)


def _write(found: Shrunk, run: Path, into: Path, checks: list[str]) -> None:
    into.mkdir(parents=True, exist_ok=True)
    software = {name: changed(name, had) for name, had in started_of(History.read(run), str(run)).software.items()}
    why = "nothing can be left out" if found.finished else "the bound on runs ended it"
    about = f"Shrunk from {run.name} in {found.runs} runs of {found.candidates} candidates: {why}."
    (into / PLAN_FILE).write_text(to_json(found.plan), encoding="utf-8")
    text = scenario(found.plan, PLAN_FILE, software, checks, about)
    (into / SCENARIO_FILE).write_text(text, encoding="utf-8")
    click.echo(about)
    for line in found.plan.told():
        click.echo(line)
    click.echo(f"plan: {into / PLAN_FILE}\nscenario: {into / SCENARIO_FILE} (pytest {into / SCENARIO_FILE})")
