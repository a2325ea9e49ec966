"""The suite of a stranger runs on the wheel, in an environment that has nothing else, far from this tree."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
def test_a_strangers_suite_holds_on_the_wheel() -> None:
    done = subprocess.run(
        [ROOT / ".ci/stranger"], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "2 passed" in said
    assert "2 scenarios: 1 holds, 1 caught" in said
    assert "promises: 2 shown" in said
    assert "2 tests collected" in said
