"""Ctrl-C, and again: a few lines and the exit code of an interrupt, whatever was left open."""

import os
from pathlib import Path

import pytest

from tests.test_pytest_plugin import CONFTEST, run_suite

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
STRICT = ("-W", "error::pytest.PytestUnraisableExceptionWarning", "-p", "no:hypothesispytest")
# What is held in a circle is collected late: when its event loop is closed, and pytest is about to end.
INTERRUPTED_TWICE = """
import os
import signal

async def test_it(cluster):
    for _ in range(3):
        process = await asyncio.create_subprocess_exec("sleep", "3", stdout=asyncio.subprocess.PIPE)
        process.circle = process
        del process
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
"""
AND_AGAIN = """
import os
import signal

def pytest_sessionfinish():
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_second_ctrl_c_is_an_interrupt_and_no_failure(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, INTERRUPTED_TWICE, *STRICT)
    assert code == pytest.ExitCode.INTERRUPTED, said
    assert "Event loop is closed" not in said
    assert "Traceback" not in said
    assert "ExceptionGroup" not in said
    assert said.count("KeyboardInterrupt") <= 3


def test_one_more_while_the_session_ends_is_one_line(tmp_path: Path) -> None:
    code, said = run_suite(tmp_path, INTERRUPTED_TWICE, *STRICT, conftest=CONFTEST + AND_AGAIN)
    assert code == pytest.ExitCode.INTERRUPTED, said
    assert "Traceback" not in said
    last = [line for line in said.splitlines() if line][-1]
    assert last == "harness: interrupted again: ended without a report; what the clusters left is being removed"
