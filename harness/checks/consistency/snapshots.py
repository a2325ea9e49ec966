"""Whether transactions fit under snapshot isolation, by showing when each began and was committed.

A transaction reads what was committed when it began, and what it did itself; of two that write to one key, the one was
committed before the other began. Each has a beginning and an end, and in terms of these the dependencies are

- ww, wr: the end of the first is before the beginning of the second;
- rw: the beginning of the first is before the end of the second.

Without a cycle among these there is an order (Cerone and Gotsman, "Analysing snapshot isolation", 2016), if the
order of the versions is known. Where it is not, that in which an order commits them is tried, then a search.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.consistency.graph import RW, WW, Graph
from harness.checks.consistency.guessing import likely_serial_order, likely_snapshot_order
from harness.checks.consistency.models import IMPOSSIBLE, Model, State
from harness.checks.consistency.operations import NEVER
from harness.checks.consistency.search import Limits, Timed, search
from harness.checks.consistency.serial import MOST_SEARCHED
from harness.checks.consistency.transactions import APPEND, READ, Step, Transaction
from harness.operations import Operation

Half = tuple[int, int]
"""A transaction's beginning (0) or end (1), in the order in which they are best taken: ends first."""


def has_snapshot_order(
    certain: Sequence[Transaction], graph: Graph, limits: Limits, now_s: Callable[[], float], initial: Any = None
) -> bool | None:
    """Whether the transactions that happened have an order that snapshot isolation allows; None: not decided."""
    order = _ordered(certain, graph.edges)
    if order is not None and is_snapshot_order(certain, order, initial):
        return True
    if order is not None:
        order = _ordered(certain, [*graph.edges, *_as_committed(certain, order)])
        if order is not None and is_snapshot_order(certain, order, initial):
            return True
    if initial is not LISTS:
        serial = likely_serial_order(certain, initial, realtime=True)
        for likely in (likely_snapshot_order(certain, initial), [(one, half) for one in serial for half in (0, 1)]):
            if len(likely) == 2 * len(certain) and is_snapshot_order(certain, likely, initial):
                return True
    return search_snapshots(certain, limits, now_s, initial)


def _ordered(certain: Sequence[Transaction], edges: Iterable[tuple[int, int, str]]) -> list[Half] | None:
    """An order of beginnings and ends that the edges agree with, with as few transactions at once as can be."""
    numbers = {one.number for one in certain}
    after: dict[Half, list[Half]] = {(number, half): [] for number in numbers for half in (0, 1)}
    waits = dict.fromkeys(after, 0)
    for number in numbers:
        after[number, 0].append((number, 1))
        waits[number, 1] += 1
    for start, end, kind in edges:
        if start in numbers and end in numbers:
            first, second = ((start, 0), (end, 1)) if kind == RW else ((start, 1), (end, 0))
            after[first].append(second)
            waits[second] += 1
    ready = [(-half, number) for (number, half), left in waits.items() if not left]
    heapq.heapify(ready)
    found: list[Half] = []
    while ready:
        half, number = heapq.heappop(ready)
        found.append((number, -half))
        for other in after[number, -half]:
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, (-other[1], other[0]))
    return found if len(found) == len(after) else None


def _as_committed(certain: Sequence[Transaction], order: Sequence[Half]) -> list[tuple[int, int, str]]:
    """Edges between those that wrote to a key one after the other in an order."""
    by_number = {one.number: one for one in certain}
    last: dict[Any, int] = {}
    found = []
    for number in (number for number, half in order if half):
        for key in _written(by_number[number]):
            if key in last:
                found.append((last[key], number, WW))
            last[key] = number
    return found


def _written(one: Transaction) -> dict[Any, None]:
    return {step.key: None for step in one.steps if step.function != READ}


@dataclass(slots=True)
class _Store:
    """What was committed: all versions of each key one after the other; lists have an element a version."""

    initial: Any
    versions: dict[Any, list[Any]] = field(default_factory=dict)
    commits: dict[Any, int] = field(default_factory=dict)

    def begin(self, one: Transaction) -> dict[Any, tuple[int, int]]:
        """Of each of its keys, how many versions there were, and how often it had been written to."""
        keys = {step.key for step in one.steps}
        return {key: (len(self.versions.get(key, ())), self.commits.get(key, 0)) for key in keys}

    def explains(self, one: Transaction, since: dict[Any, tuple[int, int]]) -> bool:
        """Whether a transaction read what was there when it began, and what it had done itself."""
        own: dict[Any, list[Any]] = {}
        for step in one.steps:
            if step.function != READ:
                own.setdefault(step.key, []).append(step.value)
            elif one.outcome == "ok" and not self._sees(step.key, step.value, since[step.key][0], own, one):
                return False
        return True

    def _sees(self, key: Any, value: Any, count: int, own: dict[Any, list[Any]], one: Transaction) -> bool:
        before, mine = self.versions.get(key, []), own.get(key, [])
        if self.initial is LISTS:
            seen = value or ()
            return len(seen) == count + len(mine) and [*seen] == before[:count] + mine
        return bool(value == (mine[-1] if mine else before[count - 1] if count else self.initial))

    def commit(self, one: Transaction, since: dict[Any, tuple[int, int]]) -> bool:
        """Whether nobody had written to what it writes since it began; then it is there."""
        keys = _written(one)
        if any(self.commits.get(key, 0) != since[key][1] for key in keys):
            return False
        for key in keys:
            self.commits[key] = self.commits.get(key, 0) + 1
        for step in one.steps:
            if step.function != READ:
                self.versions.setdefault(step.key, []).append(step.value)
        return True


LISTS = object()
"""In the place of what registers hold at first: these are lists, which begin empty."""


def is_snapshot_order(certain: Sequence[Transaction], order: Sequence[Half], initial: Any) -> bool:
    """Whether everything is explained when the transactions begin and are committed in this order."""
    by_number = {one.number: one for one in certain}
    store = _Store(initial)
    since: dict[int, dict[Any, tuple[int, int]]] = {}
    for number, half in order:
        one = by_number[number]
        if not half:
            since[number] = store.begin(one)
            if not store.explains(one, since[number]):
                return False
        elif not store.commit(one, since.pop(number)):
            return False
    return True


def search_snapshots(
    certain: Sequence[Transaction], limits: Limits, now_s: Callable[[], float], initial: Any = None
) -> bool | None:
    """Look for an order of the beginnings and ends of few transactions; those that are unknown may be left out."""
    if len(certain) > MOST_SEARCHED:
        return None
    by_number = {one.number: one for one in certain}
    timed = []
    for place, one in enumerate(certain):
        for half, name in enumerate(("begin", "commit")):
            asked = Operation(process=0, function=name, key="", argument=one.number, outcome=one.outcome)
            timed.append(Timed(one.number, -1, 2 * place + half if one.outcome == "ok" else NEVER, asked))

    def step(state: State, asked: Operation) -> State:
        held, going = state
        one = by_number[asked.argument]
        if asked.function == "begin":
            after = _begun(one, dict(held), initial)
            return (held, going | {one.number}) if after else IMPOSSIBLE
        if one.number not in going:
            return IMPOSSIBLE
        mine = _written(one)
        left = going - {one.number}
        # Whoever is under way and writes to the same key can never be committed.
        if any(mine.keys() & _written(by_number[other]).keys() for other in left):
            return IMPOSSIBLE
        store = dict(held)
        for written in one.steps:
            _write(written, store)
        return frozenset(store.items()), left

    model = Model("snapshots", ("begin", "commit"), (frozenset(), frozenset()), step, ())
    return search(model, timed, limits, now_s).linearizable


def _write(step: Step, held: dict[Any, Any]) -> None:
    if step.function == APPEND:
        held[step.key] = (*held.get(step.key, ()), step.value)
    elif step.function != READ:
        held[step.key] = step.value


def _begun(one: Transaction, held: dict[Any, Any], initial: Any) -> bool:
    """Whether a transaction that begins now reads what it did."""
    for step in one.steps:
        _write(step, held)
        if step.function == READ and one.outcome == "ok":
            nothing = () if initial is LISTS else initial
            seen = step.value or () if initial is LISTS else step.value
            if seen != held.get(step.key, nothing):
                return False
    return True
