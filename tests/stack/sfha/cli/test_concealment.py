"""A token on the command line does not stay in the process list."""

import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "sfha-join://eyJ2IjoxLCJrZXkiOiJzZWNyZXQifQ"
SHOW = """import sys
from harness.stack.sfha.cli.concealment import conceal
conceal(sys.argv[1:])
sys.stdout.write(open("/proc/self/cmdline").read().replace(chr(0), " ") + "|" + sys.argv[2])
"""


@pytest.mark.parametrize("token", [TOKEN, TOKEN.replace("join", "reply")])
def test_it_is_blotted_out_and_still_known(token: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, "join", token, "--ip", "10.90.0.7"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    shown, _, known = done.stdout.rpartition("|")
    assert token not in shown
    assert shown.endswith(f" join {'x' * len(token)} --ip 10.90.0.7 ")
    assert known == token
