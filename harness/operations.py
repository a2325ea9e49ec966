"""Operations of clients, kept in flat columns while they are read: a million of them in some hundred megabytes.

An operation has two events in the history. Here they are put together as they come, so that no event of theirs is
kept: only those operations wait as objects that have not ended yet.
"""

import math
import struct
from array import array
from collections.abc import Hashable, Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

from msgspec import Struct

from harness.events import Completed, Invoked

OK, FAILED, UNKNOWN = 0, 1, 2
OUTCOMES = ("ok", "failed", "unknown")
_OUTCOME_CODES = {name: code for code, name in enumerate(OUTCOMES)}
_PACK_INTS, _PACK_FLOATS = struct.Struct("12q").pack, struct.Struct("3d").pack
_NEVER_S, _UNPLANNED_S = float("inf"), float("nan")

NONE = -(1 << 62)
"""The code of "no value"."""
LISTED = NONE + 1
"""The code of a result that is a list: its items are in ``items``."""
_FIRST_OBJECT = 1 << 61

NAMED = -(1 << 61)
"""Processes that have a name instead of a number have numbers from this one down; ``node`` of theirs is the name."""
CAS_OF_KEY = "cas [key expected new]"
"""The function of a compare-and-set whose three values are ``[key expected new]``: key and a list of the others."""


class Values:
    """Values as integers: small integers are their own code, everything else gets the next free one."""

    def __init__(self) -> None:
        self._codes: dict[object, int] = {}
        self._objects: list[Any] = []

    def encode(self, value: object) -> int:
        """The code of a value; equal values (lists item by item, 1 and True apart) have equal codes."""
        if type(value) is int and -_FIRST_OBJECT < value < _FIRST_OBJECT:
            return value
        if value is None:
            return NONE
        name = hashable(value)
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = _FIRST_OBJECT + len(self._objects)
            self._objects.append(value)
        return code

    @property
    def objects(self) -> tuple[Any, ...]:
        """The values that are not their own code, in the order of their codes."""
        return tuple(self._objects)

    def decode(self, code: int) -> Any:
        """The value of a code."""
        if code == NONE:
            return None
        return self._objects[code - _FIRST_OBJECT] if code >= _FIRST_OBJECT else int(code)


def is_small(codes: Any) -> Any:
    """Which codes are the integers that they stand for."""
    return (codes > -_FIRST_OBJECT) & (codes < _FIRST_OBJECT)


def hashable(value: Any) -> Hashable:
    """A value in a form that can be looked up and compared: equal values, and only those, have equal forms.

    What those who write JSON or EDN tell apart stays apart: 1, 1.0, true and "1"; a list and a map. The tags are
    classes, which no value contains, so that no list can look like one of them.
    """
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if isinstance(value, list | tuple):
        return tuple([hashable(one) for one in value])
    if isinstance(value, dict):
        return dict, frozenset((hashable(key), hashable(one)) for key, one in value.items())
    if isinstance(value, set | frozenset):
        return set, frozenset(hashable(one) for one in value)
    # "Not a number" is not equal even to itself.
    return kind, value if kind is bool or (isinstance(value, Real | Decimal) and math.isfinite(value)) else repr(value)


class Operation(Struct, frozen=True, kw_only=True):
    """One operation. Times are seconds of the run clock (None: never).

    Not a dataclass: a frozen one takes eight times as long to make, and there can be a million of them.
    """

    process: int
    function: str
    key: str
    argument: Any = None
    expected: Any = None
    result: Any = None
    outcome: str = "ok"
    invoked_s: float = 0.0
    completed_s: float | None = None
    number: int = 0
    node: str = ""
    connection: str = ""
    due_s: float | None = None

    @property
    def events(self) -> tuple[Invoked] | tuple[Invoked, Completed]:
        """The operation as the history has it."""
        value = (self.expected, self.argument) if self.function == "cas" else self.argument
        invoked = Invoked(
            t_s=self.invoked_s,
            process=self.process,
            operation=self.number,
            function=self.function,
            key=self.key,
            value=value,
            node=self.node,
            connection=self.connection,
            due_s=self.due_s,
        )
        if self.completed_s is None:
            return (invoked,)
        outcome: Any = self.outcome
        result = self.result if self.result is not None else value
        return invoked, Completed(
            t_s=self.completed_s, process=self.process, operation=self.number, outcome=outcome, value=result
        )


_WITH_RESULT = frozenset({"read", "get", "dequeue", "txn", "query"})
_WITHOUT_ARGUMENT = frozenset({"read", "get", "dequeue"})


def paired(invoked: Invoked, completed: Completed | None) -> Operation:
    """An operation from its two events; without the second its outcome is unknown."""
    argument, expected, function = invoked.value, None, invoked.function
    if function == "cas" and isinstance(argument, list | tuple) and len(argument) == 2:
        expected, argument = argument
    outcome = completed.outcome if completed is not None else "unknown"
    returns = completed is not None and outcome == "ok" and function in _WITH_RESULT
    return Operation(
        process=invoked.process,
        function=function,
        key=invoked.key,
        argument=None if function in _WITHOUT_ARGUMENT else argument,
        expected=expected,
        result=completed.value if completed is not None and returns else None,
        outcome=outcome,
        invoked_s=invoked.t_s,
        completed_s=completed.t_s if completed is not None else None,
        number=invoked.operation,
        node=invoked.node,
        connection=invoked.connection,
        due_s=invoked.due_s,
    )


class Columns:
    """Operations in the order in which they were added: ``ints`` and ``floats`` hold a row of columns for each.

    The columns of ``ints`` are INTS, those of ``floats`` FLOATS. An operation whose outcome is unknown returns at
    infinity, one without a schedule was due at no number. ``items`` are those of all lists that were answered.
    """

    INTS = (
        *("process", "function", "key", "argument", "expected", "result", "outcome", "number", "node", "connection"),
        *("item_start", "item_end"),
    )
    FLOATS = ("invoked_s", "completed_s", "due_s")

    def __init__(self) -> None:
        self.values = Values()
        self.ints = array("q")
        self.floats = array("d")
        self.items = array("q")
        self._names: dict[str, int] = {"": 0}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of functions, keys, nodes and connections, in the order of their codes."""
        return tuple(self._names)

    def __len__(self) -> int:
        return len(self.floats) // len(self.FLOATS)

    def add(self, operation: Operation) -> None:
        """Add one operation."""
        one, encode, names = operation, self.values.encode, self._names
        result, start = NONE, len(self.items)
        if one.result is not None:
            if isinstance(one.result, list | tuple | set | frozenset):
                self.items.extend([encode(item) for item in one.result])
                result = LISTED
            else:
                result = encode(one.result)
        completed_s = one.completed_s
        if completed_s is None or one.outcome == "unknown":
            completed_s = _NEVER_S
        function, key, node, connection = one.function, one.key, one.node, one.connection
        try:
            coded = names[function], names[key], names[node], names[connection]
        except KeyError:
            coded = self._name(function), self._name(key), self._name(node), self._name(connection)
        # Packed first: an array takes numbers one by one at three times the cost.
        self.ints.frombytes(
            _PACK_INTS(
                one.process,
                coded[0],
                coded[1],
                NONE if one.argument is None else encode(one.argument),
                NONE if one.expected is None else encode(one.expected),
                result,
                _OUTCOME_CODES[one.outcome],
                one.number,
                coded[2],
                coded[3],
                start,
                len(self.items),
            )
        )
        due_s = _UNPLANNED_S if one.due_s is None else one.due_s
        self.floats.frombytes(_PACK_FLOATS(one.invoked_s, completed_s, due_s))

    def extend(self, others: "Columns") -> None:
        """Add all operations of others, which have names and codes of their own."""
        import numpy as np

        ints = np.array(others.ints, dtype=np.int64).reshape(-1, len(self.INTS))
        names = np.array([self._name(name) for name in others.names], dtype=np.int64)
        codes = np.array([self.values.encode(one) for one in others.values.objects], dtype=np.int64)
        for place in map(self.INTS.index, ("function", "key", "node", "connection")):
            ints[:, place] = names[ints[:, place]]
        items = np.array(others.items, dtype=np.int64)
        for values in (items, *(ints[:, self.INTS.index(name)] for name in ("argument", "expected", "result"))):
            coded = values >= _FIRST_OBJECT
            values[coded] = codes[values[coded] - _FIRST_OBJECT]
        ints[:, [self.INTS.index("item_start"), self.INTS.index("item_end")]] += len(self.items)
        self.ints.frombytes(ints.tobytes())
        self.floats.extend(others.floats)
        self.items.frombytes(items.tobytes())

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))


class Pairing:
    """Puts the events of operations together as they come, in whatever order the two of one come."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._invoked: dict[tuple[int, int], Invoked] = {}
        self._completed: dict[tuple[int, int], Completed] = {}

    def take(self, event: Invoked | Completed) -> None:
        """Take the next event."""
        name = event.process, event.operation
        if isinstance(event, Invoked):
            completed = self._completed.pop(name, None)
            if completed is None:
                self._invoked[name] = event
            else:
                self.columns.add(paired(event, completed))
        else:
            invoked = self._invoked.pop(name, None)
            if invoked is None:
                self._completed[name] = event
            else:
                self.columns.add(paired(invoked, event))

    def end(self) -> Columns:
        """No event comes any more: what has not ended is unknown."""
        for invoked in self._invoked.values():
            self.columns.add(paired(invoked, None))
        self._invoked.clear()
        return self.columns


def columns_of(rows: Iterable[Operation]) -> Columns:
    """Operations in columns."""
    columns = Columns()
    for row in rows:
        columns.add(row)
    return columns


def belongs_to(name: str, key: str | None) -> bool:
    """Whether an object is the one of a key, or one below it ("accounts/3" is below "accounts"); None has all."""
    return key is None or name == key or name.startswith(f"{key}/")
