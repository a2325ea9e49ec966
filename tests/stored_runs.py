"""Runs of real nodes that were recorded and judged by earlier versions of the harness."""

import lzma
from pathlib import Path

from harness.checks.verdict import Verdict
from harness.history import History, decode_lines
from harness.judge import load_verdicts

RUNS = sorted(path.parent for path in (Path(__file__).parent / "stored").glob("*/*/history.jsonl.xz"))


def lines_of(run: Path) -> list[bytes]:
    """The lines of a run's history, in the order in which they were written."""
    return lzma.decompress((run / "history.jsonl.xz").read_bytes()).splitlines(keepends=True)


def history_of(lines: list[bytes]) -> History:
    """The history that these lines are."""
    return History(decode_lines(lines, "stored"))


def verdicts_of(run: Path) -> tuple[Verdict, ...]:
    """The verdicts that were given when the run ended."""
    verdicts = load_verdicts(run)
    assert verdicts
    return verdicts
