"""Operations of clients as flat arrays: a million of them in some hundred megabytes.

An operation is *called* at one instant and *returns* at a later one; it takes effect at some instant in
between. One whose outcome is unknown never returns: it may take effect at any time after its call, or never.
One that failed never takes effect. Instants are ranks (distinct integers in the order of time); of two
operations the first precedes the second when it returned before the second was called.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.events import Completed, Invoked
from harness.history import History

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER = 1 << 60
"""The rank at which an operation returns that never does."""

OK, FAILED, UNKNOWN = 0, 1, 2
OUTCOMES = ("ok", "failed", "unknown")

NONE = -(1 << 62)
"""The code of "no value"."""
LISTED = NONE + 1
"""The code of a result that is a list: its items are in ``items``."""
_FIRST_OBJECT = 1 << 61


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
        name = _name(value)
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = _FIRST_OBJECT + len(self._objects)
            self._objects.append(value)
        return code

    def decode(self, code: int) -> Any:
        """The value of a code."""
        if code == NONE:
            return None
        return self._objects[code - _FIRST_OBJECT] if code >= _FIRST_OBJECT else int(code)


def _name(value: object) -> object:
    if isinstance(value, list | tuple):
        return ("list", *(_name(one) for one in value))
    if isinstance(value, dict):
        return ("map", frozenset((_name(key), _name(one)) for key, one in value.items()))
    return type(value).__name__, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, for people and for small histories. Times are seconds of the run clock (None: never)."""

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

    @property
    def events(self) -> tuple[Invoked | Completed, ...]:
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
        )
        if self.completed_s is None:
            return (invoked,)
        outcome: Any = self.outcome
        result = self.result if self.result is not None else value
        return invoked, Completed(
            t_s=self.completed_s, process=self.process, operation=self.number, outcome=outcome, value=result
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operations:
    """Many operations, one array a field; ``function``, ``key`` and ``node`` are indices into the tuples of names."""

    process: Ints
    function: Ints
    key: Ints
    argument: Ints
    expected: Ints
    result: Ints
    outcome: Ints
    number: Ints
    node: Ints
    connection: Ints
    invoked_s: Floats
    completed_s: Floats
    call: Ints
    ret: Ints
    item_start: Ints
    item_end: Ints
    items: Ints
    names: tuple[str, ...]
    values: Values

    def __len__(self) -> int:
        return len(self.call)

    def is_(self, *functions: str) -> Flags:
        """Which operations call one of these functions."""
        codes = [code for code, name in enumerate(self.names) if name in functions]
        return np.isin(self.function, codes)

    def functions(self) -> set[str]:
        """The functions that are called at all."""
        return {self.names[code] for code in np.unique(self.function)}

    def take(self, rows: Ints | Flags) -> "Operations":
        """Some of the operations; their ranks stay."""
        shared = ("items", "names", "values")
        return Operations(
            **{
                one.name: getattr(self, one.name) if one.name in shared else getattr(self, one.name)[rows]
                for one in fields(self)
            }
        )

    def listed(self, row: int) -> Ints:
        """The items of the list that an operation returned, as codes."""
        return self.items[self.item_start[row] : self.item_end[row]]

    def result_of(self, row: int) -> Any:
        """What an operation returned."""
        if self.result[row] == LISTED:
            return tuple(self.values.decode(int(code)) for code in self.listed(row))
        return self.values.decode(int(self.result[row]))

    def row(self, row: int) -> Operation:
        """One operation."""
        decode = self.values.decode
        completed_s = float(self.completed_s[row])
        return Operation(
            process=int(self.process[row]),
            function=self.names[self.function[row]],
            key=self.names[self.key[row]],
            argument=decode(int(self.argument[row])),
            expected=decode(int(self.expected[row])),
            result=self.result_of(row),
            outcome=OUTCOMES[self.outcome[row]],
            invoked_s=float(self.invoked_s[row]),
            completed_s=None if np.isinf(completed_s) else completed_s,
            number=int(self.number[row]),
            node=self.names[self.node[row]],
            connection=self.names[self.connection[row]],
        )

    def rows(self) -> list[Operation]:
        """Every operation."""
        return [self.row(row) for row in range(len(self))]


class Builder:
    """Collects operations one by one into flat columns."""

    def __init__(self) -> None:
        self.values = Values()
        self._names: dict[str, int] = {"": 0}
        self._ints = array("q")
        self._floats = array("d")
        self._items = array("q")

    def add(self, operation: Operation) -> None:
        """Add one operation."""
        one, encode = operation, self.values.encode
        completed_s = float("inf") if one.completed_s is None or one.outcome == "unknown" else one.completed_s
        start = len(self._items)
        result = NONE
        if isinstance(one.result, list | tuple):
            self._items.extend([encode(item) for item in one.result])
            result = LISTED
        elif one.result is not None:
            result = encode(one.result)
        self._ints.extend(
            (
                one.process,
                self._name(one.function),
                self._name(one.key),
                encode(one.argument),
                encode(one.expected),
                result,
                OUTCOMES.index(one.outcome),
                one.number,
                self._name(one.node),
                self._name(one.connection),
                start,
                len(self._items),
            )
        )
        self._floats.extend((one.invoked_s, completed_s))

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))

    def build(self) -> Operations:
        """The operations so far, in the order in which they were called."""
        ints = np.array(self._ints, dtype=np.int64).reshape(-1, 12)
        floats = np.array(self._floats, dtype=np.float64).reshape(-1, 2)
        order = np.argsort(floats[:, 0], kind="stable")
        columns = [np.ascontiguousarray(ints[order, column]) for column in range(12)]
        invoked_s, completed_s = floats[order, 0], floats[order, 1]
        call, ret = ranks(invoked_s, completed_s)
        names = ("process", "function", "key", "argument", "expected", "result", "outcome", "number", "node")
        named = dict(zip((*names, "connection", "item_start", "item_end"), columns, strict=True))
        return Operations(
            **named,
            invoked_s=invoked_s,
            completed_s=completed_s,
            call=call,
            ret=ret,
            items=np.array(self._items, dtype=np.int64),
            names=tuple(self._names),
            values=self.values,
        )


def ranks(invoked_s: Floats, completed_s: Floats) -> tuple[Ints, Ints]:
    """When each operation is called and returns, as ranks. At the same instant calls come first: who knows."""
    n = len(invoked_s)
    times = np.concatenate([invoked_s, completed_s])
    order = np.argsort(times, kind="stable")
    place = np.empty(2 * n, dtype=np.int64)
    place[order] = np.arange(2 * n, dtype=np.int64)
    return place[:n], np.where(np.isinf(completed_s), NEVER, place[n:])


def operations_from(rows: Iterable[Operation]) -> Operations:
    """Operations as flat arrays."""
    builder = Builder()
    for row in rows:
        builder.add(row)
    return builder.build()


def belongs_to(name: str, key: str | None) -> bool:
    """Whether an object is the one of a key, or one below it ("accounts/3" is below "accounts"); None has all."""
    return key is None or name == key or name.startswith(f"{key}/")


def rows_of(history: History, key: str | None = None) -> Iterator[Operation]:
    """The operations of a run (of one key and those below it), in the order of their calls."""
    completed = {(event.process, event.operation): event for event in history.of(Completed)}
    for event in history.of(Invoked):
        if belongs_to(event.key, key):
            yield paired(event, completed.get((event.process, event.operation)))


def operations_of(history: History, key: str | None = None) -> Operations:
    """The operations of a run, or those of one key and those below it, as flat arrays."""
    return operations_from(rows_of(history, key))


_WITH_RESULT = frozenset({"read", "get", "dequeue", "txn"})


def paired(invoked: Invoked, completed: Completed | None) -> Operation:
    """An operation from its two events; without the second its outcome is unknown."""
    argument, expected = invoked.value, None
    if invoked.function == "cas" and isinstance(argument, list | tuple) and len(argument) == 2:
        expected, argument = argument
    outcome = completed.outcome if completed else "unknown"
    returns = completed is not None and outcome == "ok" and invoked.function in _WITH_RESULT
    return Operation(
        process=invoked.process,
        function=invoked.function,
        key=invoked.key,
        argument=None if invoked.function in ("read", "get", "dequeue") else argument,
        expected=expected,
        result=completed.value if completed and returns else None,
        outcome=outcome,
        invoked_s=invoked.t_s,
        completed_s=completed.t_s if completed else None,
        number=invoked.operation,
        node=invoked.node,
        connection=invoked.connection,
    )
