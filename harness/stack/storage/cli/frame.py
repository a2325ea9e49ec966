"""What several commands need: the places, tables and lines."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..places import Places

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def places_of(options: argparse.Namespace) -> Places:
    """From --state and --run."""
    return Places(options.state.absolute(), options.run.absolute())


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows in columns."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say(line: str) -> None:
    """One line on stdout, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
