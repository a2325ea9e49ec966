"""Operations of clients as arrays.

An operation is *called* at one instant and *returns* at a later one; it takes effect at some instant in
between. One whose outcome is unknown never returns: it may take effect at any time after its call, or never.
One that failed never takes effect. Instants are ranks (distinct integers in the order of time); of two
operations the first precedes the second when it returned before the second was called.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.history import History
from harness.operations import LISTED, OUTCOMES, Columns, Operation, Values, belongs_to, columns_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER = 1 << 60
"""The rank at which an operation returns that never does."""


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
    due_s: Floats
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

    def on(self, key: str) -> Flags:
        """Which operations are on this object itself."""
        return np.asarray(self.key == self.names.index(key) if key in self.names else np.zeros(len(self), np.bool_))

    def keys(self) -> set[str]:
        """The objects that there are operations on."""
        return {self.names[code] for code in np.unique(self.key)}

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

    def whole(self) -> "Operations":
        """The same, with lists that were returned as one value each: for objects that hold values of any kind."""
        rows = np.flatnonzero(self.result == LISTED)
        if not len(rows):
            return self
        result = self.result.copy()
        result[rows] = [self.values.encode(self.result_of(row)) for row in rows.tolist()]
        return replace(self, result=result)

    def renamed(self, names: Mapping[str, str]) -> "Operations":
        """The same, with functions called otherwise."""
        codes = {name: code for code, name in enumerate(self.names)}
        function = self.function.copy()
        for old, new in names.items():
            if old in codes:
                function[self.function == codes[old]] = codes.setdefault(new, len(codes))
        return replace(self, function=function, names=tuple(codes))

    def row(self, row: int) -> Operation:
        """One operation."""
        decode = self.values.decode
        completed_s, due_s = float(self.completed_s[row]), float(self.due_s[row])
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
            due_s=None if np.isnan(due_s) else due_s,
        )

    def rows(self) -> list[Operation]:
        """Every operation."""
        return [self.row(row) for row in range(len(self))]


def ranks(invoked_s: Floats, completed_s: Floats) -> tuple[Ints, Ints]:
    """When each operation is called and returns, as ranks. At the same instant calls come first: who knows."""
    n = len(invoked_s)
    times = np.concatenate([invoked_s, completed_s])
    order = np.argsort(times, kind="stable")
    place = np.empty(2 * n, dtype=np.int64)
    place[order] = np.arange(2 * n, dtype=np.int64)
    return place[:n], np.where(np.isinf(completed_s), NEVER, place[n:])


def built(columns: Columns, key: str | None = None) -> Operations:
    """Operations from their columns (those of one key and those below it), in the order in which they were called."""
    ints: Ints = np.asarray(columns.ints, dtype=np.int64).reshape(-1, len(Columns.INTS))
    floats: Floats = np.asarray(columns.floats, dtype=np.float64).reshape(-1, len(Columns.FLOATS))
    names = columns.names
    if key is not None:
        wanted = [code for code, name in enumerate(names) if belongs_to(name, key)]
        mine = np.isin(ints[:, Columns.INTS.index("key")], wanted)
        ints, floats = ints[mine], floats[mine]
    order = np.argsort(floats[:, 0], kind="stable")
    fields_of = {name: ints[order, place] for place, name in enumerate(Columns.INTS)}
    invoked_s, completed_s, due_s = (floats[order, place] for place in range(len(Columns.FLOATS)))
    call, ret = ranks(invoked_s, completed_s)
    return Operations(
        **fields_of,
        invoked_s=invoked_s,
        completed_s=completed_s,
        due_s=due_s,
        call=call,
        ret=ret,
        items=np.asarray(columns.items, dtype=np.int64),
        names=names,
        values=columns.values,
    )


def operations_from(rows: Iterable[Operation]) -> Operations:
    """Operations as arrays."""
    return built(columns_of(rows))


def operations_of(history: History, key: str | None = None) -> Operations:
    """The operations of a run, or those of one key and those below it, as arrays."""
    return built(history.operations, key)
