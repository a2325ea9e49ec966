"""Numbers as they were written: amounts of decimals add up exactly, and great whole numbers stay apart."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

MOST_DIGITS = 1000
"""A number has at most so many digits before and after the point; sums of greater ones would take for ever."""


def exact(value: Any) -> int | Fraction | None:
    """A number exactly as it was written (0.1 is a tenth), whole ones as integers; None for what is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str | float):
        try:
            value = Decimal(repr(value) if isinstance(value, float) else value.strip())
        except InvalidOperation:
            return None
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS:
            return None
        value = Fraction(value)
    if not isinstance(value, Fraction):
        return None
    return value.numerator if value.denominator == 1 else value


def is_number(value: Any) -> bool:
    """Whether a value of a history is a finite number; a text is none, whatever it says."""
    return not isinstance(value, str) and exact(value) is not None


def shown(value: Any) -> str:
    """An exact number as people write it: 0.6, not 3/5, where it has such a form."""
    if isinstance(value, Fraction):
        rest = value.denominator
        for factor in (2, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            places = value.denominator.bit_length()
            digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
            after = digits[-places:].rstrip("0")
            return f"{'-' if value < 0 else ''}{digits[:-places]}.{after}"
    return str(value)
