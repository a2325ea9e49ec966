import json
from pathlib import Path

from harness.stack.eventlog import EventLog

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
    EventLog("n1", Path("/dev/full"), NO_JOURNAL)("leader-elected", leader=1)
