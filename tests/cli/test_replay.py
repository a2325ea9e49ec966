"""``harness replay`` of a run that failed: it fails again, in the same way."""

import os
import shutil
from pathlib import Path

import pytest

from harness.chaos.shrinker import failure_of, hints
from harness.history import FILE_NAME, History
from harness.plans.replaying import performance_of
from tests.cli.clusters import harness
from tests.stored_runs import lines_of

STORED = Path(__file__).parent / "failed_run"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of sfha with a defect that takes two faults: a node that had lost power lost its cable as well."""
    run = tmp_path / "stored"
    run.mkdir()
    (run / FILE_NAME).write_bytes(b"".join(lines_of(STORED)))
    shutil.copy(STORED / "verdicts.json", run)
    return run


def test_what_is_to_fail_again_is_known_and_so_is_what_led_to_it(run: Path) -> None:
    failure = failure_of(run)
    assert "one_holder" in failure.checks
    earlier, exact = hints(performance_of(History.read(run)), failure)
    assert [(one.fault, one.aims) for one in exact.steps] == [("kill", ("n3",)), ("unplug", ("n3",))]
    assert earlier == exact


@pytest.mark.thorough
@pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
def test_performed_again_it_fails_again(run: Path, tmp_path: Path) -> None:
    done = harness("replay", str(run), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "VIOLATED one_holder" in done.stdout
    assert "2 of 2 steps took place" in done.stdout
