"""The audit log on a real disk: written, torn, changed, cut off, gone."""

import json
from pathlib import Path

import pytest

from harness.stack.storage.daemon.audit import HEAD, LOG, AuditLog


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path)
    for number in range(4):
        log.write("anna", "approved", f"reason {number}", request=f"r{number}")
    return log


def test_it_is_as_it_was_written_also_for_the_next_process(log: AuditLog, tmp_path: Path) -> None:
    assert log.verify() == []
    AuditLog(tmp_path).write("bert", "refused")
    assert log.verify() == []
    head = log.head()
    assert head is not None
    assert head.lines == 5
    log.write("bert", "approved")
    log.write("bert", "approved")
    assert log.verify(head) == [], "a head that was kept is in a log that has grown since"
    assert (tmp_path / LOG).stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_tore_is_cut_off_and_the_next_one_follows(log: AuditLog, tmp_path: Path) -> None:
    with open(tmp_path / LOG, "ab") as file:
        file.write(b'{"n":5,"at":"2026')
    assert log.verify() == []
    log.write("bert", "refused")
    assert log.verify() == []
    assert len((tmp_path / LOG).read_bytes().splitlines()) == 5


def test_a_crash_between_line_and_head_is_no_fault(log: AuditLog, tmp_path: Path) -> None:
    before = (tmp_path / HEAD).read_bytes()
    log.write("bert", "refused")
    (tmp_path / HEAD).write_bytes(before)
    assert log.verify() == []
    log.write("bert", "approved")
    assert log.verify() == []


def test_what_somebody_did_to_it_is_named_by_its_line(log: AuditLog, tmp_path: Path) -> None:
    lines = (tmp_path / LOG).read_bytes().splitlines(keepends=True)
    changed = json.dumps(json.loads(lines[1]) | {"who": "somebody else"}).encode() + b"\n"
    for content, line, what in (
        ([lines[0], changed, *lines[2:]], 2, "was changed"),
        ([lines[0], *lines[2:]], 2, "entries 2 to 2 were cut out"),
        ([*lines[:2], lines[1], *lines[2:]], 3, "a second time"),
        (lines[:-1], 4, "the end was cut off"),
        ([b"x\n", *lines], 1, "is no entry"),
    ):
        (tmp_path / LOG).write_bytes(b"".join(content))
        faults = log.verify()
        assert any(one.line == line and what in one.what for one in faults), faults


def test_without_its_head_nobody_says_that_it_is_whole(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / HEAD).unlink()
    assert "cannot be told" in log.verify()[0].what
    (tmp_path / HEAD).write_text("{}")
    assert "cannot be understood" in log.verify()[0].what


def test_a_head_that_was_kept_elsewhere_finds_a_log_that_was_written_anew(log: AuditLog, tmp_path: Path) -> None:
    seen = log.head()
    assert seen is not None
    (tmp_path / LOG).unlink()
    (tmp_path / HEAD).unlink()
    for number in range(6):
        log.write("anna", "approved", f"another reason {number}")
    assert log.verify() == []
    assert [one.line for one in log.verify(seen)] == [4]
