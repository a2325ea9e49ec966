"""What public histories look like beside the plainest form: all of it is read, and means the same."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.formats.edn import forms, value_of
from harness.formats.formats import FORMATS, format_of, read_operations
from harness.formats.pairs import Line

Told = list[tuple[int | str | None, str, str | None, object]]
PLAIN: Told = [(0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", 1)]


def told(format_name: str, text: str) -> Told:
    found = FORMATS[format_name](text.splitlines(keepends=True), "file")
    return [(one.process, one.type, one.function, one.value) for one in found]


def edn(process: object, kind: object, function: object, value: object, more: str = "") -> str:
    return f"{{:process {process}, :type :{kind}, :f :{function}, :value {'nil' if value is None else value}{more}}}"


MAPS = [edn(*one) for one in PLAIN]
AS_EDN = {
    "one after the other": "\n".join(MAPS),
    "all on one line": " ".join(MAPS),
    "a vector": "[" + "\n ".join(MAPS) + "]",
    "a list": "(" + "\n ".join(MAPS) + ")",
    "records": "\n".join(f"#jepsen.history.Op{one}" for one in MAPS),
    "metadata": "\n".join(f"^{{:line 3}} {one}" for one in MAPS),
    "comments": "; begin\n[ ; here\n" + "\n; between\n".join(MAPS) + "\n] ; end",
    "left out": "#_ {:process 9} " + "\n#_#_ 1 2 ".join(MAPS),
    "many lines each": "\n".join(one.replace(", ", "\n ") for one in MAPS),
    "carriage returns": "\r\n".join(MAPS),
    "a byte order mark": "\ufeff" + "\n".join(MAPS),
    "in columns": "\n".join(one.replace(", ", ",     ") for one in MAPS),
    "in another order": "\n".join(
        f"{{:value {one[3] or 'nil'} :f :{one[2]} :type :{one[1]} :process {one[0]}}}" for one in PLAIN
    ),
    "numbers with a point": "\n".join(edn(f"{one[0]}.0", *one[1:]) for one in PLAIN),
    "namespaces": "\n".join(edn(*one, more=", :jepsen/id 3, ::x :a.b/c") for one in PLAIN),
    "the nemesis": "\n".join([*MAPS[:2], edn(":nemesis", "info", "kill", '{{:a 1} #{"n1"}}'), *MAPS[2:]]),
    "an exception": "\n".join(
        [
            *MAPS[:3],
            edn(
                *PLAIN[3],
                more=', :exception {:via [{:type java.io.IOException, :at [a.b.C run "C.java" -2]}], :cause \\a}',
            ),
        ]
    ),
    "objects that cannot be read": "\n".join(
        [
            *MAPS[:3],
            edn(*PLAIN[3], more=', :error #object[a.B 0x1f "a.B@1f"], :at #inst "2024-01-01", :r 1/3, :x #<B@1>'),
        ]
    ),
    "a text of two lines": "\n".join([*MAPS[:3], edn(*PLAIN[3], more=', :error "first\nsecond"')]),
}


@pytest.mark.parametrize("form", AS_EDN)
def test_edn_in_every_form(form: str) -> None:
    assert told("edn", AS_EDN[form]) == PLAIN


def log(prefix: str, separator: str = "\t") -> str:
    rows = ([str(one[0]), f":{one[1]}", f":{one[2]}", "nil" if one[3] is None else str(one[3])] for one in PLAIN)
    return "".join(prefix.replace("N", row[0]) + separator.join(row) + "\n" for row in rows)


STOCK = "2021-02-26 11:42:48,813{GMT}\tINFO\t[jepsen worker N] jepsen.util: "
AS_LOG = {
    "the old log": log("INFO  jepsen.util - "),
    "spaces": log("INFO  jepsen.util - ", "   "),
    "the stock log": log(STOCK),
    "the console": log("INFO [2019-04-01 11:25:23,791] jepsen worker N - jepsen.util "),
    "the console in colours": log("\x1b[32mINFO\x1b[0m [2019-04-01 11:25:23,791] jepsen worker N - jepsen.util "),
    "history.txt": log(""),
    "history.txt with spaces": log("", "  "),
    "banners, maps and stack traces": 'Running\n{:concurrency 5\n :name "demo"}\n'
    + log(STOCK)[:140]
    + log(STOCK)[140:].replace(
        "\n",
        "\n2021-02-26 11:42:48,900{GMT}\tWARN\t[w 2] jepsen.client: down\njava.io.IOException: no\n\tat a.C(D)\n",
        1,
    )
    + "2021-02-26 11:42:50,000{GMT}\tINFO\t[main] jepsen.core: {:valid? true,\n :workload {:a 1}}\n\nLooks good!\n",
    "the nemesis": "INFO  jepsen.util - :nemesis\t:info\t:start\t{{:a 1} 2}\n" + log("INFO  jepsen.util - "),
    "carriage returns": log(STOCK).replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + log("INFO  jepsen.util - "),
    "other messages of the same logger": "INFO  jepsen.util - Waiting for 3 threads\n" + log("INFO  jepsen.util - "),
}


@pytest.mark.parametrize("form", AS_LOG)
def test_logs_in_every_form(form: str) -> None:
    assert told("jepsen-log", AS_LOG[form]) == PLAIN


def test_an_error_may_stand_behind_the_value() -> None:
    tabs = "INFO  jepsen.util - 3\t:info\t:write\t[1 2]\t:timed-out while writing\n"
    spaces = "3  :info  :write  [1 2]  :timed-out while writing\n"
    assert told("jepsen-log", tabs) == told("jepsen-log", spaces) == [(3, "info", "write", [1, 2])]


OBJECTS = [json.dumps(dict(zip(("process", "type", "f", "value"), one, strict=True))) for one in PLAIN]
AS_JSON = {
    "one a line": "\n".join(OBJECTS),
    "one array": "[\n" + ",\n".join(OBJECTS) + "\n]\n",
    "one array on one line": "[" + ", ".join(OBJECTS) + "]",
    "one array of objects over many lines": json.dumps([json.loads(one) for one in OBJECTS], indent=2),
    "carriage returns": "\r\n".join(OBJECTS),
    "a byte order mark": "\ufeff" + "\n".join(OBJECTS),
    "numbers with a point": "\n".join(one.replace('"process": 0', '"process": 0.0') for one in OBJECTS),
    "the nemesis": "\n".join([*OBJECTS, '{"process": "nemesis", "type": "info", "f": ["kill"]}']),
    "more fields": "\n".join(one.replace("{", '{"time": 1e3, "error": {"a": [1]}, ') for one in OBJECTS),
}


@pytest.mark.parametrize("form", AS_JSON)
def test_json_in_every_form(form: str) -> None:
    assert told("jsonl", AS_JSON[form]) == PLAIN


@pytest.mark.parametrize(("format_name", "forms"), [("edn", AS_EDN), ("jepsen-log", AS_LOG), ("jsonl", AS_JSON)])
def test_the_format_is_told_from_the_file(tmp_path: Path, format_name: str, forms: dict[str, str]) -> None:
    for form, text in forms.items():
        (tmp_path / "file").write_text(text)
        assert format_of(tmp_path / "file") == format_name, form


def test_a_history_of_ours_and_nothing_at_all_have_no_foreign_format(tmp_path: Path) -> None:
    for text in ("", "\n", '{"kind":"note","t_s":1.0,"text":"x"}\n'):
        (tmp_path / "file").write_text(text)
        assert format_of(tmp_path / "file") is None


def test_processes_have_names() -> None:
    lines = "\n".join(
        edn(*one) for one in [('"c1"', "invoke", "read", None), (":c2", "invoke", "read", 2), (-3, "ok", "x", 1)]
    )
    assert [one[0] for one in told("edn", lines)] == ["c1", "c2", "-3"]


MISSING = [
    ([{"process": 0, "type": "invoke", "f": "read"}, {"process": 0, "type": "ok", "value": 1}], [("read", 1)]),
    ([{"process": 0, "type": "invoke", "f": "read"}, {"type": "ok", "value": 1}], [("read", 1)]),
    ([{"process": 0, "type": "invoke"}, {"process": 0, "type": "ok", "f": "read", "value": 1}], [("read", 1)]),
    ([{"type": "invoke", "f": "read"}, {"type": "ok", "f": "read", "value": 3}] * 2, [("read", 3), ("read", 3)]),
    ([{"process": 0, "type": "invoke", "value": [["r", 1, None]]}, {"type": "ok", "value": [["r", 1, 2]]}],
     [("txn", [["r", 1, 2]])]),
    (
        [
            {"process": 0, "type": "invoke", "f": "read"},
            {"process": 1, "type": "invoke", "f": "write", "value": 1},
            {"type": "ok", "f": "write", "value": 1},
            {"type": "ok", "f": "read", "value": 1},
        ],
        [("write", None), ("read", 1)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "wanted"), MISSING)
def test_what_a_line_leaves_out_is_found_by_order(
    tmp_path: Path, lines: list[dict[str, object]], wanted: list[tuple[str, object]]
) -> None:
    (tmp_path / "a").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert [(one.function, one.result) for one in read_operations(tmp_path / "a", "jsonl")] == wanted


AMBIGUOUS = [
    ('{"type": "invoke", "f": "read"}\n' * 2, "a:2: what began on line 1 has not ended: say of each operation which"),
    (
        "".join(f'{{"process": {process}, "type": "invoke", "f": "read"}}\n' for process in (0, 1))
        + '{"type": "ok"}\n',
        "a:3: this line has no process, and any of 2 operations could have ended",
    ),
    ('{"type": "ok", "f": "read"}\n', "a:1: this line has no process, and no operation is there that could end"),
]


@pytest.mark.parametrize(("text", "message"), AMBIGUOUS)
def test_nothing_is_guessed(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(UsageError, match=message):
        list(read_operations(tmp_path / "a", "jsonl"))


def test_operations_on_one_line_are_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("[" + " ".join(MAPS) + "]")
    write, read = read_operations(tmp_path / "a", "edn")
    assert write.invoked_s < (write.completed_s or 0) < read.invoked_s < (read.completed_s or 0) < 1.5


VALUES: list[tuple[str, object]] = [
    ("foo.bar/baz", "foo.bar/baz"),
    ("\\a", "a"),
    ("\\newline", "\n"),
    ("\\u0041", "A"),
    ("1/3", Fraction(1, 3)),
    ("4/2", 2),
    ("0x1F", 31),
    ("2r101", 5),
    ("-7N", -7),
    ("1.5M", 1.5),
    ("1e3", 1000.0),
    ('"\\u00e9\\\\ \\t"', "é\\ \t"),
    ('#inst "2024"', {"#inst": "2024"}),
    ("#{3 1 2}", [1, 2, 3]),
    ("{{:a 1} 2}", {(("a", 1),): 2}),
    ("#'a/b", "#'a/b"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_the_values_that_edn_has(text: str, value: object) -> None:
    found = value_of(text, "file", 1)
    assert found == value
    assert type(found) is type(value)


WRITE = '{"process": 0, "type": "invoke", "f": "write", "value": '
REFUSED = [
    ("edn", "{:process 0 :type :invoke :f :write :value " + "9" * 5000 + "}", "file:1: a number of 5,000 digits"),
    (
        "edn",
        "{:process 0 :type :invoke :f :write :value " + "[" * 100_000 + "}",
        "file:1: nested too deeply; allowed: 100",
    ),
    ("edn", "\n" + '{:a "' + "x" * 10_000_000, "file:2: '\"' does not belong here"),
    ("edn", '{:process 0 :type :invoke :f :write :value "\\ud800"}', "file:1: .*half of a character"),
    ("edn", "{:process [1] :type :ok :f :read}", r"file:1: \"process\" is \[1\]; allowed: a number or a name"),
    ("edn", "{:process 0 :type [:ok] :f :read}", r"file:1: type \['ok'\]: there are invoke, ok, fail and info"),
    ("edn", "{:process 0 :type :ok :f {:a 1}}", "file:1: \"f\" is {'a': 1}; allowed: a name"),
    ("edn", "{:process 0 :type :ok :f :read :key [1]}", r"file:1: \"key\" is \[1\]; allowed: a name or a number"),
    ("edn", "{:a 1/0}", "file:1: '1/0' is no value of EDN"),
    ("edn", "{:a 1e999}", "file:1: '1e999' is no value of EDN"),
    ("edn", "{:a \\toolong}", "file:1: .*is no character of EDN"),
    ("edn", "{:a #", "file:1: the text ends too early"),
    ("jsonl", '{"process": 0, "type": "invoke", "f": "write", "value": "\\ud800"}', "file:1: .*half of a character"),
    (
        "jsonl",
        '{"process": 0, "type": "invoke", "f": "w", "value": ' + "[" * 101 + "]" * 101 + "}",
        "file:1: nested too deeply",
    ),
    ("jsonl", '{"process": 0, "type": "invoke", "f": "w", "value": ' + "[" * 99_999, "file:1: nested too deeply"),
    (
        "jsonl",
        '{"process": 0, "type": "invoke", "f": "w", "value": ' + "9" * 5000 + "}",
        "file:1: not JSON, one object a line",
    ),
    ("jsonl", '{"process": 0, "type": "invoke", "f": "w", "value": NaN}', "file:1: not JSON, one object a line"),
    ("jsonl", "{\n" + '"process": 0}', "file:1: not JSON, one object a line"),
    ("jsonl", "[\n" + OBJECTS[0] + ",\n" + OBJECTS[1], "file:1: this \\[ is never closed"),
    ("jsonl", "[\n" + OBJECTS[0] + ",\n{]", "file:3: not JSON"),
    ("jsonl", "[" + OBJECTS[0] + "]\n" + OBJECTS[1], "file:1: something stands behind the array"),
    ("jsonl", '{"process": true, "type": "invoke", "f": "read"}', 'file:1: "process" is True'),
    (
        "jsonl",
        '{"process": 9223372036854775808, "type": "invoke", "f": "read"}',
        'file:1: "process" is 9223372036854775808',
    ),
    ("jsonl", '{"process": 0, "type": "invoke", "f": "a\\nb"}', "file:1: \"f\" is 'a\\\\nb'"),
    ("jepsen-log", "INFO  jepsen.util - " + "9" * 300 + "\t:invoke\t:read\tnil\n", "file:1: an operation is process"),
    ("jepsen-log", "1\t:invoke\t:write\t[1 [" + "9" * 5000 + "]]\n", "file:1: a number of 5,000 digits"),
    ("jepsen-log", "1\t:invoke\t:write\t" + "[" * 5000 + "\n", "file:1: nested too deeply"),
]


@pytest.mark.parametrize(("format_name", "text", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused_is_refused_in_one_short_line(format_name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        told(format_name, text)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


def test_what_is_not_text_is_named_by_its_line(tmp_path: Path) -> None:
    line = OBJECTS[0].encode() + b"\n"
    for text, message in (
        (line * 3 + b"\xff\n", r"a:4: not text in UTF-8 \(byte 0xff at 1\)"),
        (OBJECTS[0].encode("utf-16"), "a:1: this is UTF-16; save the file as text in UTF-8"),
        (gzip.compress(line), r"a:1: this is packed; unpack it first \(gunzip\)"),
        (lzma.compress(line), r"a:1: this is packed; unpack it first \(unxz\)"),
    ):
        (tmp_path / "a").write_bytes(text)
        with pytest.raises(UsageError, match=message):
            list(read_operations(tmp_path / "a", "jsonl"))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_what_is_packed_looks_like_no_format(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a").write_bytes(pack(OBJECTS[0].encode()))
    with pytest.raises(UsageError, match="a:1: this is packed"):
        format_of(tmp_path / "a")


def test_shapes_that_were_learned_read_what_the_slow_way_reads() -> None:
    rows = [
        edn(number, kind, "write", value, more)
        for number, (kind, value, more) in enumerate(
            (kind, value, more)
            for kind in ("invoke", "ok", "info")
            for value in (1, None, '"a b"', ":k", "[1 [2 nil]]", "-5", "{:a 1}", "1.5", '"a\\"b"', "true")
            for more in ("", ", :time 5, :index 6", ', :error [:x "y"]', ", :key 3", ' :key "k"')
        )
    ]
    quick = list(FORMATS["edn"]([f"{row}\n" for row in rows], "file"))
    slow = [one for number, row in enumerate(rows, 1) for one in FORMATS["edn"]([f"\n{row}\n"], "file")]
    assert [one._replace(number=0) for one in quick] == [one._replace(number=0) for one in slow]
    assert [one.number for one in quick] == list(range(1, len(rows) + 1))
    assert all(type(one) is Line for one in quick)
    assert len([form for _, form in forms(rows, "file")]) == len(rows)
