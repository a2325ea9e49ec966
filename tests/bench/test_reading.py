"""A history that was written for measuring is read as what it is."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.bench.histories import MODELS, made_up
from harness.bench.reading import (
    OURS,
    SOURCES,
    Reading,
    markdown,
    measure_reading,
    measure_run,
    write_history,
    write_run,
)
from harness.checks.consistency.operations import Operations, operations_from, operations_of
from harness.formats.formats import read_operations
from harness.history import History

Write = Callable[[Path, int, int], None]


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (write_history, lambda path: operations_from(read_operations(path, "jsonl"))),
        (partial(write_history, source="edn"), lambda path: operations_from(read_operations(path, "edn"))),
        (
            partial(write_history, source="jepsen-log"),
            lambda path: operations_from(read_operations(path, "jepsen-log")),
        ),
        (write_run, lambda path: operations_of(History.read(path))),
    ],
)
def test_a_file_has_the_operations_that_were_made_up(
    tmp_path: Path, write: Write, read: Callable[[Path], Operations]
) -> None:
    path = tmp_path / "history.jsonl"
    write(path, 300, 3)
    found, made = (
        {(one.process, one.function, one.argument, one.result, one.outcome) for one in operations.rows()}
        for operations in (read(path), made_up("register", 300, 20, seed=3, wrong=False))
    )
    assert found == made


@pytest.mark.parametrize(("write", "measure"), [(write_history, measure_reading), (write_run, measure_run)])
def test_reading_and_judging_are_measured_each_time(
    tmp_path: Path, write: Write, measure: Callable[[Path, int, int], Reading]
) -> None:
    path = tmp_path / "history.jsonl"
    write(path, 300, 3)
    reading = measure(path, 300, 2)
    assert len(reading.read_s) == len(reading.judged_s) == 2
    assert reading.file_bytes == path.stat().st_size
    assert min(*reading.read_s, *reading.judged_s) > 0.0
    with pytest.raises(AssertionError, match="a right history of 299 operations was not read"):
        measure(path, 299, 1)


@pytest.mark.parametrize("source", SOURCES)
def test_a_wrong_history_is_measured_as_one(tmp_path: Path, source: str) -> None:
    path = tmp_path / "history.jsonl"
    write, measure = (write_run, measure_run) if source == OURS else (write_history, measure_reading)
    write(path, 300, 3, source, wrong=True)
    assert measure(path, 300, 1, source, wrong=True).wrong
    with pytest.raises(AssertionError, match="a right history of 300 operations was not read or judged as one"):
        measure(path, 300, 1, source, wrong=False)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_every_model_is_measured(tmp_path: Path, model: str, wrong: bool) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, 300, 3, wrong=wrong, model=model)
    found = measure_reading(path, 300, 1, wrong=wrong, model=model)
    assert (found.model, len(found.cpu_s)) == (model, 1)


def test_the_table_compares_wrong_with_right(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    found = []
    for wrong in (False, True):
        write_history(path, 300, 3, wrong=wrong)
        found.append(replace(measure_reading(path, 300, 1, wrong=wrong), cpu_s=(1.0 + wrong,)))
    right, wrong_one = [row for row in markdown(found).splitlines() if row.startswith("| register")]
    assert right.split("|")[-3].strip() == ""
    assert wrong_one.split("|")[-3].strip() == "2.00"
