"""Figures of a benchmark: median and spread, as a table for people."""

import os
import platform
import statistics
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, and every value, in seconds."""

    what: str
    values_s: tuple[float, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows for the table of times, and lines of what is no time."""

    figures: list[Figure]
    lines: list[str]


def chosen(only: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that contain this text. Raises UsageError where none does: there would be nothing to measure."""
    known = tuple(names)
    found = tuple(name for name in known if only in name)
    if not found:
        raise UsageError(f"--only {only}: nothing that is measured is called so; there are: {', '.join(known)}")
    return found


def in_ms(seconds: float) -> str:
    """A time in milliseconds, with as many digits as mean something."""
    ms = seconds * 1000
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def markdown(title: str, method: str, figures: Sequence[Figure]) -> str:
    """A section of the benchmark page."""
    header = ("what", "runs", "median ms", "quartiles ms", "least ms", "worst ms", "remark")
    return table(title, method, header, [_row(figure) for figure in figures])


def table(title: str, method: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A section of the benchmark page with columns of its own; all but the first and the last are numbers."""
    release = platform.release().partition("-")[0]
    host = f"Host: {platform.system()} {release}, {os.cpu_count()} cores."
    return "\n".join([f"## {title}", "", method, "", host, "", *grid(header, rows, header[1:-1]), ""])


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str]) -> list[str]:
    """The lines of a table in Markdown; columns of ``numbers`` are set to the right."""
    edges = ["---:" if name in numbers else "---" for name in header]
    return [_line(header), _line(edges), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(figure: Figure) -> tuple[str, ...]:
    values = sorted(figure.values_s)
    if not values:
        return (figure.what, "0", "-", "-", "-", "-", figure.remark or "not shown here")
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    spread = f"{in_ms(quartiles[0])} to {in_ms(quartiles[2])}"
    return (
        figure.what, str(len(values)), in_ms(statistics.median(values)), spread, in_ms(values[0]), in_ms(values[-1]),
        figure.remark,
    )  # fmt: skip
