"""Waiting for a daemon that was started: why it is no use to wait any longer, by real processes and files."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.sfha.admin import daemon_start
from harness.stack.sfha.admin.daemon_start import (
    Started,
    StartFailed,
    began_now,
    daemon_process,
    text_since,
    wait_until_up,
)
from harness.stack.sfha.membership import corosync, logfile

NOBODY = 2**22 - 1
WORDS = "Nov 29 error   [MAIN  ] parser error: line 3\nNov 29 error   [MAIN  ] Corosync exiting with status 8"


@pytest.fixture
def began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Files of this test's own, and everything that was said before now."""
    for owner, name in (
        *((daemon_start, "CONSOLE"), (daemon_start, "LOG_PATH"), (daemon_start, "SYSTEMD")),
        *((logfile, "LOG_FILE"), (corosync, "PID_FILE")),
    ):
        monkeypatch.setattr(owner, name, tmp_path / name)
    monkeypatch.setattr(corosync, "running", lambda: False)
    (tmp_path / "CONSOLE").write_text("sfha: of an earlier start\n")
    (tmp_path / "LOG_FILE").write_text("Nov 28 error [MAIN  ] of an earlier start\n")
    return began_now()


def wait(began: Started) -> str:
    with pytest.raises(StartFailed) as failed:
        wait_until_up("wg-none", "10.90.0.1", 0, lambda _key: None, began)
    return str(failed.value.why)


def test_a_daemon_that_ended_is_not_waited_for_and_its_words_are_told(began: Started) -> None:
    script = "print('sfha: no room')"
    with daemon_start.CONSOLE.open("a") as console:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=console)
    assert wait(replace(began, process_id=process.pid)) == "the daemon cannot be started: no room"
    process.wait()


def test_a_corosync_that_ended_is_not_waited_for_and_its_words_are_told(began: Started) -> None:
    with logfile.LOG_FILE.open("a") as log:
        log.write(WORDS)
    corosync.PID_FILE.write_text(str(NOBODY))
    os.utime(corosync.PID_FILE, (began.at_s + 1, began.at_s + 1))
    assert wait(began) == f"Corosync did not start: parser error: line 3 (see {logfile.LOG_FILE})"


def test_what_an_earlier_start_left_is_no_end(began: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    corosync.PID_FILE.write_text(str(NOBODY))
    os.utime(corosync.PID_FILE, (began.at_s - 1, began.at_s - 1))
    monkeypatch.setattr(daemon_start, "INTERFACE_WITHIN_S", 0.05)
    assert wait(began) == "this was not reached within 0.05 s: WireGuard interface wg-none up"


def test_a_log_that_was_made_anew_is_read_from_its_beginning(began: Started) -> None:
    logfile.LOG_FILE.write_text("new")
    assert text_since(logfile.LOG_FILE, began.corosync_bytes) == "new"
    assert text_since(logfile.LOG_FILE.with_name("none"), 0) == ""


def test_only_a_process_of_sfha_is_the_daemon(tmp_path: Path) -> None:
    pid_file = tmp_path / "sfha.pid"
    assert daemon_process(pid_file) is None
    other = subprocess.Popen(["sleep", "60"])
    try:
        for text in ("", "x", f"{NOBODY}\n", f"{other.pid}\n"):
            pid_file.write_text(text)
            assert daemon_process(pid_file) is None
    finally:
        other.kill()
        other.wait()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "sfha", "run"])
    try:
        pid_file.write_text(f"{process.pid}\n")
        while daemon_process(pid_file) != process.pid:
            assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert daemon_process(pid_file) is None
