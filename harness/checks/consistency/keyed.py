"""Keys inside of values: ``[key value]``, as jepsen.independent and Maelstrom write operations on many objects.

Nothing is guessed. An operation names its key already when it is invoked, and a read has nothing else to say then. So a
history has its keys in its values if its reads (whatever asks without giving a value) are all invoked with
``[key nil]``; a value that is merely a list is read by an operation that is invoked with ``nil``. Then every
operation has to be of the form, every answer has to name the key that was asked for, and a compare-and-set is
``[key [expected new]]`` or ``[key expected new]``. Where no operation asks, ``keyed`` has to be stated.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.checks.consistency.operations import Flags, Ints, Operations
from harness.checks.consistency.shapes import ASKING, brief
from harness.operations import CAS_OF_KEY, LISTED, NONE, OK, is_small

At = Callable[[float], str]
_NOT_ONE = LISTED + 1
"""The code of the key of what is no pair."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why a history cannot be understood, with the place."""

    why: str


def split(operations: Operations, at: At, *, keyed: bool | None) -> Operations | Unclear:
    """The operations with the keys that their values have; as they are if those have none. ``keyed`` None: look."""
    if not len(operations) or keyed is False or operations.keys() != {""}:
        return operations
    pairs = _pairs_of(operations)
    asking = operations.is_(*ASKING)
    naming = asking & (pairs.key != _NOT_ONE) & (pairs.value == NONE)
    three = operations.is_(CAS_OF_KEY)
    if keyed is None and not np.any(naming | three):
        return _without_keys(operations, pairs, at)
    strange = np.flatnonzero((pairs.key == _NOT_ONE) | (asking & (pairs.value != NONE)))
    if len(strange):
        row = int(strange[0])
        because = "others have their key in their value" if keyed is None else "--keyed"
        wanted = "[key null]" if asking[row] else "[key value]"
        what = f"{operations.names[operations.function[row]]} is invoked with {brief(_asked(operations, row))}"
        return Unclear(f"{at(float(operations.invoked_s[row]))}: {what}, not with {wanted} ({because})")
    return _apart(operations, pairs, asking, at)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Of every operation the code of the key that it was invoked with, and that of the rest."""

    key: Ints
    value: Ints


def _asked(operations: Operations, row: int) -> Any:
    one = operations.row(row)
    return [one.expected, one.argument] if one.function == "cas" else one.argument


def _pairs_of(operations: Operations) -> _Pairs:
    codes, back = np.unique(operations.argument, return_inverse=True)
    compares = operations.is_("cas", CAS_OF_KEY)
    names, values, twos = (np.full(len(codes), _NOT_ONE, dtype=np.int64) for _ in range(3))
    for place in np.flatnonzero(~is_small(codes)).tolist():
        value = operations.values.decode(int(codes[place]))
        if isinstance(value, list | tuple) and len(value) == 2:
            twos[place] = 1
            if _is_key(value[0]):
                names[place], values[place] = (operations.values.encode(one) for one in value)
    expected, again = np.unique(operations.expected, return_inverse=True)
    able = is_small(expected)
    for place in np.flatnonzero(~able).tolist():
        able[place] = _is_key(operations.values.decode(int(expected[place])))
    compared = able[again] & (twos[back] == 1)
    return _Pairs(
        key=np.where(compares, np.where(compared, operations.expected, _NOT_ONE), names[back]),
        value=np.where(compares, operations.argument, values[back]),
    )


def _is_key(value: Any) -> bool:
    return value is not None and not isinstance(value, list | tuple | dict | set | frozenset)


def _without_keys(operations: Operations, pairs: _Pairs, at: At) -> Operations | Unclear:
    """Values are what they are, unless every one of them could be a pair, and nothing that asks could tell."""
    compares = np.flatnonzero(operations.is_("cas"))
    if len(compares) and not np.any(operations.is_(*ASKING)) and np.all(pairs.key != _NOT_ONE):
        row = int(compares[0])
        what = f"{at(float(operations.invoked_s[row]))}: cas {brief(_asked(operations, row))}"
        why = "may be [key [expected new]] or [expected new], and no read tells which: say --keyed or --not-keyed"
        return Unclear(f"{what} {why}")
    return operations


def _apart(operations: Operations, pairs: _Pairs, asking: Flags, at: At) -> Operations | Unclear:
    answered = np.flatnonzero(asking & (operations.outcome == OK) & ~operations.is_("acquire", "release"))
    start = operations.item_start[answered]
    two = (operations.result[answered] == LISTED) & (operations.item_end[answered] - start == 2)
    items = operations.items if len(operations.items) else np.zeros(1, dtype=np.int64)
    same = two & (items[np.where(two, start, 0)] == pairs.key[answered])
    if not np.all(same):
        row = int(answered[np.flatnonzero(~same)[0]])
        wanted = f"[{brief(operations.values.decode(int(pairs.key[row])))} value]"
        what = f"{operations.names[operations.function[row]]} returns {brief(operations.result_of(row))}, not {wanted}"
        return Unclear(f"{at(float(operations.completed_s[row]))}: {what}: the key that it was invoked with")
    result = operations.result.copy()
    result[answered] = items[start + 1]
    argument, expected = _given(operations, pairs, asking)
    keys, names = _named(operations, pairs.key)
    return _spread(
        operations.renamed({CAS_OF_KEY: "cas"}),
        answered,
        key=keys,
        names=names,
        argument=argument,
        expected=expected,
        result=result,
    )


def _spread(operations: Operations, rows: Ints, **columns: Any) -> Operations:
    """The operations with new columns; lists among their results, which were items before, get items of their own."""
    one = replace(operations, **columns)
    result, starts, ends = one.result, one.item_start.copy(), one.item_end.copy()
    more: list[int] = []
    for row in rows.tolist():
        held = one.values.decode(int(result[row]))
        starts[row] = ends[row] = len(one.items) + len(more)
        if isinstance(held, list | tuple | set | frozenset):
            more += [one.values.encode(item) for item in held]
            result[row], ends[row] = LISTED, len(one.items) + len(more)
    items = np.concatenate([one.items, np.array(more, dtype=np.int64)])
    return replace(one, item_start=starts, item_end=ends, items=items)


def _given(operations: Operations, pairs: _Pairs, asking: Flags) -> tuple[Ints, Ints]:
    """Arguments and expected values without the keys."""
    argument = np.where(asking, NONE, pairs.value)
    expected = operations.expected.copy()
    for row in np.flatnonzero(operations.is_("cas", CAS_OF_KEY)).tolist():
        expected[row], argument[row] = map(operations.values.encode, operations.values.decode(int(pairs.value[row])))
    return argument, expected


def _named(operations: Operations, keys: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Numbers of keys, and the names with theirs; a text that looks like another key is put in quotes."""
    codes, back = np.unique(keys, return_inverse=True)
    values = [operations.values.decode(code) for code in codes.tolist()]
    plain = {str(value) for value in values if not isinstance(value, str)}
    names = {name: number for number, name in enumerate(operations.renamed({CAS_OF_KEY: "cas"}).names)}
    numbers = [
        names.setdefault(f'"{value}"' if isinstance(value, str) and value in plain else str(value), len(names))
        for value in values
    ]
    return np.array(numbers, dtype=np.int64)[back], tuple(names)
