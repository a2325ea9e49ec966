"""What the clients of the failover test note, and what is made of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.stack.dataservices.galera import failover_client
from harness.stack.dataservices.galera.failover_client import (
    acknowledged,
    acknowledged_in,
    compare,
    longest_pause_s,
    password_of,
)


def test_a_line_that_was_not_written_to_its_end_counts_for_nothing() -> None:
    assert acknowledged_in("1 5.0\n2 5.5\n3 6.") == [(1, 5.0), (2, 5.5)]
    assert acknowledged_in("") == []


def test_the_longest_pause() -> None:
    assert longest_pause_s([1.0, 1.5, 4.0, 4.25]) == 2.5
    assert longest_pause_s([]) == 0.0


def test_the_password_is_that_of_the_application() -> None:
    assert password_of("MARIADB_CHECK_PASSWORD=a\nMARIADB_APP_PASSWORD=b\n") == "b"


def test_only_what_was_acknowledged_since_counts(tmp_path: Path) -> None:
    now_s = time.monotonic()
    (tmp_path / "10.0.0.21,3306").write_text(f"1 {now_s - 60}\n2 {now_s + 60}\n")
    assert acknowledged(tmp_path, 2, "10.0.0.21,3306")
    (tmp_path / "since").touch()
    assert not acknowledged(tmp_path, 2, "10.0.0.21,3306")
    assert acknowledged(tmp_path, 1, "10.0.0.21,3306")
    assert not acknowledged(tmp_path, 1, "10.0.0.22,3306")


def test_what_a_server_has_not_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "10.0.0.21,3306").write_text("1 1.0\n2 1.5\n")
    monkeypatch.setattr(failover_client, "held", lambda *_: {1, 2, 3})
    compare(tmp_path, "secrets", ["10.0.0.11,3306"])
    assert capsys.readouterr().out == "10.0.0.21,3306: 2 writes acknowledged, none lost, longest pause 0.5 s\n"
    monkeypatch.setattr(failover_client, "held", lambda *_: {1})
    with pytest.raises(SystemExit, match=r"10\.0\.0\.11,3306 has 1 of 2 acknowledged writes not"):
        compare(tmp_path, "secrets", ["10.0.0.11,3306"])


def test_it_stands_on_its_own() -> None:
    done = subprocess.run([sys.executable, failover_client.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Usage:" in done.stderr
