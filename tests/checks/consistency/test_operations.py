"""Operations as arrays give back what was put in, and as events what the history has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.consistency.operations import (
    NEVER,
    Operation,
    Values,
    belongs_to,
    operations_from,
    operations_of,
    paired,
    ranks,
)
from harness.history import History
from tests.checks.consistency.telling import operations

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)
WORDS = ("1 write 5", "2 cas [5,6]", "3 read 6", "4 read", "5 write 7?", "6 write 8!", "7 enqueue 9", "8 dequeue 9")


@given(st.lists(JSON, max_size=6))
def test_every_value_has_a_code_of_its_own_and_comes_back(found: list[object]) -> None:
    values = Values()
    codes = [values.encode(one) for one in found]
    assert [values.decode(code) for code in codes] == found
    for one, code in zip(found, codes, strict=True):
        assert values.encode(one) == code


def test_what_python_takes_for_equal_stays_apart() -> None:
    values = Values()
    apart = [1, True, "1", 1.0, [1], [True], {"a": 1}, {"a": True}, None, 0, False, 1 << 61, -(1 << 61)]
    codes = [values.encode(one) for one in apart]
    assert len(set(codes)) == len(apart)
    assert values.encode((1,)) == values.encode([1])


def test_an_operation_is_two_events_and_back() -> None:
    for one in operations(*WORDS):
        invoked, completed = (*one.events, None)[:2]
        assert paired(invoked, completed) == one  # type: ignore[arg-type]
    (answered,) = [one for one in operations(*WORDS) if one.process == 3]
    (written,) = [one for one in operations(*WORDS) if one.process == 1]
    assert [event.value for event in (*answered.events, *written.events)] == [None, 6, 5, 5]


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


def test_an_operation_that_has_no_number_is_number_0() -> None:
    assert Operation(process=1, function="read", key="x").number == 0
