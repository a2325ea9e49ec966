"""Whether transactions over registers fit into a serial order, by showing one."""

from collections.abc import Callable, Sequence
from typing import Any

from harness.checks.consistency.graph import Graph
from harness.checks.consistency.guessing import likely_serial_order
from harness.checks.consistency.models import IMPOSSIBLE, Model, State
from harness.checks.consistency.operations import NEVER
from harness.checks.consistency.search import Limits, Timed, search
from harness.checks.consistency.transactions import READ, Transaction
from harness.operations import Operation

MOST_SEARCHED = 300
"""More transactions than that are not searched for an order: all of them are concurrent."""


def is_serial_order(transactions: Sequence[Transaction], order: Sequence[int], initial: Any = None) -> bool:
    """Whether every read is explained when the transactions run one after the other in this order."""
    state: dict[Any, Any] = {}
    return all(_run(transactions[number], state, initial) for number in order)


def _run(one: Transaction, state: dict[Any, Any], initial: Any) -> bool:
    for step in one.steps:
        if step.function != READ:
            state[step.key] = step.value
        elif one.outcome == "ok" and step.value != state.get(step.key, initial):
            return False
    return True


def has_serial_order(
    certain: Sequence[Transaction],
    transactions: Sequence[Transaction],
    graph: Graph,
    limits: Limits,
    now_s: Callable[[], float],
    *,
    realtime: bool,
    initial: Any = None,
) -> bool | None:
    """Whether the transactions that happened have a serial order that ``graph`` agrees with; None: not decided.

    Those that are unknown and that nobody saw may be left out of it. ``graph`` has no cycle.
    """
    numbers = {one.number for one in certain}
    order = [number for number in graph.order(len(transactions)) or () if number in numbers]
    if is_serial_order(transactions, order, initial):
        return True
    # Most stores keep to real time even where nobody asks them to.
    for keeping in dict.fromkeys((True, realtime)):
        likely = likely_serial_order(certain, initial, realtime=keeping)
        if len(likely) == len(certain) and is_serial_order(transactions, likely, initial):
            return True
    return search_serial(certain, limits, now_s, realtime=realtime, initial=initial)


def search_serial(
    certain: Sequence[Transaction],
    limits: Limits,
    now_s: Callable[[], float],
    *,
    realtime: bool,
    initial: Any = None,
) -> bool | None:
    """Look for a serial order of few transactions; those that are unknown may be left out."""
    if len(certain) > MOST_SEARCHED:
        return None
    calls = sorted(
        [(one.operation.invoked_s, 0, one.number) for one in certain]
        + [(one.operation.completed_s or 0.0, 1, one.number) for one in certain if one.outcome == "ok"]
    )
    rank = {(ends, number): place for place, (_, ends, number) in enumerate(calls)}
    timed = [
        Timed(
            one.number,
            rank[0, one.number] if realtime else -1,
            rank.get((1, one.number), NEVER),
            Operation(process=0, function="txn", key="", argument=one.number, outcome=one.outcome),
        )
        for one in certain
    ]
    by_number = {one.number: one for one in certain}

    def step(state: State, operation: Operation) -> State:
        held = dict(state)
        return frozenset(held.items()) if _run(by_number[operation.argument], held, initial) else IMPOSSIBLE

    model = Model("transactions", ("txn",), frozenset(), step, ())
    return search(model, timed, limits, now_s).linearizable
