"""The command line as a person calls it, and a cluster that it started."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.reap import leftovers

ROOT = Path(__file__).parents[2]
HARNESS = (sys.executable, "-m", "harness.cli.main")


def harness(
    *words: str, stdin: str = "", cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call it to its end."""
    return subprocess.run(
        [*HARNESS, *words],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def up(*words: str) -> Iterator[str]:
    """A cluster, by its run id; gone without a trace afterwards."""
    done = harness("up", *words)
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.split()[1]
    try:
        yield run_id
    finally:
        done = harness("down", run_id)
        assert done.returncode == 0, done.stderr
        assert leftovers(run_id) == []
