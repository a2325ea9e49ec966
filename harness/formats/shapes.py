"""Histories in EDN quickly: a program writes all its operations in the same few ways, so they are learned.

A *shape* is the keys of a map in their order. A line of a shape that came before is one match of a regular
expression, a tenth of the work of reading it token by token. Whatever fits no shape is left to the reader of EDN.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.formats.fields import LONGEST_NAME, TYPES
from harness.formats.pairs import Line

_KEY = r":[\w.\-/?!*+]+"
_FLAT = r'[^\[\]{}()"#;\\^]*'
_NESTED = _FLAT
for _ in range(3):
    _NESTED = rf"{_FLAT}(?:\[{_NESTED}\]{_FLAT})*"
_VALUE = rf'(?:-?\d{{1,18}}|nil|true|false|{_KEY}|"[^"\\\n]*"|\[{_NESTED}\])'
PLAIN = re.compile(_VALUE)
_MAP = re.compile(rf"\{{[\s,]*{_KEY}\s+{_VALUE}(?:[\s,]+{_KEY}\s+{_VALUE})*[\s,]*\}}\s*")
_PAIR = re.compile(rf"([\s,{{]+)({_KEY})(\s+){_VALUE}")
_NARROW = {
    "process": r"(\d{1,18})",
    "type": rf":({'|'.join(sorted(TYPES))})",
    "f": rf":({_KEY[1:-1]}{{1,{LONGEST_NAME}}})",
}
"""Anything else is for the reader of EDN to accept or to refuse."""
_WANTED = ("process", "type", "f", "value")
_PARTS = re.compile(r"[\[\]]|[^\s,\[\]]+")
_MOST_SHAPES = 12
_MOST_VALUES = 1 << 16


class _Shape(NamedTuple):
    match: Callable[[str], re.Match[str] | None]
    groups: tuple[int, ...]
    """Where process, type, function, value and, if there is one, key are."""


class PlainValues:
    """Reads values that are written plainly: numbers, words, keywords, short texts, and vectors of them.

    ``parse`` reads any value on a line; whatever it gave is kept.
    """

    def __init__(self, parse: Callable[[str, int], Any]) -> None:
        self._parse = parse
        self._values: dict[str, Any] = {}

    def read(self, text: str, number: int) -> Any:
        """The value of a text that is plain."""
        if len(text) < 19 and text.isdecimal():
            return int(text)
        values = self._values
        if text in values:
            return values[text]
        if text[0] == "[":
            return self._vector(text, number)
        value = self._parse(text, number)
        if len(values) < _MOST_VALUES:
            values[text] = value
        return value

    def _vector(self, text: str, number: int) -> Any:
        """A vector of vectors and of values without spaces: that is all that a shape lets through."""
        outer: list[list[Any]] = []
        items: list[Any] = []
        for token in _PARTS.findall(text):
            if token == "[":
                outer.append(items)
                items = []
            elif token == "]":
                done, items = items, outer.pop()
                items.append(done)
            else:
                items.append(self.read(token, number))
        return items[0]


class Shapes:
    """The shapes that were seen so far, the last one first. ``parse`` reads the text of a value on a line."""

    def __init__(self, parse: Callable[[str, int], Any]) -> None:
        self._value = PlainValues(parse).read
        self._shapes: list[_Shape] = []
        self._known: set[tuple[tuple[str, str, str], ...]] = set()

    def read(self, line: str, number: int) -> Line | None:
        """The line of an operation, or None for one that has to be read token by token."""
        for place, shape in enumerate(self._shapes):
            found = shape.match(line)
            if found is not None:
                if place:
                    self._shapes.insert(0, self._shapes.pop(place))
                return self._line(found.group(*shape.groups), number)
        if len(self._known) < _MOST_SHAPES and _MAP.fullmatch(line):
            self._learn(tuple(_PAIR.findall(line)))
        return None

    def _learn(self, pieces: tuple[tuple[str, str, str], ...]) -> None:
        """A shape is usable that has everything once, and none of what leaves an operation out."""
        names = [key[1:] for _, key, _ in pieces]
        if pieces in self._known or len({*names}) < len(names) or not {*_WANTED} <= {*names} or "nemesis" in names:
            return
        self._known.add(pieces)
        wanted = [*_WANTED, *(["key"] if "key" in names else [])]
        parts = [
            _gap(before)
            + re.escape(key)
            + _gap(between)
            + _NARROW.get(name, f"({_VALUE})" if name in wanted else _VALUE)
            for name, (before, key, between) in zip(names, pieces, strict=True)
        ]
        order = [name for name in names if name in wanted]
        groups = tuple(order.index(name) + 1 for name in wanted)
        self._shapes.insert(0, _Shape(re.compile("".join(parts) + r"[\s,]*\}\s*").fullmatch, groups))

    def _line(self, texts: tuple[str | Any, ...], number: int) -> Line | None:
        process, kind, function, value = texts[:4]
        key = "" if len(texts) == 4 else self._value(texts[4], number)
        if not isinstance(key, str):
            return None
        return Line(number, int(process), kind, function, key, self._value(value, number))


def _gap(text: str) -> str:
    """As much space as there was, or more or less of it."""
    escaped = re.escape(text.replace("{", ""))
    spaces = re.sub(r"(?:\\\s)+", lambda match: " +" if set(match[0]) == {"\\", " "} else r"\s+", escaped)
    return r"\{" + spaces if "{" in text else spaces
