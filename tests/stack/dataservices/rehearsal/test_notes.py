"""What clients of the failover tests note."""

import time
from pathlib import Path

from harness.stack.dataservices.rehearsal.notes import acknowledged_in, enough, longest_pause_s, main, secret_in


def test_a_line_that_was_not_written_to_its_end_counts_for_nothing() -> None:
    assert acknowledged_in("1 5.0\n2 5.5\n3 6.") == {1: 5.0, 2: 5.5}
    assert acknowledged_in("") == {}


def test_the_longest_pause() -> None:
    assert longest_pause_s([1.0, 1.5, 4.0, 4.25]) == 2.5
    assert longest_pause_s([]) == 0.0


def test_the_password_is_that_of_the_application() -> None:
    assert secret_in("PATRONI_API_PASSWORD=a\nPOSTGRES_APP_PASSWORD=b\n", "POSTGRES_APP_PASSWORD") == "b"


def test_only_what_was_acknowledged_since_counts(tmp_path: Path) -> None:
    now_s = time.monotonic()
    (tmp_path / "10.0.0.21,3306").write_text(f"1 {now_s - 60}\n2 {now_s + 60}\n")
    assert enough(tmp_path, 2, "10.0.0.21,3306")
    (tmp_path / "since").touch()
    assert not enough(tmp_path, 2, "10.0.0.21,3306")
    assert enough(tmp_path, 1, "10.0.0.21,3306")


def test_each_client_needs_enough(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1 1.0\n2 2.0\n")
    assert main([str(tmp_path), "2", "a"]) == 0
    assert main([str(tmp_path), "2", "a", "b"]) == 1
    assert main([str(tmp_path), "3", "a"]) == 1
