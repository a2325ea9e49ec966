"""One JSON object a line: ``{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}``.

One array of such objects is read as well.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from harness.formats.atoms import as_written
from harness.formats.fields import TOO_DEEP, TYPES, is_name, line_of
from harness.formats.pairs import Line, malformed
from harness.history import MAX_NESTING, nesting


class _Told(msgspec.Struct):
    """What is read of an object; the rest of it is passed over."""

    process: Any = None
    type: Any = None
    f: Any = None
    key: Any = None
    value: Any = None
    nemesis: Any = None
    kind: Any = None


_COMMON = frozenset({"read", "write", "cas", "get", "put", "append", "add", "enqueue", "dequeue", "transfer", "txn"})
_DECODER = msgspec.json.Decoder(_Told, float_hook=as_written)


def jsonl_lines(text: Iterable[str], origin: str, first: int = 1) -> Iterator[Line]:
    """The lines of a history in JSON."""
    lines = iter(text)
    for number, given in enumerate(lines, start=first):
        line = given.lstrip("\ufeff \t") if number == 1 else given
        if not line or line.isspace():
            continue
        if line[0] == "[":
            yield from _array(chain([line], lines), number, origin)
            return
        found = _line(line, number, 0, origin)
        if found is not None:
            yield found


def _line(text: str, number: int, entry: int, origin: str) -> Line | None:
    try:
        told = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise malformed(origin, number, _why(text, error)) from None
    process, kind, function, key = told.process, told.type, told.f, told.key
    if (text.count("[") + text.count("{") > MAX_NESTING) and nesting(told.value) > MAX_NESTING:
        raise malformed(origin, number, TOO_DEEP)
    if (
        type(process) is int
        and 0 <= process < 1 << 60
        and type(kind) is str
        and kind in TYPES
        and type(function) is str
        and (function in _COMMON or is_name(function))
        and (key is None or type(key) is str)
        and told.nemesis is None
    ):
        return Line(number, process, kind, function, key or "", told.value, entry)
    if told.kind is not None:
        raise malformed(origin, number, "this is a history of the harness itself: leave out --format")
    names = ("process", "type", "f", "key", "value", "nemesis")
    return line_of({name: getattr(told, name) for name in names}, number, entry, origin)


def _why(text: str, error: Exception) -> str:
    start = text.lstrip()[:1]
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if isinstance(error, UnicodeError) or ("\\ud" in text.lower() and "truncated" in str(error)):
        return "not JSON: half of a character (a lone surrogate)"
    if start not in "{":
        return "an operation is an object with process, type and f, one object a line"
    return f"not JSON, one object a line ({error!s:.100})"


def _array(lines: Iterable[str], first: int, origin: str) -> Iterator[Line]:
    """The objects of one array."""
    scan = json.JSONDecoder().raw_decode
    text = "".join(lines)
    place, number, entry, before = 1, first, 0, 0
    while True:
        begin = place
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        number += text.count("\n", begin, place)
        if place == len(text):
            raise malformed(origin, first, "this [ is never closed")
        if text[place] == "]":
            if text[place + 1 :].strip():
                raise malformed(origin, number, "something stands behind the array; allowed: one object a line")
            return
        try:
            _, end = scan(text, place)
        except (ValueError, RecursionError):
            end = len(text)
        entry, before = (entry + 1 if number == before else 0), number
        found = _line(text[place:end], number, entry, origin)
        if found is not None:
            yield found
        number, place = number + text.count("\n", place, end), end
