"""What transactions are made of, and whether what a history says of one can be understood.

A step is ``[function, key, value]``. An operation is a transaction if it was invoked with a list of steps, whatever it
is called; what it returns has to be the same steps, with what was read filled in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.consistency.shapes import brief
from harness.operations import Operation, hashable

READ, WRITE, APPEND = "r", "w", "append"
NAMES = {"r": READ, "read": READ, "w": WRITE, "write": WRITE, "append": APPEND}
CARRIERS = ("txn", "query", "read", "write", "append")
"""The functions that may carry steps."""


class Misunderstood(Exception):
    """Why an operation is no transaction of this model, and when what shows that was recorded."""

    def __init__(self, operation: Operation, why: str, *, answered: bool) -> None:
        super().__init__(why)
        self.at_s = operation.completed_s if answered and operation.completed_s is not None else operation.invoked_s


@dataclass(frozen=True, slots=True)
class Step:
    """One read or write of a transaction. ``value`` of a read is what it saw (None: nothing, or it is not known)."""

    function: str
    key: Any
    value: Any


def has_steps(value: Any) -> bool:
    """Whether a value is a list of steps, as far as its first item tells."""
    first = value[0] if isinstance(value, list | tuple) and value else None
    return isinstance(first, list | tuple) and len(first) == 3 and isinstance(first[0], str) and first[0] in NAMES


def steps_of(one: Operation, *, lists: bool) -> tuple[Step, ...]:
    """The steps of a transaction over lists or registers, in a form in which keys and values can be looked up.

    Raises Misunderstood.
    """
    if one.function not in CARRIERS:
        raise Misunderstood(one, f"{one.function} is no transaction (those are called txn)", answered=False)
    asked = _parsed(one, one.argument, lists=lists, blank=True)
    if one.outcome != "ok":
        return asked
    if one.result is None and any(step.function == READ for step in asked):
        raise Misunderstood(one, "it was committed, but not what it read was recorded", answered=True)
    told = asked if one.result is None else _parsed(one, one.result, lists=lists, blank=False)
    if [_without_answer(step) for step in told] != [_without_answer(step) for step in asked]:
        told_otherwise = f"it was invoked with {brief(one.argument)} and returned {brief(one.result)}"
        raise Misunderstood(one, told_otherwise, answered=True)
    return told


def _without_answer(step: Step) -> Step:
    return Step(READ, step.key, None) if step.function == READ else step


def _parsed(one: Operation, value: Any, *, lists: bool, blank: bool) -> tuple[Step, ...]:
    if not isinstance(value, list | tuple):
        raise Misunderstood(one, f"{brief(value)} is no list of steps [function, key, value]", answered=not blank)
    return tuple(_step(one, step, lists=lists, blank=blank) for step in value)


def _step(one: Operation, step: Any, *, lists: bool, blank: bool) -> Step:
    def strange(why: str) -> Misunderstood:
        return Misunderstood(one, why, answered=not blank)

    known = (READ, APPEND) if lists else (READ, WRITE)
    if not isinstance(step, list | tuple) or len(step) != 3:
        raise strange(f"{brief(step)} is no step [function, key, value]")
    function, key, value = step
    name = NAMES.get(function) if isinstance(function, str) else None
    if name not in known:
        raise strange(f"{brief(function)} is no step of a transaction of this model: those are {' and '.join(known)}")
    if name == READ and blank:
        return Step(READ, hashable(key), None)
    if lists and name == READ and value is not None and not isinstance(value, list | tuple):
        raise strange(f"a list was read as {brief(value)}")
    if lists and name == APPEND and value is None:
        raise strange("null was appended, which reads do not tell from nothing")
    return Step(name, hashable(key), hashable(value))


def as_transaction(one: Operation) -> Operation:
    """An operation on several registers as a transaction: its steps, or a map of what was read or written.

    Raises Misunderstood.
    """
    asked, told = one.argument, one.result
    if one.function == "write" and isinstance(asked, dict):
        return _with(one, [[WRITE, key, value] for key, value in asked.items()])
    if one.function == "read" and (asked is None or isinstance(asked, dict)):
        if one.outcome != "ok":
            return _with(one, [[READ, key, None] for key in asked or ()])
        if not isinstance(told, dict) or (asked is not None and set(asked) != set(told)):
            why = f"it was invoked with {brief(asked)} and returned {brief(told)}: no map of these"
            raise Misunderstood(one, why, answered=True)
        return _with(one, [[READ, key, value] for key, value in told.items()])
    steps_of(one, lists=False)
    return _with(one, [[NAMES[function], key, value] for function, key, value in (asked if told is None else told)])


def _with(one: Operation, steps: Sequence[Any]) -> Operation:
    return Operation(
        process=one.process,
        function="txn",
        key=one.key,
        argument=steps,
        result=steps if one.outcome == "ok" else None,
        outcome=one.outcome,
        invoked_s=one.invoked_s,
        completed_s=one.completed_s,
        number=one.number,
        node=one.node,
    )
