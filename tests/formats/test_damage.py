"""Files that are spoilt in some way: a verdict, or one line that says what is wrong; never anything else."""

import json
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.judge import Options, judge_by_model
from harness.errors import HarnessError
from harness.formats.formats import format_of
from harness.judge import exit_code, to_json
from tests.formats.damage import CORPUS, damaged

FORMATS = {".jsonl": "jsonl", ".edn": "edn", ".log": "jepsen-log"}
FILES = sorted(CORPUS.iterdir())
FEW, MANY = int(os.environ.get("HARNESS_SPOILT", "150")), 10_000
"""Files made of each of the corpus: by anybody, and by `pytest -m thorough`. The gate of changes asks for 1,000."""


def model_of(file: Path) -> str:
    return "register" if file.stem in ("console", "history") else file.stem


def judged(path: Path, model: str, format_name: str) -> int:
    """The exit code; whatever is raised or said must be fit for a person."""
    options = Options(model=model, within_s=0.3)
    try:
        format_of(path)
        verdicts = judge_by_model(path, format_name, options)
        told = [verdict.summary for verdict in verdicts]
        json.dumps(to_json(verdicts), ensure_ascii=False, default=str).encode()
        code = exit_code(verdicts)
    except HarnessError as error:
        told, code = [str(error)], 2
    for text in told:
        assert "this check failed" not in text
        assert "\n" not in text
        assert len(text) < 600, text[:700]
    return code


def spoil_and_judge(file: Path, directory: Path, seed: int, model: str) -> None:
    text = file.read_bytes()
    path = directory / "history"
    for number in range(seed, seed + 1):
        path.write_bytes(damaged(text, Random(number), edn=file.suffix != ".jsonl"))
        judged(path, model, FORMATS[file.suffix])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_spoilt_at_first_holds(file: Path) -> None:
    assert format_of(file) == FORMATS[file.suffix]
    assert judged(file, model_of(file), FORMATS[file.suffix]) == 0


def spoilt(file: Path, directory: Path, seeds: range, model: str) -> None:
    for seed in seeds:
        try:
            spoil_and_judge(file, directory, seed, model)
        except Exception as error:
            raise AssertionError(f"{file.name} spoilt by seed {seed}: {error!r}") from error


@pytest.mark.parametrize("key", ["y" * 3000, ["k", "z" * 3000]], ids=["a key", "a key in the value"])
def test_a_long_name_does_not_make_a_long_sentence(key: str | list[str], tmp_path: Path) -> None:
    (tmp_path / "history").write_text(
        "".join(
            json.dumps({"process": 0, "type": kind, "f": function, **where}) + "\n"
            for function, kind, value in (
                ("write", "invoke", 1),
                ("write", "ok", 1),
                ("read", "invoke", None),
                ("read", "ok", 2),
            )
            for where in [{"key": key, "value": value} if isinstance(key, str) else {"value": [key[1], value]}]
        )
    )
    assert judged(tmp_path / "history", "register", "jsonl") == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_spoilt_file_is_a_traceback(file: Path, tmp_path: Path) -> None:
    spoilt(file, tmp_path, range(FEW), model_of(file))


@pytest.mark.thorough
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_thoroughly_no_spoilt_file_is_a_traceback(file: Path, tmp_path: Path) -> None:
    spoilt(file, tmp_path, range(MANY), model_of(file))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)
MODELS = sorted({model_of(file) for file in FILES})
NAMES = st.sampled_from(
    (
        "read",
        "write",
        "cas",
        "add",
        "append",
        "txn",
        "enqueue",
        "dequeue",
        "drain",
        "get",
        "put",
        "increment",
        "acquire",
    )
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "process": st.integers(0, 2),
            "type": st.sampled_from(("invoke", "ok", "fail", "info")),
            "f": NAMES,
            "value": JSON,
        },
        optional={"key": JSON},
    ),
    max_size=6,
)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40, deadline=None)
@given(told=OPERATIONS)
def test_whatever_values_operations_have(
    told: list[dict[str, object]], model: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "values.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in _in_turn(told)))
    judged(path, model, "jsonl")


def _in_turn(told: list[dict[str, object]]) -> list[dict[str, object]]:
    """Each operation begun before it ends, whatever was drawn: else most would be refused for that alone."""
    found: list[dict[str, object]] = []
    for one in told:
        if one["type"] != "invoke":
            found.append({**one, "type": "invoke"})
        found.append(one if one["type"] != "invoke" else {**one, "process": len(found) + 10})
    return found
