"""A history that was written for measuring is read as what it is."""

from pathlib import Path

from harness.bench.histories import made_up
from harness.bench.reading import measure_reading, write_history
from harness.checks.consistency.operations import operations_from
from harness.formats.formats import read_operations


def test_a_file_has_the_operations_that_were_made_up(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, 300, seed=3)
    read, made = (
        {(one.process, one.function, one.argument, one.result, one.outcome) for one in operations.rows()}
        for operations in (
            operations_from(read_operations(path, "jsonl")),
            made_up("register", 300, 20, seed=3, wrong=False),
        )
    )
    assert read == made


def test_reading_and_judging_are_measured_each_time(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, 300, seed=3)
    reading = measure_reading(path, 300, repeats=2)
    assert len(reading.read_s) == len(reading.judged_s) == 2
    assert reading.file_bytes == path.stat().st_size
    assert min(*reading.read_s, *reading.judged_s) > 0.0
