"""``harness replay``: the plan of a stored run once more, on the same targets at the same moments."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.chaos.candidate import same_make
from harness.chaos.session import RUNS, perform, run_directory
from harness.cli.judge import tell
from harness.engines.choice import ENGINES
from harness.errors import UsageError
from harness.history import History
from harness.judge import exit_code
from harness.plans.plan import OnEvent
from harness.plans.replaying import Performance, again, deviations, performance_of
from harness.scenario import require_root


@click.command("replay")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--engine", type=click.Choice(ENGINES), help="On another engine than the run's.")
@click.option("--image", help="The name of an image definition, a TOML file, or a directory.")
@click.option("--runs", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="Where runs are stored.")
@click.option("--keep-on-failure", is_flag=True, help="Leave the cluster of a failed run up.")
def replay_command(run: Path, engine: str | None, image: str | None, runs: Path, keep_on_failure: bool) -> None:
    """Perform the plan of a stored RUN again, on a new cluster of the same make.

    Steps hit the nodes that they hit then, by name, at the moments when they began then; those that waited for an
    event wait for it again. How far moments deviate is said in the end.

    The exit code is that of the new run's verdict: 0 holds, 1 violated, 2 it cannot be told.
    """
    require_root()
    before = performance_of(History.read(run), str(run))
    plan = again(before)
    if not plan.steps and not plan.operations:
        raise UsageError(f"{run}: no step of its plan took place: there is nothing to repeat")
    directory = run_directory(runs, f"replay-{run.name}")
    made = same_make(run, directory, what="replay of", engine=engine, image=image)
    click.echo(f"run: {directory}")
    ruling = perform(made, plan, say=click.echo, at_least=len(plan.steps), keep_on_failure=keep_on_failure)
    tell(ruling.verdicts)
    _tell_deviations(before, performance_of(History.read(directory), str(directory)))
    sys.exit(exit_code(ruling.verdicts))


def _tell_deviations(before: Performance, now: Performance) -> None:
    """How far the moments of two runs are apart."""
    by_event = {one.name: one.start.event for one in before.plan.steps if isinstance(one.start, OnEvent)}
    table = Table("step", "starts", "then", "now", "deviation")
    for step, then_s, by_s in deviations(before, now):
        starts = f"on {by_event[step]}" if step in by_event else "at a moment"
        table.add_row(step, starts, f"{then_s:.3f} s", f"{then_s + by_s:.3f} s", f"{by_s * 1000:+.1f} ms")
    Console().print(table)
