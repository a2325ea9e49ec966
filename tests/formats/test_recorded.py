"""What lines of a foreign history say, whatever it is a history of."""

from typing import Any

import pytest

from harness.errors import UsageError
from harness.formats.pairs import Line
from harness.formats.recorded import operations_in
from harness.operations import CAS_OF_KEY, NAMED, Operation


def told(function: str, asked: Any, answer: Any = None, kind: str = "ok", process: int | str = 0) -> list[Operation]:
    lines = [Line(1, process, "invoke", function, "", asked), Line(2, process, kind, function, "", answer)]
    return list(operations_in(lines, "file"))


@pytest.mark.parametrize(
    ("value", "function", "expected", "argument"),
    [
        ([1, 2], "cas", 1, 2),
        ([None, [1, 2]], "cas", None, [1, 2]),
        (["k", [1, 2]], "cas", "k", [1, 2]),
        (["k", 1, 2], CAS_OF_KEY, "k", [1, 2]),
    ],
)
def test_the_values_of_a_compare_and_set(value: object, function: str, expected: object, argument: object) -> None:
    (one,) = told("cas", value)
    assert (one.function, one.expected, one.argument) == (function, expected, argument)


@pytest.mark.parametrize("value", [None, 3, [1], [1, 2, 3, 4], {"a": 1, "b": 2}])
def test_what_is_no_compare_and_set_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"file:1: cas takes \[expected new\], or with a key"):
        told("cas", value)


def test_what_a_read_is_invoked_with_is_kept() -> None:
    (one,) = told("read", ["k", None], ["k", 1])
    assert (one.argument, one.result) == (["k", None], ["k", 1])
    (one,) = told("read", ["k", None], ["k", 1], "info")
    assert (one.argument, one.result, one.outcome) == (["k", None], None, "unknown")


def test_a_drain_took_what_it_returned_and_then_found_nothing() -> None:
    assert [(one.function, one.result) for one in told("drain", None, [1])] == [("dequeue", 1), ("dequeue", None)]
    assert [(one.function, one.result) for one in told("drain", None, [])] == [("dequeue", None)]
    with_key = told("drain", ["k", None], ["k", [1]])
    assert [(one.argument, one.result) for one in with_key] == [(["k", None], ["k", 1]), (["k", None], ["k", None])]
    for kind in ("info", "fail"):
        assert [(one.function, one.result) for one in told("drain", None, [1], kind)] == [("drain", None)]
    for answer in (None, 1, "a", {"a": 1}):
        with pytest.raises(UsageError, match="file:2: a drain that is ok returns the list"):
            told("drain", None, answer)


def test_whatever_carries_steps_returns_them() -> None:
    (one,) = told("write", [["w", 1, 2]], [["w", 1, 2]])
    assert one.result == [["w", 1, 2]]
    (one,) = told("write", [1, 2], [1, 2])
    assert one.result is None


def test_a_name_or_a_great_number_is_the_name_of_a_process() -> None:
    told_of: list[tuple[int | str, str]] = [("c1", "invoke"), (2**63, "invoke"), (2**63, "ok"), ("c1", "ok")]
    lines = [Line(number, process, kind, "read", "", None) for number, (process, kind) in enumerate(told_of)]
    great, named = operations_in(lines, "file")
    assert (great.node, named.node) == (str(2**63), "c1")
    assert {great.process, named.process} == {NAMED, NAMED - 1}
    (plain,) = told("read", None, process=7)
    assert (plain.process, plain.node) == (7, "")
