"""What the clients of the failover test note, and what is made of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.stack.dataservices.rabbitmq import failover_client
from harness.stack.dataservices.rabbitmq.failover_client import (
    compare,
    confirmed,
    confirmed_in,
    longest_pause_s,
    password_of,
)


def test_a_line_that_was_not_written_to_its_end_counts_for_nothing() -> None:
    assert confirmed_in("1 5.0\n2 5.5\n3 6.") == [(1, 5.0), (2, 5.5)]
    assert confirmed_in("") == []


def test_the_longest_pause() -> None:
    assert longest_pause_s([1.0, 1.5, 4.0, 4.25]) == 2.5
    assert longest_pause_s([]) == 0.0


def test_the_password_is_that_of_the_application() -> None:
    assert password_of("RABBITMQ_ADMIN_PASSWORD=a\nRABBITMQ_APP_PASSWORD=b\n") == "b"


def test_only_what_was_confirmed_since_counts(tmp_path: Path) -> None:
    now_s = time.monotonic()
    assert not confirmed(tmp_path, 1)
    (tmp_path / "confirmed").write_text(f"1 {now_s - 60}\n2 {now_s + 60}\n")
    assert confirmed(tmp_path, 2)
    (tmp_path / "since").touch()
    assert not confirmed(tmp_path, 2)
    assert confirmed(tmp_path, 1)


def test_what_was_not_delivered_is_said_and_what_was_delivered_again_too(tmp_path: Path) -> None:
    (tmp_path / "confirmed").write_text("1 1.0\n3 1.5\n")
    (tmp_path / "taken").write_text("1\n2\n3\n3\n")
    assert compare(tmp_path) == "2 messages confirmed, none lost, 1 delivered again, longest pause 0.5 s"
    (tmp_path / "taken").write_text("1\n2\n")
    with pytest.raises(SystemExit, match="1 of 2 confirmed messages were not delivered"):
        compare(tmp_path)


def test_it_stands_on_its_own() -> None:
    done = subprocess.run([sys.executable, failover_client.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Usage:" in done.stderr
