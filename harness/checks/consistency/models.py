"""What each kind of object does, one operation after the other. States are hashable values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.checks.consistency.numbers import exact
from harness.operations import Operation, hashable

IMPOSSIBLE = object()
"""What a step gives when the object would not have answered so."""

OTHERS = object()
"""In a state of several registers: those that nothing was written to."""

State = Any
Step = Callable[[State, Operation], State]


@dataclass(frozen=True, slots=True)
class Model:
    """An object: its functions, its first state, and its step.

    ``step(state, operation)`` gives the next state, or IMPOSSIBLE. Of an operation whose outcome is unknown the
    answer is not known either; its step is what it does when it takes effect.
    """

    name: str
    functions: tuple[str, ...]
    initial: State
    step: Step
    reads: tuple[str, ...]
    """The functions that leave the state alone."""


def _register(state: State, one: Operation) -> State:
    match one.function:
        case "read":
            return state if _same(one.result, state) else IMPOSSIBLE
        case "write":
            return hashable(one.argument)
        case "delete":
            return None
        case _:
            return hashable(one.argument) if _same(one.expected, state) else IMPOSSIBLE


def _string(state: State, one: Operation) -> State:
    match one.function:
        case "get":
            return state if (one.result or "") == state else IMPOSSIBLE
        case "put":
            return one.argument or ""
        case _:
            return state + one.argument


def _set(state: State, one: Operation) -> State:
    if one.function == "add":
        return state | {hashable(one.argument)}
    items = [hashable(item) for item in one.result or ()]
    return state if len(items) == len(state) and set(items) == state else IMPOSSIBLE


def _list(state: State, one: Operation) -> State:
    if one.function == "append":
        return (*state, hashable(one.argument))
    return state if tuple(hashable(item) for item in one.result or ()) == state else IMPOSSIBLE


def _queue(state: State, one: Operation) -> State:
    if one.function == "enqueue":
        return (*state, hashable(one.argument))
    if one.outcome == "unknown":
        return state[1:]
    if not state:
        return state if one.result is None else IMPOSSIBLE
    return state[1:] if one.result is not None and _same(one.result, state[0]) else IMPOSSIBLE


def _counter(state: State, one: Operation) -> State:
    if one.function == "increment":
        return state + (1 if one.argument is None else exact(one.argument))
    return state if exact(one.result) == state else IMPOSSIBLE


def _lock(state: State, one: Operation) -> State:
    if one.function == "acquire":
        return one.process if state is None else IMPOSSIBLE
    return None if state == one.process else IMPOSSIBLE


def _mutex(state: State, one: Operation) -> State:
    return IMPOSSIBLE if state == (one.function == "acquire") else not state


def _registers(state: State, one: Operation) -> State:
    """Steps over several registers, all at once. A state has what was written to each."""
    held = dict(state)
    for function, key, value in one.result if one.outcome == "ok" else one.argument:
        if function == "w":
            held[hashable(key)] = hashable(value)
        elif one.outcome == "ok" and not _same(value, held.get(hashable(key), held.get(OTHERS))):
            return IMPOSSIBLE
    return frozenset(held.items())


def _same(told: Any, state: State) -> bool:
    return bool(hashable(told) == state)


REGISTER = Model("register", ("read", "write", "cas", "delete"), None, _register, ("read",))
STRING = Model("kv", ("get", "put", "append"), "", _string, ("get",))
SET = Model("set", ("add", "read"), frozenset(), _set, ("read",))
LIST = Model("list", ("append", "read"), (), _list, ("read",))
QUEUE = Model("queue", ("enqueue", "dequeue", "drain"), (), _queue, ())
COUNTER = Model("counter", ("increment", "read"), 0, _counter, ("read",))
LOCK = Model("lock", ("acquire", "release"), None, _lock, ())
MUTEX = Model("mutex", ("acquire", "release"), False, _mutex, ())
REGISTERS = Model("registers", ("txn",), frozenset(), _registers, ())
MODELS = {model.name: model for model in (REGISTER, STRING, SET, LIST, QUEUE, COUNTER, LOCK, MUTEX, REGISTERS)}
