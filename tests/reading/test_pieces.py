"""What is read in parts is what is read line by line, wherever the file is cut; or it is not read in parts."""

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bench.reading import _LINES, write_history, write_run
from harness.checks.consistency.operations import built
from harness.errors import UsageError
from harness.events import Completed, Invoked
from harness.formats.formats import read_operations
from harness.history import History, encode
from harness.operations import Columns, Operation, columns_of
from harness.reading.cutting import cut
from harness.reading.pieces import Indivisible, put_together, read_recorded, read_run, whole_run

VALUES = st.sampled_from([None, 0, 7, 1 << 61, "word", [1, 2], ["k", [1, 1 << 62]], {"a": 1}])
KINDS = st.sampled_from(["invoke", "invoke", "ok", "fail", "info"])
PROCESSES = st.sampled_from([0, 0, 1, 1, 2, 2, 3, 1 << 61, "named", None])
PLAIN = st.tuples(st.integers(0, 3), KINDS, st.sampled_from(["write", "read"]), VALUES)
ODD = st.tuples(PROCESSES, KINDS, st.sampled_from(["write", "read", None]), VALUES)


def rows(columns: Columns) -> list[Operation]:
    return built(columns).rows()


def in_parts(path: Path, format_name: str, count: int) -> Columns:
    return put_together([read_recorded(part, format_name) for part in cut(path, count)], path.name)


def as_json(told: tuple[Any, ...]) -> bytes:
    names = ("process", "type", "f", "value")
    return json.dumps({name: one for name, one in zip(names, told, strict=True) if one is not None}).encode() + b"\n"


@given(st.lists(st.one_of(PLAIN, ODD), max_size=25), st.integers(1, 6))
def test_whatever_is_read_in_parts_is_the_same_as_line_by_line(told: list[tuple[Any, ...]], count: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        path.write_bytes(b"".join(map(as_json, told)))
        try:
            found = rows(in_parts(path, "jsonl", count))
        except Indivisible:
            return
        assert found == rows(columns_of(read_operations(path, "jsonl")))


@given(st.binary(max_size=300), st.integers(1, 5), st.sampled_from(["edn", "jsonl", "jepsen-log"]))
def test_nothing_is_read_in_parts_that_cannot_be_read(noise: bytes, count: int, format_name: str) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history"
        path.write_bytes(b"{:process 0 :type :invoke :f :read :value nil}\n" * 3 + noise + b"\n;\n[\n" + noise)
        try:
            found = rows(in_parts(path, format_name, count))
        except Indivisible:
            return
        assert found == rows(columns_of(read_operations(path, format_name)))


@pytest.mark.parametrize("format_name", sorted(_LINES))
@pytest.mark.parametrize("model", ["register", "set", "queue"])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_histories_as_programs_write_them_are_read_in_parts(
    tmp_path: Path, format_name: str, model: str, count: int
) -> None:
    path = tmp_path / "history"
    write_history(path, 300, 3, format_name if model == "register" else "jsonl", model=model)
    name = format_name if model == "register" else "jsonl"
    assert rows(in_parts(path, name, count)) == rows(columns_of(read_operations(path, name)))


@pytest.mark.parametrize(
    ("format_name", "text"),
    [
        ("edn", "[{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value 1}]\n"),
        ("edn", "{:process 0 :type :invoke\n:f :read}\n{:process 0 :type :ok :f :read :value 1}\n"),
        ("edn", '{:process 0 :type :invoke :f :read :why "a\nb"}\n{:process 0 :type :ok :f :read :value 1}\n'),
        ("jsonl", '{"process": 0, "type": "invoke", "f": "read"}\n[{"process": 0,\n"type": "ok", "f": "read"}]\n'),
        ("jsonl", '{"type": "invoke", "f": "read"}\n{"type": "ok", "f": "read", "value": 1}\n'),
        ("jsonl", '{"process": "a", "type": "invoke", "f": "read"}\n{"process": "a", "type": "ok", "f": "read"}\n'),
        ("jsonl", '{"process": 0, "type": "ok", "f": "read"}\n{"process": 1, "type": "invoke", "f": "read"}\n'),
        ("jsonl", '{"process": 0, "type": "invoke", "f": "read"}\n{"process": 0, "type": "invoke", "f": "read"}\n'),
        ("jsonl", '{"process": 0, "type": "invoke", "f": "read"}\r{"process": 0, "type": "ok", "f": "read"}\n\n\n\n'),
    ],
)
def test_what_a_part_alone_cannot_tell_is_left_to_the_whole(tmp_path: Path, format_name: str, text: str) -> None:
    path = tmp_path / "history"
    path.write_text(text, newline="")
    with pytest.raises(Indivisible):
        in_parts(path, format_name, len(text))


def test_a_line_that_is_wrong_makes_its_part_indivisible(tmp_path: Path) -> None:
    path = tmp_path / "history"
    write_history(path, 20, 1, "jsonl")
    path.write_text(path.read_text() + "nonsense\n")
    with pytest.raises(Indivisible):
        in_parts(path, "jsonl", 2)
    with pytest.raises(UsageError, match=r"history:\d+: an operation is an object"):
        columns_of(read_operations(path, "jsonl"))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_run_in_parts_is_the_run(tmp_path: Path, count: int) -> None:
    path = tmp_path / "history.jsonl"
    write_run(path, 200, 5)
    found, wanted = whole_run([read_run(part) for part in cut(path, count)]), History.read(path)
    assert (found.events, found.first_s, found.last_s) == (wanted.events, wanted.first_s, wanted.last_s)
    assert rows(found.operations) == rows(wanted.operations)


@given(st.integers(0, 1 << 30), st.integers(1, 6))
def test_events_of_operations_pair_across_parts_whatever_their_order(seed: int, count: int) -> None:
    """Numbers are used again, and the end of an operation may be written before its beginning."""
    rng = Random(seed)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        with path.open("wb") as file:
            for t_s in range(30):
                who = {"t_s": float(t_s), "process": rng.randrange(2), "operation": rng.randrange(2)}
                begins = Invoked(function="write", key="x", value=t_s, **who)  # type: ignore[arg-type]
                ends = Completed(outcome="ok", value=t_s, **who)  # type: ignore[arg-type]
                file.write(encode(rng.choice([begins, ends])))
        try:
            found = whole_run([read_run(part) for part in cut(path, count)])
        except Indivisible:
            return
        told = sorted(map(repr, rows(found.operations)))
        assert told == sorted(map(repr, rows(History.read(path).operations)))
