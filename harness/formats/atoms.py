"""The values of EDN that are no collections."""

import math
import re
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.formats.pairs import malformed

MAX_DIGITS = 1000
_WORDS: dict[str, Any] = {
    "nil": None, "true": True, "false": False, "##Inf": float("inf"), "##-Inf": float("-inf"), "##NaN": "##NaN",
}  # fmt: skip
_CHARACTERS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "formfeed": "\f", "backspace": "\b"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?(\d+)N?")
_RADIX = re.compile(r"([+-]?)(?:0[xX]|(\d{1,2})[rR])([0-9a-zA-Z]+)N?")
_RATIO = re.compile(r"[+-]?\d+/\d+")
_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,4})?M?")
_NUMBER = re.compile(r"[+-]?\.?\d")


def shown(text: object) -> str:
    """What was written, for people: never more than a few words of it."""
    told = ascii(text) if isinstance(text, str) and not text.isprintable() else repr(text)
    return told if len(told) <= 60 else f"{told[:57]}..."


def atom(token: str, number: int, origin: str) -> Any:
    """The value of a token.

    Raises UsageError, naming file and line, when it is none.
    """
    if token in _WORDS:
        return _WORDS[token]
    first = token[0]
    if first == '"':
        return _unescaped(token, number, origin)
    if first == ":" and len(token) > 1:
        return token[1:]
    if first == "\\":
        return _character(token, number, origin)
    if _NUMBER.match(token):
        return _number(token, number, origin)
    if first == ":" or (first == "#" and token[1:2] not in ("'", "<")):
        raise malformed(origin, number, f"{shown(token)} is no value of EDN")
    return token


def _number(token: str, number: int, origin: str) -> Any:
    if len(token) > MAX_DIGITS:
        raise malformed(origin, number, f"a number of {len(token):,} digits; allowed: {MAX_DIGITS:,}")
    radix = _RADIX.fullmatch(token)
    try:
        if _INTEGER.fullmatch(token):
            return int(token.removesuffix("N"))
        if _RATIO.fullmatch(token):
            ratio = Fraction(token)
            return ratio.numerator if ratio.denominator == 1 else ratio
        if _DECIMAL.fullmatch(token):
            return _decimal(token)
        if radix:
            return int(radix[1] + radix[3], int(radix[2] or 16))
    except (ValueError, ArithmeticError):
        pass
    raise malformed(origin, number, f"{shown(token)} is no value of EDN")


def as_written(text: str) -> float | Decimal:
    """A number with a point or an exponent: a float if that is the same number, else every digit of it.

    Raises ValueError for one that is too great or too long.
    """
    nearest = float(text)
    if math.isinf(nearest) or len(text) > MAX_DIGITS:
        raise ValueError(f"{shown(text)} is too great a number")
    if len(text) <= sys.float_info.dig and "e" not in text and "E" not in text:
        return nearest
    exact = Decimal(text)
    return nearest if exact == Decimal(repr(nearest)) else exact


def _decimal(token: str) -> float | Decimal:
    """With M exactly what was written; without, EDN says that it is a float."""
    if token.endswith("M"):
        return as_written(token[:-1])
    nearest = float(token)
    if math.isinf(nearest):
        raise ValueError(token)
    return nearest


def _character(token: str, number: int, origin: str) -> str:
    name = token[1:]
    try:
        if len(name) == 1:
            return name
        if name in _CHARACTERS:
            return _CHARACTERS[name]
        if name[0] in "uo":
            return _valid(chr(int(name[1:], 16 if name[0] == "u" else 8)))
    except (ValueError, OverflowError):
        pass
    raise malformed(origin, number, f"{shown(token)} is no character of EDN")


def _unescaped(token: str, number: int, origin: str) -> str:
    if "\\" not in token:
        return token[1:-1]

    def meant(match: re.Match[str]) -> str:
        name = match[1]
        return chr(int(name[1:], 16)) if len(name) > 1 else _ESCAPES.get(name, name)

    try:
        return _valid(_ESCAPE.sub(meant, token[1:-1]))
    except ValueError:
        raise malformed(origin, number, f"{shown(token)} has half of a character (a lone surrogate)") from None


def _valid(text: str) -> str:
    """The text, with the two halves of a character put together; ValueError when one is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")
