"""EDN as Clojure programs write histories: one map an operation, ``{:process 0, :type :invoke, :f :read, :value nil}``.

Maps may follow each other, or stand in one vector. Tags are read over; keywords become strings.
See https://github.com/edn-format/edn.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from harness.formats.pairs import Line, malformed

Token = tuple[int, str]
_TOKEN = re.compile(
    r'[\s,]+|;.*|(?P<token>"(?:[^"\\]|\\.)*"|#\{|#_|#[\w.\-/]+|[{}\[\]()]|[^\s,;"{}\[\]()]+)|(?P<bad>.)'
)
_CLOSING = {"{": "}", "#{": "}", "[": "]", "(": ")"}
_WORDS = {"nil": None, "true": True, "false": False}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SKIP = object()


def edn_lines(text: Iterable[str], origin: str) -> Iterator[Line]:
    """The lines of a history in EDN. What processes that have no number did (the nemesis) is left out."""
    for number, form in forms(text, origin):
        if not isinstance(form, dict):
            raise malformed(origin, number, "a history is made of maps like {:process 0, :type :invoke, :f :read}")
        missing = [name for name in ("process", "type", "f") if name not in form]
        if missing:
            raise malformed(origin, number, f"this operation has no :{missing[0]}")
        if type(form["process"]) is int:
            key = form.get("key", "")
            yield Line(number, form["process"], form["type"], form["f"], str(key), form.get("value"))


def value_of(text: str, origin: str, number: int) -> Any:
    """The one value that a text is."""
    found = [form for _, form in forms([text], origin, number)]
    if len(found) != 1:
        raise malformed(origin, number, f"{text!r} is not one value")
    return found[0]


def forms(text: Iterable[str], origin: str, first: int = 1) -> Iterator[tuple[int, Any]]:
    """Every value of a text with the number of its line; those of an outermost vector one by one if it holds maps."""
    tokens = _tokens(text, origin, first)
    opened = 0
    for at, opening in tokens:
        number, token = at, opening
        if opening == "[" and not opened:
            number, token = next(tokens, (at, ""))
            if not token.startswith(("{", "#")):
                yield at, _collection("[", at, chain([(number, token)] if token else [], tokens), origin)
                continue
            opened = at
        if token == "]" and opened:
            opened = 0
            continue
        form = _form(token, number, tokens, origin)
        if form is not _SKIP:
            yield number, form
    if opened:
        raise malformed(origin, opened, "this [ is never closed")


def _tokens(text: Iterable[str], origin: str, first: int) -> Iterator[Token]:
    for number, line in enumerate(text, start=first):
        for match in _TOKEN.finditer(line):
            if match["bad"]:
                raise malformed(origin, number, f"{match['bad']!r} does not belong here")
            if match["token"]:
                yield number, match["token"]


def _form(token: str, number: int, tokens: Iterator[Token], origin: str) -> Any:
    if token in _CLOSING:
        return _collection(token, number, tokens, origin)
    if token == "#_" or token.startswith("#"):
        at, following = next(tokens, (number, ""))
        form = _form(following, at, tokens, origin)
        return _SKIP if token == "#_" else form
    if token in _CLOSING.values() or not token:
        raise malformed(origin, number, f"{token!r} where a value has to be" if token else "the text ends too early")
    return _atom(token, number, origin)


def _collection(opening: str, number: int, tokens: Iterator[Token], origin: str) -> Any:
    items: list[Any] = []
    for at, token in tokens:
        if token == _CLOSING[opening]:
            if opening != "{":
                return items
            if len(items) % 2:
                raise malformed(origin, number, "a map has a key without a value")
            return {_key(items[i]): items[i + 1] for i in range(0, len(items), 2)}
        form = _form(token, at, tokens, origin)
        if form is not _SKIP:
            items.append(form)
    raise malformed(origin, number, f"this {opening} is never closed")


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _atom(token: str, number: int, origin: str) -> Any:
    if token.startswith('"'):
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1])
    if token.startswith(":") and len(token) > 1:
        return token[1:]
    if token in _WORDS:
        return _WORDS[token]
    try:
        return int(token.removesuffix("N"))
    except ValueError:
        pass
    try:
        return float(token.removesuffix("M"))
    except ValueError:
        raise malformed(origin, number, f"{token!r} is no value of EDN") from None
