"""Small histories of transactions and of sessions: right, nearly right, or at random, by their seeds."""

from random import Random
from typing import Any

from msgspec.structs import replace

from harness.operations import Operation


def transactions(seed: int, *, lists: bool, most: int = 6, torn: bool = False, few: bool = False) -> list[Operation]:
    """Transactions over two keys, simulated with some isolation (from full to none), then perhaps changed.

    ``torn``: what a transaction sees of each key is of a time of its own, so that readers disagree on what came first.
    ``few``: registers are given few values, again and again, null among them.
    """
    random = Random(seed)
    store: dict[str, list[Any]] = {}
    fresh = 0
    found = []
    stale = random.choice([0.0, 0.15, 0.5, 0.8])
    past: list[dict[str, list[Any]]] = [{}]
    clock_s = [random.random() for _ in range(3)]
    for number in range(random.randint(1, most)):
        lane = random.randrange(3)
        outcome = random.choices(["ok", "failed", "unknown"], [0.8, 0.1, 0.1])[0]
        applied = outcome == "ok" or (outcome == "unknown" and random.random() < 0.5)
        applied = applied or (outcome == "failed" and random.random() < stale / 3)
        view = random.choice(past) if random.random() < stale else store
        if torn and random.random() < stale:
            view = {key: random.choice(past).get(key, []) for key in "xy"}
        seen = {key: list(values) for key, values in view.items()}
        asked: list[tuple[str, str, Any]] = []
        told: list[tuple[str, str, Any]] = []
        for _ in range(random.randint(1, 3)):
            key = random.choice("xy")
            if random.random() < 0.5:
                held = tuple(seen.get(key, ())) if lists else (seen.get(key) or [None])[-1]
                asked.append(("r", key, None))
                told.append(("r", key, held))
                continue
            fresh += 1
            value = random.choice([None, 0, 1]) if few else fresh
            step = ("append" if lists else "w", key, value)
            asked.append(step)
            told.append(step)
            seen.setdefault(key, []).append(value)
            if applied:
                store.setdefault(key, []).append(value)
        past.append({key: list(values) for key, values in store.items()})
        start_s = clock_s[lane] + random.random()
        clock_s[lane] = start_s + random.random() * 3
        found.append(
            Operation(
                process=lane,
                function="txn",
                key="",
                argument=tuple(asked),
                result=tuple(told) if outcome == "ok" else None,
                outcome=outcome,
                invoked_s=start_s,
                completed_s=clock_s[lane],
                number=number,
            )
        )
    return found if random.random() < 0.8 else _changed(found, random)


def _changed(operations: list[Operation], random: Random) -> list[Operation]:
    """Let one transaction read what another one of the reads, or part of it, was."""
    place = random.randrange(len(operations))
    one = operations[place]
    reads = [step[2] for other in operations for step in other.result or () if step[0] == "r"]
    if not one.result or not reads:
        return operations
    steps = [
        ("r", key, random.choice(reads)) if function == "r" and random.random() < 0.6 else (function, key, value)
        for function, key, value in one.result
    ]
    return [*operations[:place], replace(one, result=tuple(steps)), *operations[place + 1 :]]


def sessions(seed: int) -> list[Operation]:
    """Reads and writes of one register by a few processes, with answers at random but often plausible."""
    random = Random(seed)
    found: list[Operation] = []
    last: dict[int, Any] = {}
    fresh = 0
    for number in range(random.randint(1, 9)):
        process = random.randrange(3)
        outcome = random.choices(["ok", "failed", "unknown"], [0.85, 0.07, 0.08])[0]
        if random.random() < 0.35 and fresh < 5:
            fresh += 1
            function, argument, result = "write", fresh, None
            last[process] = fresh
        else:
            plausible = random.random() < 0.6
            result = last.get(process) if plausible else random.choice([None, *range(1, fresh + 1)])
            function, argument = "read", None
            last[process] = result
        found.append(
            Operation(
                process=process,
                function=function,
                key="x",
                argument=argument,
                result=result if outcome == "ok" else None,
                outcome=outcome,
                invoked_s=float(2 * number),
                completed_s=2 * number + 1.0,
                number=number,
            )
        )
    return found
