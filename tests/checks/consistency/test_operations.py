"""Operations as arrays give back what was put in."""

import numpy as np
import pytest

from harness.checks.consistency.operations import NEVER, operations_from, operations_of, ranks
from harness.history import History
from harness.operations import belongs_to
from tests.checks.consistency.telling import operations

WORDS = ("1 write 5", "2 cas [5,6]", "3 read 6", "4 read", "5 write 7?", "6 write 8!", "7 enqueue 9", "8 dequeue 9")


def test_arrays_hold_what_was_put_in() -> None:
    rows = operations(*WORDS, "9 append 1", "9 read [1,2]", "9 read []")
    found = operations_from(rows).rows()
    for one, other in zip(rows, found, strict=True):
        assert (one.process, one.function, one.key, one.argument, one.expected) == (
            other.process,
            other.function,
            other.key,
            other.argument,
            other.expected,
        )
        assert (one.number, one.node, one.outcome, one.invoked_s) == (
            other.number,
            other.node,
            other.outcome,
            other.invoked_s,
        )
        assert other.completed_s == (None if one.outcome == "unknown" else one.completed_s)
        assert other.result == (tuple(one.result) if isinstance(one.result, list) else one.result)


def test_operations_are_in_the_order_of_their_calls() -> None:
    first, second = operations("1 write 1", "2 write 2")
    found = operations_from([second, first])
    assert found.number.tolist() == [0, 1]
    assert found.call.tolist() == [0, 2]
    assert found.ret.tolist() == [1, 3]


def test_at_the_same_instant_calls_come_first_and_what_never_returns_comes_last() -> None:
    call, ret = ranks(np.array([1.0, 2.0]), np.array([2.0, np.inf]))
    assert call.tolist() == [0, 1]
    assert ret.tolist() == [2, NEVER]


@pytest.mark.parametrize(
    ("key", "which"),
    [(None, {"a", "a/1", "ab", "b"}), ("a", {"a", "a/1"}), ("a/1", {"a/1"}), ("c", set())],
)
def test_a_key_stands_for_what_is_below_it(key: str | None, which: set[str]) -> None:
    names = ("a", "a/1", "ab", "b")
    assert {name for name in names if belongs_to(name, key)} == which
    history = History(event for name in names for one in operations("1 write 1", key=name) for event in one.events)
    found = operations_of(history, key)
    assert {one.key for one in found.rows()} == which
