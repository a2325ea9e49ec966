"""The command line as a person calls it, and a cluster that it started."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner

from harness.cli.main import group
from harness.errors import HarnessError
from harness.reap import leftovers

ROOT = Path(__file__).parents[2]
HARNESS = (sys.executable, "-m", "harness.cli.main")


SILENT_S = 120.0
"""Whatever it does, it says something in this time, unless it waits for others."""
WAITS = b"waiting until other clusters leave room"
"""For as long as those take: how long that is nobody here can say."""


def harness(
    *words: str, stdin: str = "", cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call it to its end, however long that takes: but not for one that has hung."""
    command, given, said = [*HARNESS, *words], stdin.encode() or None, (b"", b"")
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while True:
            try:
                said = process.communicate(given, timeout=SILENT_S)
                break
            except subprocess.TimeoutExpired as late:
                now = (late.output or b"", late.stderr or b"")
                if now == said and not now[0].rstrip().endswith(WAITS):
                    process.kill()
                    raise
                given, said = None, now
    out, err = (one.decode().replace("\r\n", "\n") for one in said)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def refused(*words: str) -> str:
    """What it says of a mistake, called in this process: for what has to be refused before anything begins."""
    done = CliRunner().invoke(group, words)
    if isinstance(done.exception, HarnessError):
        return str(done.exception)
    assert done.exit_code == 2, done.output
    return done.output


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
