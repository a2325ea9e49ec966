"""`sfha logs` on a log file."""

from pathlib import Path

import pytest

from harness.stack.sfha.logs.event_log import EventLog
from tests.stack.sfha.cli.command import run


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    log = EventLog("n1", tmp_path / "sfha.log")
    log("vip-added", vip="web", address="10.0.0.1", interface="eth0")
    log("lease-lost", reason="no majority")
    return tmp_path / "sfha.log"


def test_words_times_and_json(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "--file", str(log_file), "-o", "cat", "--lang", "fr") == 0
    assert capsys.readouterr().out.splitlines() == [
        "VIP web : 10.0.0.1 ajoutée sur eth0 et vérifiée",
        "le bail est perdu : no majority",
    ]
    assert run("logs", "--file", str(log_file), "-n", "1") == 0
    shown = capsys.readouterr().out
    assert shown.endswith(" n1  the lease is gone: no majority\n")
    assert run("logs", "--file", str(log_file), "--since", "1h", "-o", "json") == 0
    assert capsys.readouterr().out == log_file.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--since", "soon"), 2, "--since does not understand 'soon'"),
        (("-n", "-1"), 2, "--lines must be 0 or more"),
        ((), 1, "cannot be read (No such file or directory)"),
    ],
)
def test_mistakes_are_said(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("logs", "--file", str(tmp_path / "none"), *arguments) == code
    assert words in capsys.readouterr().err
