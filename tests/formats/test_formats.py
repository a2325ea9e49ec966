"""Foreign histories: what others write is read, and what is malformed is named by its line."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.formats.edn import forms
from harness.formats.formats import FORMATS, read_operations
from harness.formats.pairs import Line


def lines(format_name: str, text: str) -> list[Line]:
    return list(FORMATS[format_name](text.splitlines(keepends=True), "file"))


JEPSEN = """INFO  jepsen.core - Running test
INFO  jepsen.util - 0\t:invoke\t:read\tnil

INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 2\t:invoke\t:write\t4
INFO  jepsen.util - 0\t:ok\t:read\tnil
2016-03-01 10:00:00,123{GMT}\tINFO\t[worker 2] jepsen.util: 2\t:info\t:write\t:timed-out
INFO  jepsen.util - 7\t:invoke\t:cas\t[1 3]
INFO  jepsen.util - 7\t:fail\t:cas\t[1 3]
"""


def test_a_jepsen_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(JEPSEN)
    read, cas, write = read_operations(path, "jepsen-log")
    assert (read.process, read.function, read.result, read.outcome) == (0, "read", None, "ok")
    assert (read.invoked_s, read.completed_s) == (2.0, 6.0)
    assert (write.argument, write.outcome, write.result) == (4, "unknown", None) or write.function == "cas"
    by_name = {one.function: one for one in (read, cas, write)}
    assert (by_name["write"].argument, by_name["write"].outcome) == (4, "unknown")
    assert (by_name["cas"].expected, by_name["cas"].argument, by_name["cas"].outcome) == (1, 3, "failed")


EDN = """; a comment
{:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}
{:process 0, :type :ok, :f :append, :key "4", :value "x 0 1 y"}
{:process :nemesis, :type :info, :f :start}
#jepsen.history.Op{:process 1, :type :invoke, :f :get, :key "4", :value nil}
{:process 1 :type :ok :f :get :key "4"
 :value "x 0 1 y"}
{:process 1, :type :invoke, :f :txn, :value [[:append 5 1] [:r 5 nil]]}
"""


def test_edn(tmp_path: Path) -> None:
    path = tmp_path / "a.edn"
    path.write_text(EDN)
    append, get, txn = read_operations(path, "edn")
    assert (append.function, append.key, append.argument) == ("append", "4", "x 0 1 y")
    assert (get.function, get.result, get.invoked_s, get.completed_s) == ("get", "x 0 1 y", 5.0, 6.0)
    assert (txn.argument, txn.outcome, txn.completed_s) == ([["append", 5, 1], ["r", 5, None]], "unknown", None)


def test_the_values_of_edn() -> None:
    text = r'{:a #{1 2} "b\"\n" (3.5 4N -1) [5] {true false}} #_ 7 :k [1 #_ 9 2] nil'
    assert [form for _, form in forms([text], "file")] == [
        {"a": [1, 2], 'b"\n': [3.5, 4, -1], (5,): {True: False}},
        "k",
        [1, 2],
        None,
    ]
    assert [form for _, form in forms(["[{:a 1}", "{:a 2}]", "[]"], "file")] == [{"a": 1}, {"a": 2}, []]
    assert [number for number, _ in forms(["[{:a 1}", "{:a 2}]"], "file")] == [1, 2]


def test_jsonl() -> None:
    text = """{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}

{"process": "nemesis", "type": "info", "f": "start"}
{"process": 0, "type": "ok", "f": "write", "key": "x"}
"""
    assert lines("jsonl", text) == [
        Line(1, 0, "invoke", "write", "x", 1),
        Line(4, 0, "ok", "write", "x", None),
    ]


def test_a_drain_is_many_dequeues(tmp_path: Path) -> None:
    path = tmp_path / "a.edn"
    path.write_text("{:process 0 :type :invoke :f :drain}\n{:process 0 :type :ok :f :drain :value [1 2]}\n")
    assert [(one.function, one.result) for one in read_operations(path, "edn")] == [
        ("dequeue", 1),
        ("dequeue", 2),
        ("dequeue", None),
    ]


INVOKE = '{"process": 0, "type": "invoke", "f": "read"}\n'
MALFORMED = [
    ("jepsen-log", "hello\n", "file:1: this is no line"),
    ("jepsen-log", "INFO  jepsen.util - 2\t:invoke\t:write\n", "file:1: an operation is process"),
    ("jepsen-log", "INFO  jepsen.util - x\t:invoke\t:write\t1\n", "file:1: an operation is process"),
    ("jepsen-log", "INFO  jepsen.util - 2\t:began\t:write\t1\n", "file:1: type :began"),
    ("jepsen-log", "INFO  jepsen.util - 2\t:invoke\t:write\t[1\n", "file:1: this \\[ is never closed"),
    ("jepsen-log", "INFO  jepsen.util - 2\t:invoke\t:write\t1 2\n", "file:1: '1 2' is not one value"),
    ("edn", "{:process 0}\n", "file:1: this operation has no :type"),
    ("edn", "\n{:process 0 :type\n", "file:2: this { is never closed"),
    ("edn", "{:process}\n", "file:1: a map has a key without"),
    ("edn", "[1 2]\n", "file:1: a history is made of maps"),
    ("edn", "[{:process 0 :type :invoke :f :read}\n", "file:1: this \\[ is never closed"),
    ("edn", "}\n", "file:1: '}' where a value has to be"),
    ("edn", '{:a "b}\n', "file:1: '\"' does not belong"),
    ("edn", "{:a 12what}\n", "file:1: '12what' is no value"),
    ("jsonl", "{\n", "file:1: not JSON"),
    ("jsonl", "3\n", "file:1: an operation is an object"),
    ("jsonl", INVOKE + '{"process": 0, "f": "read"}\n', "file:2: this operation has no :type"),
    ("jsonl", '{"process": 0, "type": "yes", "f": "read"}\n', "file:1: type 'yes'"),
    ("jsonl", '{"kind": "invoked"}\n', "file:1: this is a history of the harness itself: leave out --format"),
]


@pytest.mark.parametrize(("format_name", "text", "message"), MALFORMED)
def test_a_malformed_line_is_named(format_name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        lines(format_name, text)


IMPOSSIBLE = [
    (INVOKE + INVOKE, "a:2: process 0 is still busy since line 1"),
    (INVOKE.replace("invoke", "ok"), "a:1: process 0 ended an operation that it had not invoked"),
    (INVOKE + '{"process": 0, "type": "ok", "f": "write"}\n', "a:2: process 0 invoked read on line 1 and ended write"),
    ('{"process": 0, "type": "invoke", "f": "cas", "value": 3}\n', "a:1: cas takes"),
    ('{"process": 0, "type": "invoke"}\n', "a:1: this operation has no :f"),
    (INVOKE + "\udcff", "a:2: not text in UTF-8"),
]


@pytest.mark.parametrize(("text", "message"), IMPOSSIBLE)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=message):
        list(read_operations(path, "jsonl"))
