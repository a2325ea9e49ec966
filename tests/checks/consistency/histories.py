"""Small concurrent histories: right by construction, with one planted anomaly, or with answers at random."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from msgspec.structs import replace

from harness.operations import Operation
from tests.checks.consistency.oracle import SPECIFICATIONS, WRONG


@dataclass(frozen=True, slots=True)
class Kind:
    """How operations of a model are made up: ``ask(random, fresh)`` gives function, argument and expected value."""

    model: str
    ask: Callable[[Random, Callable[[], int]], tuple[str, Any, Any]]
    answers: Callable[[str, Any, Random], Any]


def _ask_register(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    choice = random.random()
    if choice < 0.45:
        return "read", None, None
    if choice < 0.75:
        return "write", fresh(), None
    return "cas", fresh(), random.choice([None, 1, 2, 3])


def _ask_rewriting(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    choice = random.random()
    if choice < 0.4:
        return "read", None, None
    if choice < 0.65:
        return "write", random.choice([1, 2]), None
    if choice < 0.8:
        return "delete", None, None
    return "cas", random.choice([1, 2]), random.choice([None, 1, 2])


def _ask_kv(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    choice = random.random()
    if choice < 0.45:
        return "get", None, None
    return ("append" if choice < 0.85 else "put"), f"<{fresh()}>", None


def _simply(read: str, write: str, share: float, argument: Any = None) -> Any:
    def ask(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
        if random.random() < share:
            return read, None, None
        return write, fresh() if argument is None else argument(random), None

    return ask


def _ask_lock(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    return "acquire", None, None


def _ask_mutex(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    return random.choice(["acquire", "release"]), None, None


def _ask_drained(random: Random, fresh: Callable[[], int]) -> tuple[str, Any, Any]:
    choice = random.random()
    if choice < 0.15:
        return "drain", None, None
    return ("dequeue", None, None) if choice < 0.55 else ("enqueue", fresh(), None)


def _subset(items: list[int], random: Random) -> tuple[int, ...]:
    chosen = [item for item in items if random.random() < 0.5]
    random.shuffle(chosen)
    return tuple(chosen)


def _register_answer(function: str, used: Any, random: Random) -> Any:
    return random.choice([None, *used, *used])


KINDS = {
    "register": Kind("register", _ask_register, _register_answer),
    "rewriting": Kind("register", _ask_rewriting, _register_answer),
    "kv": Kind("kv", _ask_kv, lambda f, used, r: "".join(_subset(used, r))),  # type: ignore[arg-type]
    "set": Kind("set", _simply("read", "add", 0.45), lambda f, used, r: tuple(sorted(_subset(used, r)))),
    "list": Kind("list", _simply("read", "append", 0.45), lambda f, used, r: _subset(used, r)),
    "queue": Kind("queue", _simply("dequeue", "enqueue", 0.5), _register_answer),
    "counter": Kind(
        "counter", _simply("read", "increment", 0.45, lambda r: 1), lambda f, used, r: r.randint(0, len(used) + 1)
    ),
    "adding": Kind(
        "counter",
        _simply("read", "increment", 0.45, lambda r: r.choice([-1, 1, 2])),
        lambda f, used, r: r.randint(-1, 4),
    ),
    "lock": Kind("lock", _ask_lock, lambda f, used, r: None),
    "mutex": Kind("mutex", _ask_mutex, lambda f, used, r: None),
    "drained": Kind("queue", _ask_drained, _register_answer),
}
_OBSERVING = ("read", "get", "dequeue")


def history(kind: str, seed: int, *, most: int = 8) -> list[Operation]:
    """One history by its seed: a third each is right, has a planted anomaly, or answers at random."""
    random = Random(seed)
    operations = _right(KINDS[kind], random, random.randint(most // 3, most))
    style = random.random()
    if style < 1 / 3:
        return operations
    if style < 2 / 3:
        return _planted(KINDS[kind], operations, random)
    return _random_answers(KINDS[kind], operations, random)


@dataclass(slots=True)
class _Going:
    operation: Operation
    effect_s: float
    ends_s: float


def _right(kind: Kind, random: Random, count: int) -> list[Operation]:
    """Simulate the object: each operation has its effect at an instant within it (late or never, if unknown)."""
    processes = random.randint(1, 4)
    free_s = [random.random() for _ in range(processes)]
    numbers = list(range(processes))
    last = [0]

    def fresh() -> int:
        last[0] += 1
        return last[0]

    going: list[_Going] = []
    for number in range(count):
        lane = random.randrange(processes)
        function, argument, expected = kind.ask(random, fresh)
        if kind.model == "lock" and any(one.operation.process == numbers[lane] for one in going):
            before = [one.operation.function for one in going if one.operation.process == numbers[lane]]
            function = "release" if before[-1] == "acquire" or random.random() < 0.1 else "acquire"
        start_s = free_s[lane] + random.random()
        effect_s = start_s + random.random() * random.choice([0.2, 3])
        end_s = effect_s + random.random() * random.choice([0.2, 3])
        outcome = random.choices(["ok", "failed", "unknown"], [0.75, 0.1, 0.15])[0]
        if function == "drain":
            outcome = "unknown"
        if outcome == "unknown":
            effect_s = random.choice([effect_s, effect_s + random.random() * 8, float("inf")])
        operation = Operation(
            process=numbers[lane],
            function=function,
            key="x",
            argument=argument,
            expected=expected,
            outcome=outcome,
            invoked_s=start_s,
            completed_s=end_s,
            number=number,
        )
        going.append(_Going(operation, effect_s, end_s))
        free_s[lane] = end_s
        if outcome == "unknown":
            numbers[lane] = 100 + number
    return _simulate(kind, going)


def _simulate(kind: Kind, going: list[_Going]) -> list[Operation]:
    state = None
    step = SPECIFICATIONS[kind.model]
    ended = []
    for one in sorted(going, key=lambda one: one.effect_s):
        operation = one.operation
        if operation.outcome == "failed" or one.effect_s == float("inf"):
            ended.append(operation)
            continue
        if operation.function in _OBSERVING:
            result = _look(kind.model, state)
            operation = replace(operation, result=result if operation.outcome == "ok" else None)
        if operation.outcome == "unknown" and operation.function in ("read", "get"):
            ended.append(operation)
            continue
        after = step(state, operation)
        if after is WRONG:
            operation = replace(operation, outcome="failed" if operation.outcome == "ok" else operation.outcome)
        else:
            state = after
        ended.append(operation)
    return sorted(ended, key=lambda one: one.invoked_s)


def _look(model: str, state: Any) -> Any:
    if model == "queue":
        return state[0] if state else None
    return {"kv": "", "set": (), "list": (), "counter": 0}.get(model) if state is None else state


def _used(operations: list[Operation]) -> list[Any]:
    return [one.argument for one in operations if one.argument is not None]


def _planted(kind: Kind, operations: list[Operation], random: Random) -> list[Operation]:
    """Change one thing: an answer, an outcome, or an instant."""
    telling = [i for i, one in enumerate(operations) if one.function in _OBSERVING and one.outcome == "ok"]
    place = random.choice(telling) if telling and random.random() < 0.6 else random.randrange(len(operations))
    one = operations[place]
    choice = random.random()
    if choice < 0.6 and one.function in _OBSERVING and one.outcome == "ok":
        changed = replace(one, result=kind.answers(one.function, _used(operations), random))
    elif choice < 0.8:
        outcome = random.choice(["ok", "failed"]) if one.function != "drain" else "failed"
        gives = outcome == "ok" and one.outcome != "ok" and one.function in _OBSERVING
        result = kind.answers(one.function, _used(operations), random) if gives else one.result
        changed = replace(one, outcome=outcome, result=result if outcome == "ok" else None)
    else:
        end_s = one.completed_s or one.invoked_s
        start_s = end_s - (end_s - one.invoked_s) * random.random()
        changed = replace(one, invoked_s=start_s) if random.random() < 0.5 else replace(one, completed_s=start_s)
    return sorted([*operations[:place], changed, *operations[place + 1 :]], key=lambda one: one.invoked_s)


def _random_answers(kind: Kind, operations: list[Operation], random: Random) -> list[Operation]:
    used = _used(operations)
    return [
        replace(one, result=kind.answers(one.function, used, random))
        if one.function in _OBSERVING and one.outcome == "ok"
        else one
        for one in operations
    ]
