"""What the values of each model may be. Every value is looked at once, before anything is judged by it.

A value of another shape is not understood: the verdict is UNKNOWN and names the operation. Small integers, of
which there may be millions, are looked at together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.checks.consistency.numbers import is_number
from harness.checks.consistency.operations import Ints, Operations
from harness.operations import LISTED, NONE, OK, is_small

At = Callable[[float], str]
Fits = Callable[[Any], bool]
Misfit = tuple[int, bool, str]
"""The row of a value that does not fit, whether it is the answer, and why."""
ASKING = ("read", "get", "dequeue", "drain", "acquire", "release")
"""The functions that are invoked with nothing: what they say comes with the answer."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be, in words; ``items`` is what those of a list may be, None where no list may be."""

    words: str
    fits: Fits
    items: Fits | None = None

    def has(self, value: Any) -> bool:
        """Whether a value is of this shape."""
        if isinstance(value, list | tuple | set | frozenset):
            return self.items is not None and (self.items is _any or all(map(self.items, value)))
        return self.fits(value)


def _any(value: Any) -> bool:
    return True


def _amounts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_number, value.values()))


SOMETHING = Shape("anything but null, which stands for an empty queue", lambda value: value is not None, _any)
NOTHING = Shape("null: a lock has its name as the key", lambda value: value is None)
NUMBER = Shape("a number", is_number)
TEXT = Shape("a text", lambda value: isinstance(value, str))
TEXT_OR_NOTHING = Shape("a text or null", lambda value: value is None or isinstance(value, str))
LIST = Shape("a list, or null where there is nothing", lambda value: value is None, _any)
AMOUNTS = Shape("a map of accounts and their amounts, or a list of amounts: all numbers", _amounts, is_number)

ARGUMENTS: dict[str, dict[str, Shape]] = {
    "kv": {"put": TEXT_OR_NOTHING, "append": TEXT},
    "queue": {"enqueue": SOMETHING},
    "counter": {"increment": NUMBER},
    "lock": {"acquire": NOTHING, "release": NOTHING},
    "mutex": {"acquire": NOTHING, "release": NOTHING},
}
RESULTS: dict[str, dict[str, Shape]] = {
    "kv": {"get": TEXT_OR_NOTHING},
    "set": {"read": LIST},
    "list": {"read": LIST},
    "counter": {"read": NUMBER},
    "bank": {"read": AMOUNTS},
}
"""What does not have to be anything in particular is not here."""


def misfit(operations: Operations, model: str, at: At) -> str | None:
    """What is wrong with the first value that this model does not have; None if all of them fit."""
    found: list[Misfit] = []
    for function, shape in ARGUMENTS.get(model, {}).items():
        rows = np.flatnonzero(operations.is_(function))
        found += _first_of(
            operations, rows, operations.argument, shape, f"{function} takes {shape.words}", answer=False
        )
    for function, shape in RESULTS.get(model, {}).items():
        rows = np.flatnonzero(operations.is_(function) & (operations.outcome == OK))
        found += _first_of(operations, rows, operations.result, shape, f"{function} returns {shape.words}", answer=True)
    found += _asked_otherwise(operations)
    if not found:
        return None
    row, answered, why = min(found)
    instant_s = (operations.completed_s if answered else operations.invoked_s)[row]
    return f"{at(float(instant_s))}: {why} (model {model})"


def _first_of(
    operations: Operations, rows: Ints, codes: Ints, shape: Shape, wanted: str, *, answer: bool
) -> list[Misfit]:
    """The first row whose value has not the shape, and why."""
    found = []
    unique, first = np.unique(codes[rows], return_index=True)
    small = is_small(unique)
    if np.any(small) and not shape.fits(0):
        found.append(int(rows[first[small]].min()))
    for code, place in zip(unique[~small].tolist(), first[~small].tolist(), strict=True):
        if code != LISTED and not shape.has(operations.values.decode(code)):
            found.append(int(rows[place]))
    listed = rows[codes[rows] == LISTED] if answer else rows[:0]
    if len(listed) and shape.items is not _any:
        found += [row for row in listed.tolist() if not shape.has(operations.result_of(row))][:1]
    if not found:
        return []
    row = min(found)
    value = operations.result_of(row) if answer else operations.values.decode(int(codes[row]))
    return [(row, answer, f"{wanted}, not {brief(value)}")]


def _asked_otherwise(operations: Operations) -> list[Misfit]:
    """A read that was invoked with a value, other than the one that it then returned, asks what is not known here."""
    asking = operations.is_("read", "get", "dequeue") & (operations.outcome == OK)
    for row in np.flatnonzero(asking & (operations.argument != NONE)).tolist():
        one = operations.row(row)
        told = operations.values.encode(one.result)
        if told != operations.argument[row]:
            return [(row, False, f"{one.function} is invoked with null, not {brief(one.argument)}")]
    return []


def brief(value: Any) -> str:
    """A value for a message, cut where it is long."""
    told = "null" if value is None else repr(list(value) if isinstance(value, tuple) else value)
    return told if len(told) <= 60 else f"{told[:57]}..."
