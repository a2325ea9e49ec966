import json
import os
import time
from pathlib import Path

import pytest

from harness.stack.sfha.logs import event_log
from harness.stack.sfha.logs.event_log import EventLog

NO_JOURNAL = "/nonexistent"


def test_each_event_is_one_line(tmp_path: Path) -> None:
    log = EventLog("n1", tmp_path / "sfha.log", NO_JOURNAL)
    log("lease-acquired", number=7)
    log("lease-lost", reason="line\nbreak")
    first, second = map(json.loads, (tmp_path / "sfha.log").read_text().splitlines())
    assert (first["node"], first["event"], first["number"]) == ("n1", "lease-acquired", 7)
    assert second["reason"] == "line\nbreak"
    assert first["t_s"] <= second["t_s"]


def test_a_full_disk_does_not_keep_anybody_from_what_is_logged() -> None:
    log = EventLog("n1", Path("/dev/full"), NO_JOURNAL)
    log("leader-elected", leader=1)
    assert log.trouble == "/dev/full: No space left on device"


def test_a_disk_that_hangs_keeps_nobody_who_logs(tmp_path: Path) -> None:
    pipe = tmp_path / "sfha.log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    log = EventLog("n1", pipe, NO_JOURNAL)
    log.write_elsewhere()
    for number in range(2000):  # more than a pipe takes: whoever writes there waits from then on
        log("lease-acquired", number=number, padding="x" * 100)
    log.flush(within_s=0.01)
    read = b""
    deadline_s = time.monotonic() + 15
    while read.count(b"\n") < 2000 and time.monotonic() < deadline_s:
        try:
            read += os.read(reader, 1 << 16)
        except BlockingIOError:
            time.sleep(0.001)
    os.close(reader)
    assert [json.loads(line)["number"] for line in read.splitlines()] == list(range(2000))


def test_what_was_logged_is_written_before_the_end(tmp_path: Path) -> None:
    log = EventLog("n1", tmp_path / "sfha.log", NO_JOURNAL)
    log.write_elsewhere()
    for number in range(100):
        log("lease-acquired", number=number)
    log.flush()
    log("daemon-stopped")
    lines = (tmp_path / "sfha.log").read_text().splitlines()
    assert [json.loads(line).get("number") for line in lines] == [*range(100), None]


def test_a_file_that_cannot_be_opened_keeps_nobody_from_running(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A directory of its name: lines go to the console, and it is said why."""
    path = tmp_path / "sfha.log"
    path.mkdir()
    log = EventLog("n1", path, NO_JOURNAL)
    log("lease-acquired", number=7)
    assert log.trouble == f"{path}: Is a directory"
    assert json.loads(capfd.readouterr().err)["number"] == 7


def test_it_is_written_again_when_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "OPEN_AGAIN_AFTER_S", 0.0)
    path = tmp_path / "sfha.log"
    path.mkdir()
    log = EventLog("n1", path, NO_JOURNAL)
    log("lease-acquired", number=7)
    path.rmdir()
    log("lease-acquired", number=8)
    assert log.trouble is None
    assert '"number": 8' in path.read_text()
