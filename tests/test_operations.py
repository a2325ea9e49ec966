"""Operations put together from their events, and their values as codes."""

from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.checks.consistency.operations import built, operations_from
from harness.operations import Operation, Pairing, Values, hashable, paired
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


def test_no_list_looks_like_something_else() -> None:
    apart: list[object] = [
        [True], ["bool", 1], [bool, True], 1.5, Decimal("1.5"), Fraction(3, 2), ["float", 1.5],
        {"a": 1}, [["a", 1]], [dict, [["a", 1]]], {1: 2}, {"1": 2}, frozenset({1}), [1], 2**70, 2**70 + 1, float(2**70),
    ]  # fmt: skip
    values = Values()
    assert len({values.encode(one) for one in apart}) == len(apart)
    assert len({hashable(one) for one in apart}) == len(apart)
    assert hashable(float("nan")) == hashable(float("nan"))
    assert hashable({"a": 1, "b": [2]}) == hashable({"b": (2,), "a": 1})


def test_an_operation_is_two_events_and_back() -> None:
    for one in operations(*WORDS):
        invoked, completed = (*one.events, None)[:2]
        assert paired(invoked, completed) == one
    (answered,) = [one for one in operations(*WORDS) if one.process == 3]
    (written,) = [one for one in operations(*WORDS) if one.process == 1]
    assert [event.value for event in (*answered.events, *written.events)] == [None, 6, 5, 5]


def test_an_operation_that_has_no_number_is_number_0() -> None:
    assert Operation(process=1, function="read", key="x").number == 0


@given(st.randoms(use_true_random=False))
def test_events_are_put_together_in_whatever_order_they_come(random: Random) -> None:
    rows = operations(*WORDS, "9 write 10")
    events = [event for one in rows for event in one.events][:-1]
    random.shuffle(events)
    pairing = Pairing()
    for event in events:
        pairing.take(event)
    wanted = operations_from([*rows[:-1], paired(rows[-1].events[0], None)]).rows()
    assert built(pairing.end()).rows() == wanted
    assert len(pairing.end()) == len(rows)


def test_an_end_without_a_beginning_is_nothing() -> None:
    (one,) = operations("1 write 1")
    pairing = Pairing()
    pairing.take(one.events[-1])
    assert len(pairing.end()) == 0
