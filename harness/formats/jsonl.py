"""One JSON object a line: ``{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}``.

A history of this harness is read as well: its lines have a "kind", and those that are no operations are read over.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from harness.formats.recorded import OUTCOMES, Line, malformed


def jsonl_lines(text: Iterable[str], origin: str) -> Iterator[Line]:
    """The lines of a history in JSON."""
    going: dict[tuple[int, int], tuple[str, str]] = {}
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise malformed(origin, number, f"not JSON ({error})") from None
        if not isinstance(fields, dict):
            raise malformed(origin, number, "an operation is an object with process, type and f")
        own = "kind" in fields
        found = _own(fields, number, origin, going) if own else _foreign(fields, number, origin)
        if found is not None:
            yield found


def _foreign(fields: dict[str, Any], number: int, origin: str) -> Line | None:
    for name in ("process", "type", "f"):
        if name not in fields:
            raise malformed(origin, number, f'this operation has no "{name}"')
    kind = fields["type"]
    if kind != "invoke" and kind not in OUTCOMES:
        raise malformed(origin, number, f"type {kind!r}: there are invoke, ok, fail and info")
    if type(fields["process"]) is not int:
        return None
    return Line(number, fields["process"], kind, str(fields["f"]), str(fields.get("key", "")), fields.get("value"))


def _own(
    fields: dict[str, Any], number: int, origin: str, going: dict[tuple[int, int], tuple[str, str]]
) -> Line | None:
    """A line of this harness: an operation may end after its process began another one, under a new number."""
    if fields["kind"] not in ("invoked", "completed"):
        return None
    try:
        process, operation = int(fields["process"]), int(fields["operation"])
        if fields["kind"] == "invoked":
            going[process, operation] = fields["function"], fields["key"]
            return Line(number, process, "invoke", fields["function"], fields["key"], fields["value"])
        function, key = going.pop((process, operation))
        return Line(number, process, fields["outcome"], function, key, fields.get("value"))
    except (KeyError, TypeError, ValueError) as error:
        raise malformed(origin, number, f"not an event of this harness ({error!r})") from None
