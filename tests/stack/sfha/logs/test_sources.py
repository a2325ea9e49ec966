"""Log files as they are found: long, growing, cut, replaced; and journald by its own protocol."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.stack.sfha.logs.core import Record
from harness.stack.sfha.logs.event_log import EventLog, without_secrets
from harness.stack.sfha.logs.sources import read_file

PATIENCE_S = 10


def fill(path: Path, numbers: range, *, at: str = "2026-02-25T12:00:{:02d}+00:00") -> None:
    with path.open("a") as log:
        for number in numbers:
            log.write(json.dumps({"at": at.format(number % 60), "node": "n1", "event": f"e{number}"}) + "\n")


def events(records: Iterator[Record]) -> list[str]:
    return [record.event for record in records]


def test_the_last_ones_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "sfha.log"
    fill(path, range(5000))
    assert events(read_file(path, 3, None, False)) == ["e4997", "e4998", "e4999"]
    assert events(read_file(path, 0, None, False)) == []
    assert len(events(read_file(path, 100_000, None, False))) == 5000
    assert len(events(read_file(path, None, None, False))) == 5000


def test_those_since_then_and_only_the_last_of_them(tmp_path: Path) -> None:
    path = tmp_path / "sfha.log"
    fill(path, range(60))
    since_s = next(read_file(path, 5, None, False)).at_s
    assert since_s is not None
    assert events(read_file(path, None, since_s, False)) == ["e55", "e56", "e57", "e58", "e59"]
    assert events(read_file(path, 2, since_s, False)) == ["e58", "e59"]


def test_half_a_line_and_foreign_text_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "sfha.log"
    fill(path, range(2))
    with path.open("a") as log:
        log.write('Traceback (most recent call last):\n{"event": "half')
    assert events(read_file(path, None, None, False)) == ["e0", "e1"]


def test_following_sees_what_comes_also_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "sfha.log"
    fill(path, range(2))
    following = read_file(path, 1, None, True)
    with ThreadPoolExecutor(1) as pool:

        def next_event() -> str:
            return pool.submit(lambda: next(following).event).result(PATIENCE_S)

        assert next_event() == "e1"
        fill(path, range(2, 4))
        assert [next_event(), next_event()] == ["e2", "e3"]
        path.write_text("")  # copytruncate
        fill(path, range(4, 5))
        assert next_event() == "e4"
        path.rename(tmp_path / "sfha.log.1")  # rename and create
        fill(path, range(5, 6))
        assert next_event() == "e5"


def test_following_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "sfha.log"
    following = read_file(path, 10, None, True)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: next(following).event)
        fill(path, range(1))
        assert coming.result(PATIENCE_S) == "e0"


def test_the_daemons_log_has_the_time_of_the_wall_and_reaches_journald(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "journal"))
        journald.settimeout(PATIENCE_S)
        log = EventLog("n1", tmp_path / "sfha.log", str(tmp_path / "journal"))
        log("vip-released", vip="web", address="10.0.0.1")
        entry = dict(line.split("=", 1) for line in journald.recv(65536).decode().splitlines())
    assert entry["MESSAGE"] == "VIP web: 10.0.0.1 taken away here"
    assert entry["SYSLOG_IDENTIFIER"] == "sfha"
    (record,) = read_file(tmp_path / "sfha.log", None, None, False)
    assert json.loads(entry["SFHA_EVENT"]) == json.loads(record.line)
    assert record.at_s is not None
    log("daemon-stopped")  # nobody listens any more: no harm


@pytest.mark.parametrize(
    "secret",
    ["sfha-join://eyJ2IjoxfQ.abc-_", "sfha-reply://abc", "4BD0kyaeRFJQ6wOGWnfAQHqb0oIxsF1pYmJmTzEyMzQ="],
)
def test_no_secret_gets_into_the_log(secret: str, tmp_path: Path) -> None:
    log = EventLog("n1", tmp_path / "sfha.log")
    log("warning", what="join", message=f"cannot use {secret!r}: tampered", deep={"again": [secret]})
    line = (tmp_path / "sfha.log").read_text()
    assert secret not in line
    assert line.count("[secret]") == 2
    assert json.loads(line)["message"] == "cannot use '[secret]': tampered"


def test_what_is_no_secret_stays() -> None:
    kept = "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 of /usr/lib/sfha/harness/stack"
    assert without_secrets(kept) == kept
