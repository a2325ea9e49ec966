"""Says by brute force whether a small history is right: every order, every choice of what unknown operations did.

Written from the definitions alone; shares nothing with the code that it judges but the operations themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, permutations
from typing import Any

from msgspec import structs

from harness.operations import Operation

WRONG = object()


def register(state: Any, one: Operation) -> Any:
    if one.function == "read":
        return state if one.result == state else WRONG
    if one.function == "cas":
        return one.argument if state == one.expected else WRONG
    return None if one.function == "delete" else one.argument


def kv(state: Any, one: Operation) -> Any:
    state = state or ""
    if one.function == "get":
        return state if one.result == state else WRONG
    return one.argument if one.function == "put" else state + one.argument


def set_(state: Any, one: Operation) -> Any:
    state = state or ()
    if one.function == "add":
        return tuple(sorted({*state, one.argument}))
    return state if tuple(sorted(one.result)) == state else WRONG


def list_(state: Any, one: Operation) -> Any:
    state = state or ()
    if one.function == "append":
        return (*state, one.argument)
    return state if tuple(one.result) == state else WRONG


def queue(state: Any, one: Operation) -> Any:
    state = state or ()
    if one.function == "enqueue":
        return (*state, one.argument)
    if one.function == "drain":
        return ()
    if one.outcome == "unknown":
        return state[1:]
    head = state[0] if state else None
    return state[1:] if head == one.result else WRONG


def mutex(state: Any, one: Operation) -> Any:
    wanted = None if one.function == "acquire" else "taken"
    return WRONG if state != wanted else "taken" if wanted is None else None


def counter(state: Any, one: Operation) -> Any:
    state = state or 0
    if one.function == "increment":
        return state + one.argument
    return state if state == one.result else WRONG


def lock(state: Any, one: Operation) -> Any:
    if one.function == "acquire":
        return one.process if state is None else WRONG
    return None if state == one.process else WRONG


SPECIFICATIONS: dict[str, Callable[[Any, Operation], Any]] = {
    "register": register,
    "kv": kv,
    "set": set_,
    "list": list_,
    "queue": queue,
    "counter": counter,
    "lock": lock,
    "mutex": mutex,
}


def linearizable(model: str, operations: Sequence[Operation], *, initial: Any = None) -> bool:
    """Whether some order that respects real time explains every answer of one object.

    A drain of unknown outcome is as many dequeues of unknown outcome as there are values.
    """
    effective = [one for one in operations if one.outcome != "failed"]
    enqueued = sum(one.function == "enqueue" for one in effective)
    spread = []
    for one in effective:
        spread += [structs.replace(one, function="dequeue")] * enqueued if one.function == "drain" else [one]
    return _explained(SPECIFICATIONS[model], spread, _precedes_in_time, initial)


def sequential(model: str, operations: Sequence[Operation]) -> bool:
    """Whether some order that respects each process's own explains every answer; keys are separate objects."""
    effective = [one for one in operations if one.outcome != "failed"]
    step = SPECIFICATIONS[model]

    def of_keys(state: Any, one: Operation) -> Any:
        states = dict(state or ())
        after = step(states.get(one.key), one)
        return WRONG if after is WRONG else tuple(sorted({**states, one.key: after}.items()))

    return _explained(of_keys, effective, lambda one, two: one.process == two.process and _precedes_in_time(one, two))


def _precedes_in_time(one: Operation, two: Operation) -> bool:
    return one.outcome == "ok" and one.completed_s is not None and one.completed_s < two.invoked_s


def _explained(
    step: Callable[[Any, Operation], Any],
    operations: Sequence[Operation],
    precedes: Callable[[Operation, Operation], bool],
    initial: Any = None,
) -> bool:
    n = len(operations)
    before = [[precedes(operations[j], operations[i]) for j in range(n)] for i in range(n)]
    needed = frozenset(i for i in range(n) if operations[i].outcome == "ok")

    @cache
    def possible(done: frozenset[int], state: Any) -> bool:
        if needed <= done:
            return True
        for i in range(n):
            if i in done or any(before[i][j] and j not in done for j in range(n)):
                continue
            one = operations[i]
            blind = one.outcome == "unknown" and one.function in ("read", "get")
            after = state if blind else step(state, one)
            if after is not WRONG and possible(done | {i}, after):
                return True
        return False

    return possible(frozenset(), initial)


def keeps_sessions(operations: Sequence[Operation], guarantees: frozenset[str]) -> bool:
    """Whether some order of the versions of one register gives every process what it was promised."""
    effective = [one for one in operations if one.outcome != "failed"]
    written = [one.argument for one in effective if one.function == "write"]
    read = [one.result for one in effective if one.function == "read" and one.outcome == "ok"]
    if any(value is not None and value not in written for value in read):
        return False
    asked = set(_asked(effective, guarantees))
    return any(
        all(place[first] <= place[second] for first, second in asked)
        for order in permutations(written)
        for place in [{value: number for number, value in enumerate((None, *order))}]
    )


def _asked(operations: Sequence[Operation], guarantees: frozenset[str]) -> Iterator[tuple[Any, Any]]:
    """Pairs of versions the first of which must not come after the second."""
    names = {
        ("write", "read"): "read-your-writes",
        ("read", "read"): "monotonic-reads",
        ("write", "write"): "monotonic-writes",
        ("read", "write"): "writes-follow-reads",
    }
    for one, two in combinations(operations, 2):
        counts = one.outcome == "ok" and (two.outcome == "ok" or two.function == "write")
        if counts and one.process == two.process and names[one.function, two.function] in guarantees:
            yield _version(one), _version(two)


def _version(one: Operation) -> Any:
    return one.argument if one.function == "write" else one.result


def serializable(operations: Sequence[Operation], *, strict: bool = False, initial: Any = None) -> bool:
    """Whether transactions have a serial order that explains every read (and, if strict, respects real time)."""
    effective = [one for one in operations if one.outcome != "failed"]

    def step(state: Any, one: Operation) -> Any:
        held = dict(state or ())
        steps = one.result if one.outcome == "ok" else one.argument
        for function, key, value in steps:
            if function == "append":
                held[key] = (*held.get(key, ()), value)
            elif function == "w":
                held[key] = value
            elif one.outcome == "ok" and held.get(key, initial) != (None if value == () else value):
                return WRONG
        return tuple(sorted(held.items()))

    return _explained(step, effective, _precedes_in_time if strict else lambda one, two: False)


Held = dict[Any, tuple[Any, ...]]
"""What was written to each key, one after the other."""


def snapshot_isolated(operations: Sequence[Operation], *, lists: bool) -> bool:
    """Whether transactions can have begun and been committed in some order such that each saw what was committed when
    it began and what it did itself, and nobody else committed to what it wrote in between.
    """
    effective = [one for one in operations if one.outcome != "failed"]
    needed = frozenset(i for i, one in enumerate(effective) if one.outcome == "ok")

    @cache
    def possible(committed: frozenset[int], going: frozenset[tuple[int, Any]], store: Any) -> bool:
        if needed <= committed:
            return True
        held = dict(store)
        waiting = set(range(len(effective))) - committed - {i for i, _ in going}
        if any(possible(committed, going | {(i, store)}, store) for i in waiting if _sees(effective[i], held, lists)):
            return True
        for i, snapshot in going:
            after = _committed(effective[i], dict(snapshot), held)
            if after is not None and possible(committed | {i}, going - {(i, snapshot)}, tuple(sorted(after.items()))):
                return True
        return False

    return possible(frozenset(), frozenset(), ())


def _sees(one: Operation, snapshot: Held, lists: bool) -> bool:
    held = dict(snapshot)
    for function, key, value in one.result if one.outcome == "ok" else ():
        if function != "r":
            held[key] = (*held.get(key, ()), value)
        elif (tuple(value or ()) if lists else value) != (held.get(key, ()) if lists else held.get(key, (None,))[-1]):
            return False
    return True


def _committed(one: Operation, snapshot: Held, held: Held) -> Held | None:
    """What is there after a transaction; None if somebody else wrote to its keys since its snapshot."""
    written = [(key, value) for function, key, value in one.argument if function != "r"]
    if any(snapshot.get(key) != held.get(key) for key, _ in written):
        return None
    after = dict(held)
    for key, value in written:
        after[key] = (*after.get(key, ()), value)
    return after
