"""One JSON object a line: ``{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}``."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from harness.formats.pairs import OUTCOMES, Line, malformed


def jsonl_lines(text: Iterable[str], origin: str) -> Iterator[Line]:
    """The lines of a history in JSON."""
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise malformed(origin, number, f"not JSON ({error})") from None
        if not isinstance(fields, dict):
            raise malformed(origin, number, "an operation is an object with process, type and f")
        if "kind" in fields:
            raise malformed(origin, number, "this is a history of the harness itself: leave out --format")
        found = _line(fields, number, origin)
        if found is not None:
            yield found


def _line(fields: dict[str, Any], number: int, origin: str) -> Line | None:
    for name in ("process", "type", "f"):
        if name not in fields:
            raise malformed(origin, number, f'this operation has no "{name}"')
    kind = fields["type"]
    if kind != "invoke" and kind not in OUTCOMES:
        raise malformed(origin, number, f"type {kind!r}: there are invoke, ok, fail and info")
    if type(fields["process"]) is not int:
        return None
    return Line(number, fields["process"], kind, str(fields["f"]), str(fields.get("key", "")), fields.get("value"))
