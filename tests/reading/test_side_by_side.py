"""Real processes read the parts; whatever goes wrong with them, the answer is that of reading line by line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.bench.reading import write_history, write_run
from harness.checks.consistency.operations import built
from harness.errors import HarnessError, UsageError
from harness.formats.formats import read_operations
from harness.history import History
from harness.operations import columns_of
from harness.reading import side_by_side
from harness.reading.side_by_side import processes_for, read_columns, read_history

SMALL_BYTES = 1 << 10


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes there were each time, as they are started."""
    started: list[int] = []
    start = side_by_side._started

    def counted(*words: object) -> subprocess.Popen[bytes]:
        started.append(1)
        return start(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(side_by_side, "_started", counted)
    return started


def test_a_small_file_is_read_here(tmp_path: Path, pieces: list[int]) -> None:
    path = tmp_path / "history"
    write_history(path, 100, 1, "edn")
    assert processes_for(path) < 2
    assert len(built(read_columns(path, "edn"))) == 100
    assert pieces == []


@pytest.mark.parametrize("format_name", ["jepsen-log", "edn", "jsonl"])
def test_a_large_file_is_read_by_two(tmp_path: Path, pieces: list[int], format_name: str) -> None:
    path = tmp_path / "history"
    write_history(path, 500, 1, format_name)
    found = built(read_columns(path, format_name, SMALL_BYTES)).rows()
    assert found == built(columns_of(read_operations(path, format_name))).rows()
    assert len(pieces) == 2


def test_a_run_is_read_by_two(tmp_path: Path, pieces: list[int]) -> None:
    path = tmp_path / "history.jsonl"
    write_run(path, 500, 1)
    found, wanted = read_history(path, SMALL_BYTES), History.read(path)
    assert built(found.operations).rows() == built(wanted.operations).rows()
    assert len(pieces) == 2


def test_a_wrong_line_is_named_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "history"
    write_history(path, 500, 1, "jsonl")
    path.write_text(path.read_text() + "nonsense\n")
    with pytest.raises(UsageError) as alone:
        columns_of(read_operations(path, "jsonl"))
    with pytest.raises(UsageError, match=r"history:9\d\d: an operation is an object") as here:
        read_columns(path, "jsonl", SMALL_BYTES)
    assert str(here.value) == str(alone.value)
    write_run(path, 500, 1)
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    with pytest.raises(HarnessError, match=r"history:\d+: not an event"):
        read_history(path, SMALL_BYTES)


def test_a_process_that_dies_costs_time_and_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history"
    write_history(path, 500, 1, "edn")
    dead = [sys.executable, "-c", f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})"]
    monkeypatch.setattr(side_by_side, "_started", lambda *_: subprocess.Popen(dead, stdout=subprocess.PIPE))
    assert len(built(read_columns(path, "edn", SMALL_BYTES))) == 500
