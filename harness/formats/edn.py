"""EDN, and the histories that Clojure programs write in it: one map an operation, ``{:process 0, :type :invoke, ...}``.

Maps may follow each other, or stand in one vector or list. Keywords, symbols and characters become strings, sets
sorted lists, a tagged value ``{"#tag": value}``; metadata is read over. See https://github.com/edn-format/edn.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from harness.formats.atoms import atom, shown
from harness.formats.fields import TOO_DEEP, line_of
from harness.formats.pairs import Line, malformed
from harness.formats.shapes import Shapes
from harness.history import MAX_NESTING

Form = tuple[int, Any]
_TOKEN = re.compile(
    r"""[\s,\ufeff]+|;[^\n]*|(?P<token>
      "[^"\\]*(?:\\.[^"\\]*)*" | \\.[^\s,;"{}\[\]()\\]*
    | \#\{ | \#_ | \#\#[\w-]+ | \#<[^>\n]*> | \#(?=["(]) | \#[^\s,;"{}\[\]()\\]+
    | \^ | [{}\[\]()] | [^\s,;"{}\[\]()\\^]+
    ) | (?P<open>") | (?P<bad>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"{": "}", "#{": "}", "[": "]", "(": ")"}
_CLOSERS = frozenset(_CLOSING.values())
_PREFIXES = re.compile(r"#(?![<'#{])|\^")
_HISTORY = re.compile(r"\{|\^|#(?!\{)")
"""What the first thing in a vector begins with that is a history."""
_MOST_LINES = 1000
"""A text may go on for so many lines; else a forgotten quotation mark would take the rest of the file."""


class _Open(NamedTuple):
    """A value that is not finished: a collection, or what stands before a value (a tag, "#_", "^")."""

    opening: str
    number: int
    items: list[Any]


def edn_lines(text: Iterable[str], origin: str, first: int = 1) -> Iterator[Line]:
    """The lines of a history in EDN. What the nemesis did is left out."""
    shapes = Shapes(lambda value, number: value_of(value, origin, number))
    before, entry = 0, 0
    for number, form in _Reader(origin, shapes).read(text, first):
        if type(form) is Line:
            yield form
            continue
        if form == []:  # a history without operations
            continue
        entry, before = (entry + 1 if number == before else 0), number
        found = line_of(_record(form, number, origin), number, entry, origin)
        if found is not None:
            yield found


def _record(form: Any, number: int, origin: str) -> dict[Any, Any]:
    """The map of an operation, without the name of its type if it has one."""
    if isinstance(form, dict) and len(form) == 1:
        ((tag, inside),) = form.items()
        if isinstance(inside, dict) and isinstance(tag, str) and tag.startswith("#"):
            return inside
    if not isinstance(form, dict):
        raise malformed(origin, number, "a history is made of maps like {:process 0, :type :invoke, :f :read}")
    return form


def value_of(text: str, origin: str, number: int) -> Any:
    """The one value that a text is."""
    found = [form for _, form in forms([text], origin, number)]
    if len(found) != 1:
        raise malformed(origin, number, f"{shown(text)} is not one value")
    return found[0]


def forms(text: Iterable[str], origin: str, first: int = 1) -> Iterator[Form]:
    """Every value of a text with the number of its line; those of an outermost vector one by one if it holds maps."""
    return _Reader(origin, None).read(text, first)


class _Reader:
    """Reads token by token. Nothing here calls itself, so that no nesting is too deep for it."""

    def __init__(self, origin: str, shapes: Shapes | None) -> None:
        self._origin = origin
        self._shapes = shapes
        self._stack: list[_Open] = []
        self._outermost: _Open | None = None
        """The vector or list that is the history."""
        self._text: list[str] = []
        """The lines so far of a text in quotation marks that is not finished."""
        self._text_number = 0

    def read(self, text: Iterable[str], first: int) -> Iterator[Form]:
        """Every value with the number of its line. A line that looks like ones before is a Line at once."""
        shapes = self._shapes
        for number, line in enumerate(text, start=first):
            if shapes is not None and not self._stack and not self._text:
                found = shapes.read(line, number)
                if found is not None:
                    yield number, found
                    continue
            yield from self._values(line, number)
        self._end()

    def _values(self, line: str, number: int) -> Iterator[Form]:
        if self._text:
            self._text.append(line)
            if '"' not in line and len(self._text) < _MOST_LINES:
                return
            number, line, self._text = self._text_number, "".join(self._text), []
        for match in _TOKEN.finditer(line):
            if match["open"]:
                self._text, self._text_number = [line[match.start() :]], number
                break
            if match["bad"]:
                raise malformed(self._origin, number, f"{match['bad']!r} does not belong here")
            if match["token"]:
                done = self._take(match["token"], number)
                if done is not None:
                    yield done
        if self._text and self._text[0].count("\n") >= _MOST_LINES:
            self._end()

    def _take(self, token: str, number: int) -> Form | None:
        """Take one token; gives the outermost value that it finishes."""
        stack = self._stack
        if self._outermost is None and len(stack) == 1 and self._begins_history(token):
            self._outermost = stack.pop()
        if self._outermost is not None and not stack and token == _CLOSING[self._outermost.opening]:
            self._outermost = None
            return None
        if token in _CLOSING or _PREFIXES.match(token):
            if len(stack) >= MAX_NESTING:
                raise malformed(self._origin, number, TOO_DEEP)
            stack.append(_Open(token, number, []))
            return None
        if token not in _CLOSERS:
            return self._finished(atom(token, number, self._origin), number)
        if not stack or _CLOSING.get(stack[-1].opening) != token:
            raise malformed(self._origin, number, f"{token!r} where a value has to be")
        done = stack.pop()
        return self._finished(_collected(done, self._origin), done.number)

    def _begins_history(self, token: str) -> bool:
        """Whether this is the first thing inside an outermost vector or list, and an operation."""
        only = self._stack[0]
        return only.opening in ("[", "(") and not only.items and _HISTORY.match(token) is not None

    def _finished(self, value: Any, number: int) -> Form | None:
        """A value is there: what stands before it takes it, then the collection that it is in."""
        stack = self._stack
        while stack and stack[-1].opening not in _CLOSING:
            prefix = stack[-1]
            if prefix.opening == "^" and not prefix.items:
                prefix.items.append(value)
                return None
            stack.pop()
            number = prefix.number
            if prefix.opening == "#_":
                # What is left out is no value: what stands before it waits for the next one.
                return None
            value = value if prefix.opening == "^" else {prefix.opening: value}
        if not stack:
            return number, value
        stack[-1].items.append(value)
        return None

    def _end(self) -> None:
        if self._text:
            raise malformed(self._origin, self._text_number, "'\"' does not belong here: the text is never closed")
        if self._stack and self._stack[-1].opening not in _CLOSING:
            raise malformed(self._origin, self._stack[-1].number, "the text ends too early")
        left = self._stack[0] if self._stack else self._outermost
        if left is not None:
            raise malformed(self._origin, left.number, f"this {left.opening} is never closed")


def _collected(done: _Open, origin: str) -> Any:
    items = done.items
    if done.opening == "#{":
        return sorted(items, key=lambda one: (type(one).__name__, one if isinstance(one, int | str) else repr(one)))
    if done.opening != "{":
        return items
    if len(items) % 2:
        raise malformed(origin, done.number, "a map has a key without a value")
    return {_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _key(value: Any) -> Any:
    """A value that can be the key of a map."""
    if isinstance(value, list):
        return tuple(_key(one) for one in value)
    if isinstance(value, dict):
        return tuple((_key(key), _key(one)) for key, one in value.items())
    return value
