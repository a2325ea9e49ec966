"""Judging by the name of a model: an operation is understood, or the verdict is UNKNOWN and names its line."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from harness.checks.consistency import by_model
from harness.checks.consistency.by_model import MODELS, Question
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from harness.checks.verdict import Outcome, Verdict, holds, worst
from harness.errors import UsageError
from harness.formats.pairs import Line
from harness.formats.recorded import operations_in

HOLDS, UNKNOWN, VIOLATED = Outcome.HOLDS, Outcome.UNKNOWN, Outcome.VIOLATED
Told = tuple[Any, ...]
"""Function, what it is invoked with, what it returns; then perhaps how it ends, and its process."""


def lines(operations: list[Told]) -> Iterator[Line]:
    """The lines of operations one after the other, each on a process of its own."""
    for number, (function, asked, answer, *rest) in enumerate(operations):
        kind, process = rest[0] if rest else "ok", rest[1] if len(rest) > 1 else number
        yield Line(2 * number + 1, process, "invoke", function, "", asked)
        yield Line(2 * number + 2, process, kind, function, "", answer)


def verdicts(model: str, *operations: Told, **asked: Any) -> tuple[Verdict, ...]:
    found = operations_from(operations_in(lines(list(operations)), "file"))
    question = {"limits": Limits(), "at": lambda number: f"line {number:.0f}", **asked}
    return MODELS[model](Question(operations=found, **question))


HISTORIES: list[tuple[str, list[Told], dict[str, Any], Outcome, str]] = [
    # Keys inside of values.
    ("register", [("write", [0, 2], [0, 2]), ("read", [0, None], [0, 2]), ("read", [1, None], [1, None])],
     {}, HOLDS, "on 2 keys"),
    ("register", [("write", [0, 2], [0, 2]), ("read", [0, None], [0, 3])], {}, VIOLATED, "(0)"),
    ("register", [("write", ["a", [1, 2]], None), ("read", ["a", None], ["a", [1, 2]])], {}, HOLDS, ""),
    ("register", [("write", [0, 2], None), ("cas", [0, [2, 3]], None), ("read", [0, None], [0, 3])], {}, HOLDS, ""),
    ("register", [("write", [0, 2], None), ("cas", [0, 2, 3], None), ("read", [0, None], [0, 3])], {}, HOLDS, ""),
    ("register", [("write", [0, 2], None), ("cas", [0, 2, 3], None), ("read", [0, None], [0, 2])], {}, VIOLATED, ""),
    ("register", [("write", [0, 2], None), ("cas", [0, [2, 3]], None, "fail"), ("read", [0, None], [0, 2])],
     {}, HOLDS, ""),
    ("register", [("write", 5, None), ("read", [0, None], [0, None])], {}, UNKNOWN, "line 1: write is invoked with 5"),
    ("register", [("write", [0, 5], None), ("read", [0, None], [1, 5])], {}, UNKNOWN, "line 4: read returns [1, 5]"),
    ("register", [("write", [0, 5], None), ("read", [0, None], 5)], {}, UNKNOWN, "line 4: read returns 5"),
    ("register", [("write", [0, 5], None), ("read", [0, None], [0, 5]), ("read", None, [0, 5])], {}, UNKNOWN, "line 5"),
    ("register", [("write", [0, 5], None), ("cas", [0, [5, 6]], None)], {}, UNKNOWN, "say --keyed or --not-keyed"),
    ("register", [("write", [0, 5], None), ("cas", [0, [5, 6]], None)], {"keyed": True}, HOLDS, ""),
    ("register", [("write", 0, None), ("cas", [0, [5, 6]], None), ("read", None, [5, 6])], {}, HOLDS, ""),
    ("register", [("write", [0, 5], None), ("read", [0, None], [0, 6]), ("read", [1, None], [1, None])],
     {"key": "1"}, HOLDS, ""),
    ("set", [("add", ["s", 1], None), ("read", ["s", None], ["s", [1]])], {}, HOLDS, "s: 1 stable"),
    ("set", [("add", ["s", 1], None), ("read", ["s", None], ["s", []])], {}, VIOLATED, "(s)"),
    ("queue", [("enqueue", ["q", 1], None), ("drain", ["q", None], ["q", [1]])], {}, HOLDS, ""),
    ("counter", [("add", ["c", 2], None), ("read", ["c", None], ["c", 2])], {}, HOLDS, ""),
    ("lock", [("acquire", ["l", None], None), ("acquire", ["m", None], None)], {}, HOLDS, "on 2 keys"),
    # Values that are lists, maps, null, great.
    ("register", [("write", [1, 2], None), ("read", None, [1, 2])], {}, HOLDS, "on 1 key"),
    ("register", [("write", [1, 2], None), ("write", [3, 4], None), ("read", None, [1, 2])], {}, VIOLATED, ""),
    ("register", [("write", {"a": 1}, None), ("write", {"a": 1}, None), ("read", None, {"a": 1})], {}, HOLDS, ""),
    ("register", [("write", {"a": 1}, None), ("write", {"a": 1}, None), ("read", None, {"a": 2})], {}, VIOLATED, ""),
    ("register", [("write", 5, None), ("write", None, None), ("read", None, None)], {}, HOLDS, ""),
    ("register", [("write", 5, None), ("write", None, None), ("read", None, 5)], {}, VIOLATED, ""),
    ("register", [("write", 2**70, None), ("read", None, 2**70)], {}, HOLDS, ""),
    ("register", [("write", 2**70, None), ("read", None, 2**70 + 1)], {}, VIOLATED, ""),
    ("register", [("write", 2**70, None), ("write", 2**70, None), ("read", None, 2**70 + 1)], {}, VIOLATED, ""),
    ("register", [("write", 1, None), ("write", 1, None), ("read", None, True)], {}, VIOLATED, ""),
    ("register", [("write", Decimal("0.1"), None), ("read", None, Decimal("0.1"))], {}, HOLDS, ""),
    ("queue", [("enqueue", ["job", 7], None), ("dequeue", None, ["job", 7]), ("dequeue", None, None)], {}, HOLDS, ""),
    ("queue", [("enqueue", ["job", 7], None), ("dequeue", None, ["job", 8])], {}, VIOLATED, ""),
    ("set", [("add", [1, 2], None), ("add", {"a": 1}, None), ("read", None, [[1, 2], {"a": 1}])], {}, HOLDS, ""),
    ("set", [("add", [1, 2], None), ("read", None, [[1, 3]])], {}, VIOLATED, ""),
    ("kv", [("put", "a", None), ("put", None, None), ("get", None, None)], {}, HOLDS, ""),
    # What an object holds at first.
    ("register", [("read", None, 0), ("write", 5, None)], {}, VIOLATED, "--initial 0"),
    ("register", [("write", 5, None), ("read", None, 0)], {}, VIOLATED, "not linearizable"),
    ("register", [("read", None, 0), ("write", 5, None), ("read", None, 5)], {"initial": 0}, HOLDS, ""),
    ("register", [("read", None, None), ("write", 5, None)], {"initial": 0}, VIOLATED, ""),
    ("register", [("read", None, [1]), ("cas", [[1], 2], None), ("read", None, 2)], {"initial": [1]}, HOLDS, ""),
    ("register", [("read", [3, None], [3, 0]), ("write", [4, 1], None)], {"initial": 0}, HOLDS, ""),
    ("kv", [("get", None, "a"), ("append", "b", None), ("get", None, "ab")], {"initial": "a"}, HOLDS, ""),
    ("counter", [("read", None, 7), ("increment", None, None), ("read", None, 8)], {"initial": 7}, HOLDS, ""),
    ("counter", [("read", None, 7), ("increment", None, None)], {}, VIOLATED, "--initial 7"),
    ("rw", [("txn", [["r", "x", None]], [["r", "x", 0]]), ("txn", [["w", "x", 1]], [["w", "x", 1]])],
     {"initial": 0}, HOLDS, ""),
    ("rw", [("txn", [["r", "x", None]], [["r", "x", 0]])], {}, VIOLATED, "--initial"),
    # Queues that are drained.
    ("queue", [("enqueue", 1, None), ("enqueue", 2, None), ("drain", None, [1, 2])], {}, HOLDS, ""),
    ("queue", [("enqueue", 1, None), ("enqueue", 2, None), ("drain", None, [1])], {}, VIOLATED, "1 lost"),
    ("queue", [("enqueue", 1, None), ("drain", None, [])], {}, VIOLATED, ""),
    ("queue", [("enqueue", 1, None), ("drain", None, None, "info"), ("dequeue", None, None)], {}, HOLDS, ""),
    ("queue", [("enqueue", 1, None), ("drain", None, None, "fail"), ("dequeue", None, None)], {}, VIOLATED, "1 lost"),
    ("queue", [("enqueue", 1, None), ("dequeue", None, None), ("drain", None, None, "info")], {}, VIOLATED, ""),
    # Counters and locks.
    ("counter", [("add", 2, None), ("add", -3, None), ("read", None, -1)], {}, HOLDS, ""),
    ("counter", [("add", 2, None), ("read", None, 1)], {}, VIOLATED, ""),
    ("counter", [("add", 0.1, None), ("add", 0.2, None), ("read", None, 0.3)], {}, HOLDS, ""),
    ("lock", [("acquire", None, None), ("acquire", None, None)], {}, VIOLATED, "at the same time"),
    ("lock", [("acquire", None, None, "ok", 1), ("release", None, None, "ok", 2)], {}, VIOLATED, ""),
    ("mutex", [("acquire", None, None, "ok", 1), ("release", None, None, "ok", 2)], {}, HOLDS, ""),
    ("mutex", [("acquire", None, None), ("acquire", None, None)], {}, VIOLATED, ""),
    ("mutex", [("acquire", None, None), ("release", None, None, "info"), ("acquire", None, None)], {}, HOLDS, ""),
    # Banks.
    ("bank", [("read", None, [0.1, 0.2, 0.3]), ("read", None, [0.3, 0.2, 0.1])], {}, HOLDS, "0.6 in total"),
    ("bank", [("read", None, {"a": 0.1, "b": 0.2})], {"total": "0.3"}, HOLDS, ""),
    ("bank", [("read", None, {"a": 2**53 + 1})], {"total": str(2**53)}, VIOLATED, f"{2**53 + 1} in total"),
    ("bank", [("read", None, {"a": 0.1}), ("read", None, {"a": 0.2})], {}, VIOLATED, "0.2 in total instead of 0.1"),
    # Transactions, whatever they are called.
    ("rw", [("write", [["w", 9, 1]], [["w", 9, 1]]), ("read", [["r", 9, None]], [["r", 9, 1]])], {}, HOLDS, ""),
    ("rw", [("txn", [["w", 8, 1]], [["w", 8, 1]]), ("read", [["r", 8, None]], [["r", 8, 7]])], {}, VIOLATED, "phantom"),
    ("rw", [("txn", [["write", 8, 1]], None), ("txn", [["read", 8, None]], [["read", 8, 1]])], {}, HOLDS, ""),
    ("rw", [("txn", [["w", "x", None]], None), ("txn", [["r", "x", None]], [["r", "x", None]])], {}, HOLDS, ""),
    ("rw", [("txn", [["w", "x", 0]], None), ("txn", [["r", "x", None]], [["r", "x", False]])], {}, VIOLATED, ""),
    ("rw", [("txn", [["w", "x", [1]]], None), ("txn", [["r", "x", None]], [["r", "x", [1]]])], {}, HOLDS, ""),
    ("append", [("txn", [["append", "x", 1]], None), ("read", [["r", "x", None]], [["r", "x", [2]]])],
     {}, VIOLATED, ""),
    ("append", [("append", 1, None), ("read", None, [1])], {}, HOLDS, ""),
    ("append", [("append", [[1, 2], 3], None), ("read", None, [[[1, 2], 3]])], {}, HOLDS, ""),
    ("multi-register", [("txn", [["write", "x", 1], ["write", "y", 1]], None), ("read", None, {"x": 1, "y": 1})],
     {}, HOLDS, ""),
    ("multi-register", [("write", {"x": 1, "y": 1}, None), ("read", {"x": None, "y": None}, {"x": 1, "y": None})],
     {}, VIOLATED, ""),
    ("multi-register", [("read", ["x"], None, "info"), ("write", {"x": 1}, None)], {}, UNKNOWN, "line 1"),
    ("multi-register", [("read", None, {"x": 0, "y": 5})], {"initial": {"x": 0, "y": 5}}, HOLDS, ""),
    ("multi-register", [("read", None, {"x": 0, "y": 5})], {"initial": 0}, VIOLATED, ""),
]  # fmt: skip


@pytest.mark.parametrize(("model", "operations", "asked", "outcome", "words"), HISTORIES)
def test_what_a_history_means(
    model: str, operations: list[Told], asked: dict[str, Any], outcome: Outcome, words: str
) -> None:
    found = verdicts(model, *operations, **asked)
    told = "; ".join(map(str, found))
    assert worst(found) is outcome, told
    assert words in told


STRANGE: list[tuple[str, list[Told], str]] = [
    ("register", [("write", 1, None), ("txn", [["r", 1, None]], [["r", 1, 1]])], "line 3: this check knows read"),
    ("register", [("read", 7, 8)], "line 1: read is invoked with null, not 7"),
    ("kv", [("put", 1, None), ("get", None, "1")], "line 1: put takes a text or null, not 1"),
    ("kv", [("append", None, None), ("get", None, "1")], "line 1: append takes a text, not null"),
    ("kv", [("get", None, ["a"])], "line 2: get returns a text or null, not ['a']"),
    ("set", [("add", 1, None), ("read", None, 1)], "line 4: read returns a list, or null where there"),
    ("set", [("remove", 1, None), ("read", None, [1])], "line 1: this check knows add, read"),
    ("append", [("append", 1, None), ("read", None, "1")], "line 4: read returns a list"),
    ("queue", [("enqueue", None, None), ("dequeue", None, None)], "line 1: enqueue takes anything but null"),
    ("counter", [("increment", "1", None), ("read", None, 1)], "line 1: increment takes a number, not '1'"),
    ("counter", [("increment", 1, None), ("read", None, None)], "line 4: read returns a number, not null"),
    ("counter", [("increment", True, None), ("read", None, 1)], "line 1: increment takes a number, not True"),
    ("bank", [("read", None, {"a": 1}), ("read", None, {"a": "10.00"})], "line 4: read returns a map of accounts"),
    ("bank", [("read", None, {"a": None})], "line 2: read returns a map of accounts"),
    ("bank", [("read", None, 10)], "line 2: read returns a map of accounts"),
    ("bank", [("read", None, [1, [2]])], "line 2: read returns a map of accounts"),
    ("bank", [("read", None, [float("inf")])], "line 2: read returns a map of accounts"),
    ("bank", [("read", None, {"a": 1}), ("withdraw", 1, None)], "line 3: this check knows transfer, read"),
    ("lock", [("acquire", "x", None)], "line 1: acquire takes null"),
    ("rw", [("txn", [["w", 8, 1]], None), ("read", None, 1)], "line 3: null is no list of steps"),
    ("rw", [("txn", [["r", 8, None]], None)], "line 2: it was committed, but not what it read"),
    ("rw", [("txn", [["r", 8, None]], [["r", 9, 1]])], "line 2: it was invoked with"),
    ("rw", [("txn", [["w", 8, 1]], [["w", 8, 2]])], "line 2: it was invoked with"),
    ("rw", [("txn", [["append", 8, 1]], None)], "line 1: 'append' is no step of a transaction of this model"),
    ("rw", [("txn", [["w", 8]], None)], "line 1: ['w', 8] is no step"),
    ("rw", [("txn", [["w", 8, 1]], None), ("begin", None, None)], "line 3: begin is no transaction"),
    ("append", [("txn", [["r", 1, None]], [["r", 1, 5]])], "line 2: a list was read as 5"),
    ("append", [("txn", [["append", 1, None]], None)], "line 1: null was appended"),
    ("append", [("txn", [["append", 1, 1]], None), ("read", None, [1])], "line 3: null is no list of steps"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "operations", "words"), STRANGE)
def test_what_is_not_understood_is_unknown_and_named(model: str, operations: list[Told], words: str) -> None:
    found = verdicts(model, *operations)
    assert {one.outcome for one in found} == {UNKNOWN}
    assert words in found[0].summary


def test_a_process_is_called_by_its_name() -> None:
    (verdict,) = verdicts("register", ("write", 1, None, "ok", "c1"), ("read", None, 2, "ok", "c2"))
    assert verdict.outcome is VIOLATED
    assert "process c2 read 2" in str(verdict)
    both = verdicts("lock", ("acquire", None, None, "ok", 2**62), ("release", None, None, "ok", 2**62))
    assert [one.outcome for one in both] == [HOLDS]


@pytest.mark.parametrize("model", ["set", "queue", "bank", "append", "lock", "mutex"])
def test_what_begins_empty_takes_no_initial_value(model: str) -> None:
    with pytest.raises(UsageError, match="begins empty"):
        verdicts(model, ("read", None, None), initial=0)


def test_what_an_object_cannot_hold_at_first_is_refused() -> None:
    with pytest.raises(UsageError, match="a counter begins with a number, not 'a'"):
        verdicts("counter", ("read", None, 1), initial="a")
    with pytest.raises(UsageError, match="the total 'a' is no number"):
        verdicts("bank", ("read", None, [1]), total="a")


def test_a_check_that_fails_is_unknown_with_where_and_the_others_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(asked: Question, check: str) -> Verdict:
        raise RuntimeError("oh")

    recipe = by_model.Recipe(checks={"one": failing, "two": lambda asked, check: holds(check, "fine")}, names={})
    monkeypatch.setitem(by_model._RECIPES, "register", recipe)
    one, two = verdicts("register", ("read", None, None))
    assert (one.outcome, two.outcome) == (UNKNOWN, HOLDS)
    assert "RuntimeError('oh')" in one.summary
    assert "in failing" in str(one)


def test_a_verdict_is_told_before_it_is_explained() -> None:
    told: list[str] = []
    verdicts("register", ("write", 1, None), ("read", None, 2), tell=told.append)
    assert len(told) == 1
    assert told[0].startswith("VIOLATED linearizable_register")
    assert "at most 5 s" in told[0]
    told.clear()
    verdicts("register", ("write", 1, None), ("read", None, 1), tell=told.append)
    assert told == []
