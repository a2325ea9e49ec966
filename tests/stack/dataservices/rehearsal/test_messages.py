"""What the client of RabbitMQ compares."""

from pathlib import Path

import pytest

from harness.stack.dataservices.rehearsal.messages import compare


def test_what_was_not_delivered_is_said_and_what_was_delivered_again_too(tmp_path: Path) -> None:
    (tmp_path / "orders").write_text("1 1.0\n3 1.5\n")
    (tmp_path / "taken").write_text("1\n2\n3\n3\n")
    assert compare(tmp_path, "orders") == "2 messages confirmed, none lost, 1 delivered again, longest pause 0.5 s"
    (tmp_path / "taken").write_text("1\n2\n")
    with pytest.raises(SystemExit, match="1 of 2 confirmed messages were not delivered"):
        compare(tmp_path, "orders")
