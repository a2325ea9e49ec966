"""``harness judge FILE --format --model``: judging what others recorded."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.judge import judge_command
from harness.errors import UsageError
from harness.history import encode
from tests.checks.consistency.telling import operations


def judged(tmp_path: Path, text: str, *options: str) -> Result:
    path = tmp_path / "history"
    path.write_text(text)
    return CliRunner().invoke(judge_command, [str(path), *options])


def jsonl(*lines: tuple[str, object, object]) -> str:
    """Operations one after the other: function, what is asked, what is answered."""
    found = []
    for number, (function, asked, answer) in enumerate(lines):
        common = {"process": number, "f": function}
        found.append(json.dumps({**common, "type": "invoke", "value": asked}))
        found.append(json.dumps({**common, "type": "ok", "value": answer}))
    return "\n".join(found) + "\n"


LOG = "INFO  jepsen.util - 0\t:{}\t:write\t1\nINFO  jepsen.util - 0\t:{}\t:write\t1\n"
READ = "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\t{}\n"


@pytest.mark.parametrize(("seen", "code"), [("1", 0), ("nil", 1)])
def test_a_jepsen_log_of_a_register(tmp_path: Path, seen: str, code: int) -> None:
    text = LOG.format("invoke", "ok") + READ.format(seen)
    result = judged(tmp_path, text, "--format", "jepsen-log", "--model", "register")
    assert result.exit_code == code, result.output
    if code:
        assert "process 1 read nothing from line 3 to line 4" in result.output


MODELS = [
    ("kv", [("put", "a", None), ("get", None, "a")], [("put", "a", None), ("get", None, "b")]),
    ("set", [("add", 1, None), ("read", None, [1])], [("add", 1, None), ("read", None, [])]),
    ("queue", [("enqueue", 1, None), ("dequeue", None, 1)], [("enqueue", 1, None), ("dequeue", None, None)]),
    (
        "bank",
        [("read", None, {"a": 5}), ("read", None, {"a": 5})],
        [("read", None, {"a": 5}), ("read", None, {"a": 4})],
    ),
    ("append", [("append", 1, None), ("read", None, [1])], [("append", 1, None), ("read", None, [2])]),
    ("append", [("txn", [["append", 1, 1]], [["append", 1, 1]])], [("txn", [["r", 1, None]], [["r", 1, [3]]])]),
    ("rw", [("txn", [["w", 1, 1]], [["w", 1, 1]])], [("txn", [["r", 1, None]], [["r", 1, 3]])]),
    ("counter", [("increment", 1, None), ("read", None, 1)], [("increment", 1, None), ("read", None, 3)]),
]


@pytest.mark.parametrize(("model", "right", "wrong"), MODELS)
def test_every_model_has_its_checks(
    tmp_path: Path, model: str, right: list[tuple[str, object, object]], wrong: list[tuple[str, object, object]]
) -> None:
    for lines, code in ((right, 0), (wrong, 1)):
        result = judged(tmp_path, jsonl(*lines), "--format", "jsonl", "--model", model, "--json")
        assert result.exit_code == code, result.output
        assert json.loads(result.output)["outcome"] == ("VIOLATED" if code else "HOLDS")
    assert judged(tmp_path, "", "--format", "jsonl", "--model", model).exit_code == 2


def test_the_total_and_the_level_can_be_chosen(tmp_path: Path) -> None:
    text = jsonl(("read", None, {"a": 5}))
    assert judged(tmp_path, text, "--format", "jsonl", "--model", "bank", "--total", "6").exit_code == 1
    failed = '{"process":0,"type":"invoke","f":"txn","value":[["append",1,1]]}\n{"process":0,"type":"fail","f":"txn"}\n'
    dirty = failed + jsonl(("txn", [["r", 1, None]], [["r", 1, [1]]]))
    options = ("--format", "jsonl", "--model", "append", "--level")
    assert judged(tmp_path, dirty, *options, "read-uncommitted").exit_code == 0
    assert judged(tmp_path, dirty, *options, "read-committed").exit_code == 1


def test_a_run_of_ours_can_be_judged_by_a_model_that_it_did_not_expect(tmp_path: Path) -> None:
    right = operations("1 write 1", "2 read 1", key="registers/0")
    wrong = operations("3 write 1", "4 read", key="registers/1")
    other = operations("5 enqueue 1", "6 dequeue 1", key="queue")
    history = tmp_path / "history.jsonl"
    history.write_bytes(b"".join(encode(event) for one in (*right, *wrong, *other) for event in one.events))

    def code(*options: str, path: Path = tmp_path) -> int:
        return CliRunner().invoke(judge_command, [str(path), *options]).exit_code

    assert code("--model", "register", "--key", "registers/0") == 0
    assert code("--model", "register", "--key", "registers", path=history) == 1
    assert code("--model", "register") == 2
    assert code("--model", "queue", "--key", "queue") == 0
    assert not (tmp_path / "verdicts.json").exists()
    told = CliRunner().invoke(judge_command, [str(tmp_path), "--model", "register", "--key", "registers/1"]).output
    assert "process 4 read nothing (n4) from 1.500 s to 2.500 s" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "xml", "--model", "kv"), "--format xml: there are jepsen-log, edn, jsonl and auto"),
        (("--format", "edn"), "--model is missing"),
        (("--format", "edn", "--model", "stack"), "--model stack"),
        (("--model", "stack"), "--model stack"),
        (("--model", "kv", "--within-s", "-1"), "--within-s -1: allowed is a number of seconds greater than 0"),
        (("--model", "kv", "--within-s", "0"), "--within-s 0"),
        (("--model", "kv", "--within-s", "nan"), "--within-s nan"),
        (("--model", "kv", "--within-s", "inf"), "--within-s inf"),
        (("--model", "kv", "--level", "serializable"), "--level: model kv has none; those that have are append, rw"),
        (("--model", "rw", "--level", "foo"), "--level foo: there are "),
        (("--model", "kv", "--total", "3"), "--total: model kv has none; those that have are bank"),
        (("--model", "bank", "--total", "nan"), "--total nan: allowed is a number"),
        (("--model", "bank", "--total", "1e999999999"), "--total 1e999999999: allowed is a number"),
        (("--model", "kv", "--store"), "--store keeps the verdicts that a run expects"),
        (("--key", "x"), "--key needs --model"),
        (("--level", "serializable"), "--level needs --model"),
        (("--total", "1"), "--total needs --model"),
        (("--initial", "1"), "--initial needs --model"),
        (("--within-s", "1"), "--within-s needs --model"),
        (("--model", "set", "--initial", "1"), "--initial: what model set judges begins empty"),
        (("--model", "register", "--initial", "[" * 500), "--initial:1: nested too deeply"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = judged(tmp_path, "", *options)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_a_directory_has_no_format(tmp_path: Path) -> None:
    result = CliRunner().invoke(judge_command, [str(tmp_path), "--format", "edn", "--model", "kv"])
    assert "is a directory" in str(result.exception)


def test_a_file_that_looks_like_a_format_is_read_in_it(tmp_path: Path) -> None:
    for text in (jsonl(("write", 1, 1), ("read", None, 1)), LOG.format("invoke", "ok") + READ.format("1")):
        assert judged(tmp_path, text, "--model", "register").exit_code == 0
    result = judged(tmp_path, jsonl(("read", None, 1)))
    assert "--model is missing (history looks like jsonl): there are register" in str(result.exception)


@pytest.mark.parametrize("value", ["5", '"five"', "[1 {:a nil}]", '{"a": [1, null]}', "five"])
def test_what_was_there_at_first_can_be_stated(tmp_path: Path, value: str) -> None:
    there = {"5": 5, '"five"': "five", "five": "five", "[1 {:a nil}]": [1, {"a": None}]}.get(value, {"a": [1, None]})
    text = jsonl(("read", None, there), ("write", 6, 6), ("read", None, 6))
    assert judged(tmp_path, text, "--model", "register").exit_code == 1
    assert judged(tmp_path, text, "--model", "register", "--initial", value).exit_code == 0
    assert judged(tmp_path, text, "--model", "register", "--initial", "7").exit_code == 1


def test_one_key_of_many_can_be_asked_for(tmp_path: Path) -> None:
    text = jsonl(
        ("write", ["good", 1], ["good", 1]), ("read", ["good", None], ["good", 1]), ("read", ["bad", None], ["bad", 3])
    )
    for key, code in (("good", 0), ("bad", 1), ("other", 2)):
        assert judged(tmp_path, text, "--model", "register", "--keyed", "--key", key).exit_code == code


@pytest.mark.parametrize("text", ["", "\n", "[]", "; nothing", "INFO  jepsen.core - Running\n"])
def test_a_file_without_operations_says_so(tmp_path: Path, text: str) -> None:
    result = judged(tmp_path, text, "--model", "register")
    assert result.exit_code == 2
    assert "no operation was found in history, read as" in result.output


def test_places_on_one_line_are_told_apart(tmp_path: Path) -> None:
    lines = jsonl(("write", 1, 1), ("read", None, 2)).splitlines()
    result = judged(tmp_path, f"[{', '.join(lines)}]", "--model", "register")
    assert result.exit_code == 1
    assert "line 1, operation 3" in result.output
