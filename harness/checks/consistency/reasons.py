"""The rules that wrong histories break, in sentences: who saw what, when, and why no order works."""

from collections.abc import Callable

import numpy as np

from harness.checks.consistency.conflict import Conflict
from harness.checks.consistency.operations import Operations
from harness.operations import FAILED, NAMED, OK, Operation

At = Callable[[float], str]
MAX_NAME = 60
MAX_LIST = 12


def describe(one: Operation) -> str:
    """An operation as a reader would say it: ``process 3 read 4``."""
    who = f"process {one.node if one.process <= NAMED else one.process}"
    match one.function:
        case "read" | "get" if one.outcome == "ok":
            did = f"{one.function} {_shown(one.result)}"
        case "cas":
            did = f"set {_shown(one.argument)} in the place of {_shown(one.expected)}"
        case "dequeue" if one.outcome == "ok":
            did = "found nothing to dequeue" if one.result is None else f"dequeued {_shown(one.result)}"
        case "write" | "put" | "append" | "add" | "enqueue" | "increment":
            did = f"{one.function} {_shown(one.argument)}"
        case _:
            did = one.function
    return f"{who} {did}"


def line(one: Operation, at: At) -> str:
    """An operation with its times, as one line."""
    ends = f"to {at(one.completed_s)}" if one.completed_s is not None else "and never heard of again"
    place = f" ({one.node})" if one.node and one.process > NAMED else ""
    outcome = "" if one.outcome == "ok" else f", {one.outcome}"
    return f"{describe(one)}{place} from {at(one.invoked_s)} {ends}{outcome}"


def _miscounted(operations: Operations, conflict: Conflict, at: At) -> str:
    """How many increments a read may have seen at least and at most."""
    read, increments = conflict.rows[0], operations.is_("increment")
    most = int(np.count_nonzero(increments & (operations.outcome != FAILED) & (operations.call < operations.ret[read])))
    least = int(np.count_nonzero(increments & (operations.outcome == OK) & (operations.ret < operations.call[read])))
    one = operations.row(read)
    times = f"called at {at(one.invoked_s)}, returned at {at(one.completed_s or one.invoked_s)}"
    told = f"{describe(one)}, {times}: by then at least {least} and at most {most} increments had taken place"
    if least <= one.result <= most:
        told += ", and with what the other reads returned it fits no number of them"
    return told


def about(key: str, told: str) -> str:
    """A sentence about a key; histories of a single object need not name it."""
    return f"{short(key)}: {told}" if key else told


def short(name: str) -> str:
    """A name of any length, as much of it as a sentence bears."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        items = ", ".join(_shown(one) for one in value[-MAX_LIST:])
        return f"[{'... ' if len(value) > MAX_LIST else ''}{items}]"
    return "nothing" if value is None else str(value) if value != "" else "an empty text"


def reason(model: str, operations: Operations, conflict: Conflict, at: At) -> str:
    """Why these operations cannot be put in order."""
    rows = [operations.row(row) if row >= 0 else None for row in conflict.rows]
    value = _shown(operations.values.decode(conflict.values[0])) if conflict.values else ""
    if conflict.rule in ("too-many", "too-few"):
        return about(operations.names[conflict.key], _miscounted(operations, conflict, at))
    told = _SENTENCES[conflict.rule](_Told(model, rows, value, at))
    return about(operations.names[conflict.key], told)


class _Told:
    """What a sentence is made of: operations (None: the beginning), a value, and how to say an instant."""

    def __init__(self, model: str, rows: list[Operation | None], value: str, at: At) -> None:
        self.model, self.rows, self.value, self._at = model, rows, value, at

    def who(self, place: int) -> str:
        one = self.rows[place]
        return describe(one) if one else "the beginning"

    def called(self, place: int) -> str:
        one = self.rows[place]
        return self._at(one.invoked_s) if one else "the start"

    def returned(self, place: int) -> str:
        one = self.rows[place]
        if one is None:
            return "the start"
        return self._at(one.completed_s) if one.completed_s is not None else "an unknown time"


def _out_of_turn(told: _Told) -> str:
    return (
        f"{told.who(0)} can only come before {told.who(1)}, by what was seen; but that had returned at "
        f"{told.returned(1)}, before the other was called at {told.called(0)}"
    )


def _overlap(told: _Told) -> str:
    if told.model == "lock":
        return f"{_held(told, 0)}, and {_held(told, 2)}: both at the same time"
    return (
        f"from {told.returned(0)} ({told.who(0)}) until {told.called(1)} ({told.who(1)}) one state has to last, and "
        f"from {told.returned(2)} ({told.who(2)}) until {told.called(3)} ({told.who(3)}) another: the two overlap"
    )


def _held(told: _Told, place: int) -> str:
    one, last = told.rows[place], told.rows[place + 1]
    assert one is not None
    assert last is not None
    end = f"released it at {told.called(place + 1)} at the earliest" if last.function == "release" else "kept it"
    return f"process {one.process} had the lock from {told.returned(place)} and {end}"


def _inside(told: _Told) -> str:
    return (
        f"from {told.returned(0)} ({told.who(0)}) until {told.called(1)} ({told.who(1)}) one state has to last; but "
        f"{told.who(3)}, called at {told.called(3)}, and {told.who(2)}, returned at {told.returned(2)}, "
        "need another in between"
    )


_SENTENCES: dict[str, Callable[[_Told], str]] = {
    "out-of-turn": _out_of_turn,
    "overlap": _overlap,
    "inside": _inside,
    "phantom": lambda told: f"{told.who(-1)}, but nobody had made it so (called {told.called(-1)})",
    "failed-seen": lambda told: f"{told.who(-1)} at {told.called(-1)}, though {told.who(0)} had failed",
    "fork": lambda told: f"{told.who(0)} and {told.who(1)} need different successors of the same state",
    "never-together": lambda told: f"{told.who(0)} needs a value that only comes after it",
    "twice": lambda told: f"{told.value} is there twice: {told.who(0)} and {told.who(-1)}",
    "apart": lambda told: f"{told.who(0)} and {told.who(1)}: neither can come first",
    "overtaken": lambda told: (
        f"{told.who(0)} (returned {told.returned(0)}) came before {told.who(2)} (called {told.called(2)}), but "
        f"{told.who(3)} (returned {told.returned(3)}) came before {told.who(1)} (called {told.called(1)})"
    ),
    "left-behind": lambda told: (
        f"{told.who(0)} (returned {told.returned(0)}) came before {told.who(1)} (called {told.called(1)}), and "
        f"{told.who(2)} (returned {told.returned(2)}), but the first was never dequeued"
    ),
    "not-empty": lambda told: (
        f"{told.who(0)} between {told.called(0)} and {told.returned(0)}, but at every instant of that something "
        "was in the queue"
    ),
    "uncounted": lambda told: f"{told.who(1)} between {told.who(0)} and {told.who(2)}, and the count did not grow",
    "not-held": lambda told: f"{told.who(0)} at {told.called(0)} a lock it did not hold",
}
