"""What each kind of object does, one operation after the other. States are hashable values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.operations import Operation

IMPOSSIBLE = object()
"""What a step gives when the object would not have answered so."""

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
            return one.argument
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
        return state + (1 if one.argument is None else one.argument)
    return state if one.result == state else IMPOSSIBLE


def _lock(state: State, one: Operation) -> State:
    if one.function == "acquire":
        return one.process if state is None else IMPOSSIBLE
    return None if state == one.process else IMPOSSIBLE


def hashable(value: Any) -> Any:
    """A value as a state can hold it; what JSON tells apart (1 and true) stays apart."""
    if isinstance(value, list | tuple):
        return tuple(hashable(one) for one in value)
    if isinstance(value, dict):
        return tuple(sorted((str(key), hashable(one)) for key, one in value.items()))
    return ("bool", value) if isinstance(value, bool) else value


def _same(told: Any, state: State) -> bool:
    return bool(hashable(told) == state)


REGISTER = Model("register", ("read", "write", "cas", "delete"), None, _register, ("read",))
STRING = Model("kv", ("get", "put", "append"), "", _string, ("get",))
SET = Model("set", ("add", "read"), frozenset(), _set, ("read",))
LIST = Model("list", ("append", "read"), (), _list, ("read",))
QUEUE = Model("queue", ("enqueue", "dequeue"), (), _queue, ())
COUNTER = Model("counter", ("increment", "read"), 0, _counter, ("read",))
LOCK = Model("lock", ("acquire", "release"), None, _lock, ())
MODELS = {model.name: model for model in (REGISTER, STRING, SET, LIST, QUEUE, COUNTER, LOCK)}
