"""Numbers are what was written."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.consistency.numbers import exact, is_number, shown


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0.1, Fraction(1, 10)),
        (2.0, 2),
        (-0.0, 0),
        (2**70 + 1, 2**70 + 1),
        (Decimal("10.00"), 10),
        (Decimal("9007199254740993.5"), Fraction(18014398509481987, 2)),
        (Fraction(1, 3), Fraction(1, 3)),
        ("0.30", Fraction(3, 10)),
        (str(2**60 + 1), 2**60 + 1),
        (True, None),
        (None, None),
        ("a", None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        (Decimal("1e999999999"), None),
        (Decimal("1e-999999999"), None),
    ],
)
def test_a_number_is_taken_as_it_was_written(value: object, number: object) -> None:
    assert exact(value) == number
    assert is_number(value) == (number is not None and not isinstance(value, str))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_what_is_shown_is_the_number(number: Decimal) -> None:
    assert Decimal(shown(exact(number))) == number


def test_what_has_no_end_is_shown_as_a_ratio() -> None:
    assert shown(Fraction(1, 3)) == "1/3"
    assert [shown(Fraction(number, 1000)) for number in (1, -25, 1500)] == ["0.001", "-0.025", "1.5"]
