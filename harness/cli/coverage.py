"""``harness coverage``: what stored runs have covered, and which pairs they have not."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.chaos.offered import chosen, offers
from harness.errors import HarnessError, UsageError
from harness.history import FILE_NAME, History
from harness.plans.coverage import PHASES, ROLES, Coverage, uncovered
from harness.plans.covering import wanted_pairs

_SHOWN = 40


@click.command("coverage")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--faults", multiple=True, metavar="NAME", help="Only pairs of these faults or families.")
@click.option("--all", "all_pairs", is_flag=True, help="List every pair that is missing.")
def coverage_command(runs: tuple[Path, ...], faults: tuple[str, ...], all_pairs: bool) -> None:
    """Say which faults hit which roles in which phases in stored RUNS (directories of runs, or of many of them)."""
    coverage = read(runs)
    known = [one for one in chosen(faults) if one.drawable]
    names = [*dict.fromkeys([*(one.name for one in known), *coverage.values("fault")])]
    console = Console(width=None if Console().is_terminal else 140)
    console.print(_matrix(coverage, names))
    for factor in ("topology", "engine", "profile"):
        click.echo(f"{factor}: {', '.join(one or '(none)' for one in coverage.values(factor)) or '-'}")
    wanted = wanted_pairs(known)
    missing = uncovered(coverage, wanted)
    click.echo(f"{coverage.runs} runs; {len(wanted) - len(missing)} of {len(wanted)} pairs covered")
    for (one, left), (other, right) in missing if all_pairs else missing[:_SHOWN]:
        click.echo(f"  not covered: {one} {left}, {other} {right}")
    if len(missing) > _SHOWN and not all_pairs:
        click.echo(f"  and {len(missing) - _SHOWN} more (--all)")


def read(paths: Iterable[Path]) -> Coverage:
    """The coverage of all runs in these directories. Raises UsageError where there is none."""
    coverage = Coverage(frozenset(name for name, one in offers().items() if not one.aims))
    for directory in _runs(paths):
        try:
            coverage.take(History.read(directory))
        except HarnessError as error:  # of a later version, or damaged: the others count all the same
            click.echo(f"harness: left out: {error}", err=True)
    if not coverage.runs:
        raise UsageError(f"{', '.join(map(str, paths))}: there is no run that could be read")
    return coverage


def _runs(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        found = [path] if path.is_file() else sorted(path.rglob(FILE_NAME))
        yield from (one.parent if one.name == FILE_NAME else one for one in found)


def _matrix(coverage: Coverage, names: list[str]) -> Table:
    table = Table("fault", *ROLES, *PHASES, title="how often each fault bit: by role, by phase")
    for fault, counts in coverage.matrix(names):
        table.add_row(fault, *(str(count) if count else "-" for count in counts))
    return table
