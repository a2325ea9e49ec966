"""Ctrl-C, and again: a few lines and the exit code of an interrupt, whatever was left open. And workers left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.wait import until
from tests.test_pytest_plugin import CONFTEST, ROOT, run_suite

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


async def test_a_worker_whose_pytest_was_killed_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_it.py").write_text(
        "import pathlib, time\n"
        "def test_it():\n"
        "    pathlib.Path('begun').touch()\n"
        "    for _ in range(600):\n"
        "        time.sleep(0.1)\n"
    )
    begun = until((tmp_path / "begun").exists, within_s=90, every_s=0.1, what="the test begins")
    with _of_one_worker(tmp_path) as pytest_:
        try:
            await begun
        finally:
            pytest_.send_signal(signal.SIGTERM)
    await until(
        lambda: "pytest was killed" in (tmp_path / "said").read_text(),
        within_s=20,
        every_s=0.1,
        what="the worker says so",
    )
    text = (tmp_path / "said").read_text()
    assert text.count("harness: gw0: pytest was killed; what was under way here has been ended") == 1
    assert "Pluggy" not in text
    assert "Traceback" not in text


def _of_one_worker(directory: Path) -> "subprocess.Popen[bytes]":
    with (directory / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "1", "test_it.py"],
            cwd=directory,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
