"""Scenarios per hour with one, two and four workers side by side."""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.bench.figures import table
from harness.clock import now_s

METHOD = (
    "The same scenarios by pytest, with as many xdist workers; clusters beyond what the host stands wait (see "
    "harness/admission.py) until the nodes of another are gone: more "
    "workers than that only prepare. Time is that of the whole session, interpreter, report and judging included."
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*::(\S+)", re.MULTILINE)
_COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def counted(output: str) -> dict[str, int]:
    """How many passed, failed and were skipped, from the last line of a pytest session that counts them."""
    for line in reversed(output.splitlines()):
        if found := _COUNTED.findall(line):
            return {kind: int(number) for number, kind in found}
    return {}


def why(output: str) -> str:
    """Which scenarios a pytest session that did not pass names as failed, or else what it counted."""
    return ", ".join(_FAILED.findall(output)) or str(counted(output) or "nothing ran")


def run(workers: Sequence[int], options: Sequence[str], directory: Path, say: Callable[[str], None]) -> str:
    """A table: one row a number of workers. ``options`` choose the scenarios, as pytest's."""
    rows: list[tuple[str, ...]] = []
    for count in workers:
        say(f"{count} workers: {' '.join(options)}")
        command = [sys.executable, "-m", "pytest", *options, "-n", str(count), "--runs", str(directory / str(count))]
        began_s = now_s()
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        took_s = now_s() - began_s
        kinds = counted(done.stdout)
        ran = kinds.get("passed", 0) + kinds.get("failed", 0)
        verdict = "all passed" if done.returncode == 0 else f"exit code {done.returncode}: {why(done.stdout)}"
        rows.append((str(count), str(ran), f"{took_s:.0f}", f"{ran / took_s * 3600:.0f}", verdict))
    header = ("workers", "scenarios", "s", "scenarios an hour", "outcome")
    return table("Scenarios per hour", f"{METHOD} Scenarios: `pytest {' '.join(options)}`.", header, rows)
