"""Figures of a benchmark: median and spread, as a table for people."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, and every value, in seconds."""

    what: str
    values_s: tuple[float, ...]
    remark: str = ""


def in_ms(seconds: float) -> str:
    """A time in milliseconds, with as many digits as mean something."""
    ms = seconds * 1000
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def markdown(title: str, method: str, figures: Sequence[Figure]) -> str:
    """A section of the benchmark page."""
    release = platform.release().partition("-")[0]
    lines = [
        f"## {title}",
        "",
        method,
        "",
        f"Host: {platform.system()} {release}, {os.cpu_count()} cores.",
        "",
        "| what | runs | median ms | quartiles ms | least ms | worst ms | remark |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([*lines, *map(_row, figures), ""])


def _row(figure: Figure) -> str:
    values = sorted(figure.values_s)
    if not values:
        return f"| {figure.what} | 0 | - | - | - | - | {figure.remark or 'not shown here'} |"
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return (
        f"| {figure.what} | {len(values)} | {in_ms(statistics.median(values))} | "
        f"{in_ms(quartiles[0])} to {in_ms(quartiles[2])} | {in_ms(values[0])} | {in_ms(values[-1])} | {figure.remark} |"
    )
