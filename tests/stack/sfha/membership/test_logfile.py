"""Corosync starts whether or not its log can be written."""

import os
import signal
from pathlib import Path

import pytest

from harness.stack.sfha.membership import corosync
from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.logfile import can_log


def test_a_log_that_can_be_written_and_one_that_cannot(tmp_path: Path) -> None:
    assert can_log(tmp_path / "corosync" / "corosync.log")
    assert not can_log(tmp_path / "corosync")
    assert not can_log(Path("/proc/corosync.log"))


def test_corosync_is_not_told_of_a_file_that_it_could_not_open() -> None:
    text = render_corosync_conf("demo", [RingNode(1, "n1", "10.90.0.1", 1)], Totem("udpu", 150, 180), "")
    assert "to_logfile: no" in text
    assert "to_stderr: yes" in text
    assert "  logfile:" not in text


def test_it_is_started_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "corosync"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "authkey").write_bytes(b"key")
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(corosync, "running", lambda _pid_file: False)
    pid = corosync.start(tmp_path, tmp_path / "log", tmp_path / "run" / "pid")
    assert Path(f"/proc/{pid}").exists()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
