"""FIFO queues whose enqueued values are distinct, decided in O(n log n); dequeues may find the queue empty.

A history is linearizable if and only if (Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability
proofs", CONCUR 2013; Abdulla et al., arXiv 2509.17795, and Lee and Mathur, arXiv 2410.04581, decide it in
O(n log n))

1. every dequeued value was enqueued, not after its dequeue, and no value was dequeued twice;
2. no value overtook another: not both enqueue(x) before enqueue(y) and dequeue(y) before dequeue(x), where the
   dequeue of a value that never was dequeued comes after everything;
3. while a dequeue found the queue empty, there was an instant at which no value was in it for certain.

Beyond the papers, outcomes may be unknown:

- An enqueue takes effect before its value is dequeued, so it counts as having returned by then. One that is
  unknown and whose value was never dequeued is left out.
- A drain that is unknown may have been as many dequeues as there are values.
- A dequeue that is unknown may have taken any one value away, unseen, at any time after its call. A value that
  stayed although a later one was dequeued at t, needs such a dequeue that was called before t. These windows
  never close, so handing the earliest deadline the earliest call is best, and it is enough to count: at each
  instant as many unknown dequeues were called as values needed one. Deadlines grow with the enqueues' returns, so
  the counts of (2) and (3) do not add up but the greater of them counts.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.blocks import FAILED_SEEN, OUT_OF_TURN, PHANTOM
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import NEVER, Ints, Operations
from harness.operations import FAILED, NONE, OK, UNKNOWN

FUNCTIONS = ("enqueue", "dequeue", "drain")
TWICE, OVERTAKEN, LEFT_BEHIND, NOT_EMPTY = "twice", "overtaken", "left-behind", "not-empty"


def repeated_enqueues(operations: Operations) -> Ints:
    """The keys to which the same value was enqueued twice: those need a search."""
    rows = np.flatnonzero(operations.is_("enqueue") & (operations.outcome != FAILED))
    key, value = operations.key[rows], operations.argument[rows]
    order = np.lexsort((value, key))
    again = (key[order][1:] == key[order][:-1]) & (value[order][1:] == value[order][:-1])
    return np.unique(key[order][1:][again])


@dataclass(frozen=True, slots=True)
class _Passed:
    """Values that certainly were in the queue: the rows that put them in and took them out, and when.

    Sorted by ``into_ret``. ``out_row`` is -1 for a value that nobody was seen to take.
    """

    in_row: Ints
    out_row: Ints
    into_call: Ints
    into_ret: Ints
    out_call: Ints
    out_ret: Ints


def conflicts_of_queue(operations: Operations) -> Conflicts:
    """What is wrong with a history of one queue, empty at first, to which each value was enqueued at most once."""
    enqueues = np.flatnonzero(operations.is_("enqueue") & (operations.outcome != FAILED))
    answered = operations.is_("dequeue") & (operations.outcome == OK)
    takes = np.flatnonzero(answered & (operations.result != NONE))
    enqueues = enqueues[np.argsort(operations.argument[enqueues], kind="stable")]
    wrong = _strange(operations, enqueues, takes)
    if wrong:
        return wrong
    passed = _pair(operations, enqueues, takes)
    early = np.flatnonzero(passed.out_ret < passed.into_call)
    if len(early):
        rows = (int(passed.in_row[early[0]]), int(passed.out_row[early[0]]))
        return [_of(operations, OUT_OF_TURN, rows)]
    unseen = _unseen(operations, len(enqueues))
    return _overtaken(operations, passed, unseen) or _not_empty(
        operations, passed, unseen, np.flatnonzero(answered & (operations.result == NONE))
    )


def _unseen(operations: Operations, enqueued: int) -> Ints:
    """When dequeues that may have taken something unseen were called; a drain may have taken everything."""
    unknown = operations.outcome == UNKNOWN
    dequeues = operations.call[operations.is_("dequeue") & unknown]
    drains = operations.call[operations.is_("drain") & unknown]
    # The first one is enough for all.
    return np.sort(np.concatenate([dequeues, np.repeat(np.sort(drains)[:1], enqueued)]))


def _of(operations: Operations, rule: str, rows: tuple[int, ...]) -> Conflict:
    return Conflict(int(operations.key[rows[0]]), rule, rows)


def _strange(operations: Operations, enqueues: Ints, takes: Ints) -> Conflicts:
    value = operations.result[takes]
    order = np.argsort(value, kind="stable")
    twice = np.flatnonzero(value[order][1:] == value[order][:-1])
    if len(twice):
        rows = takes[order[twice[0] : twice[0] + 2]]
        return [
            Conflict(int(operations.key[rows[0]]), TWICE, (int(rows[0]), int(rows[1])), (int(value[order[twice[0]]]),))
        ]
    strange = np.flatnonzero(~np.isin(value, operations.argument[enqueues]))
    if not len(strange):
        return []
    code, take = int(value[strange[0]]), int(takes[strange[0]])
    failed = np.flatnonzero(operations.is_("enqueue") & (operations.argument == code))
    rule = FAILED_SEEN if len(failed) else PHANTOM
    return [Conflict(int(operations.key[take]), rule, (*failed[:1].tolist(), take), (code,))]


def _pair(operations: Operations, enqueues: Ints, takes: Ints) -> _Passed:
    """Enqueues (sorted by value) with the dequeues of their values."""
    out = np.full(len(enqueues), -1, dtype=np.int64)
    out[np.searchsorted(operations.argument[enqueues], operations.result[takes])] = takes
    certain = (operations.outcome[enqueues] == OK) | (out >= 0)
    enqueues, out = enqueues[certain], out[certain]
    into_call = operations.call[enqueues]
    taken = out >= 0
    out_call = np.where(taken, np.maximum(operations.call[out], into_call), NEVER)
    out_ret = np.where(taken, operations.ret[out], NEVER)
    into_ret = np.minimum(operations.ret[enqueues], out_ret)
    order = np.argsort(into_ret, kind="stable")
    return _Passed(*(one[order] for one in (enqueues, out, into_call, into_ret, out_call, out_ret)))


def _overtaken(operations: Operations, passed: _Passed, unseen: Ints) -> Conflicts:
    taken = np.flatnonzero(passed.out_row >= 0)
    stayed = np.flatnonzero(passed.out_row < 0)
    # Of those taken: the value whose dequeue was called last among those enqueued before this one.
    latest = np.maximum.accumulate(passed.out_call[taken]) if len(taken) else taken
    before = np.searchsorted(passed.into_ret[taken], passed.into_call[taken])
    bad = np.flatnonzero((before > 0) & (latest[np.maximum(before - 1, 0)] > passed.out_ret[taken]))
    if len(bad):
        second = taken[bad[0]]
        first = taken[int(np.argmax(passed.out_call[taken[: before[bad[0]]]]))]
        return [_of(operations, OVERTAKEN, _pairs(passed, int(first), int(second)))]
    # Of those that stayed: when the first value that was enqueued after it was taken.
    order = taken[np.argsort(passed.into_call[taken], kind="stable")]
    soonest = np.minimum.accumulate(passed.out_ret[order][::-1])[::-1]
    after = np.searchsorted(passed.into_call[order], passed.into_ret[stayed], side="right")
    deadline = np.full(len(stayed), NEVER, dtype=np.int64)
    has = after < len(order)
    deadline[has] = soonest[after[has]]
    needing = np.flatnonzero(has)
    late = np.searchsorted(unseen, deadline[needing]) < np.arange(1, len(needing) + 1)
    if not np.any(late):
        return []
    stuck = needing[np.flatnonzero(late)[0]]
    rest = order[after[stuck] :]
    second = rest[int(np.argmin(passed.out_ret[rest]))]
    return [_of(operations, LEFT_BEHIND, _pairs(passed, int(stayed[stuck]), int(second)))]


def _pairs(passed: _Passed, *places: int) -> tuple[int, ...]:
    rows = [int(row) for place in places for row in (passed.in_row[place], passed.out_row[place])]
    return tuple(row for row in rows if row >= 0)


def _not_empty(operations: Operations, passed: _Passed, unseen: Ints, empties: Ints) -> Conflicts:
    """Instants lie between ranks: number k between the ranks k and k + 1."""
    if not len(empties):
        return []
    size = int(max(operations.call.max(), operations.ret[empties].max())) + 2
    covered = np.zeros(size + 1, dtype=np.int64)
    held = np.flatnonzero((passed.out_row >= 0) & (passed.into_ret < passed.out_call))
    np.add.at(covered, passed.into_ret[held], 1)
    np.add.at(covered, passed.out_call[held], -1)
    instants = np.arange(size)
    stayed = passed.into_ret[passed.out_row < 0]
    came = np.searchsorted(stayed, instants, side="right")
    went = np.searchsorted(unseen, instants, side="right")
    free = (np.cumsum(covered)[:size] == 0) & (came <= went)
    until = np.concatenate([[0], np.cumsum(free)])
    bad = empties[until[operations.ret[empties]] == until[operations.call[empties]]]
    if not len(bad):
        return []
    return [_of(operations, NOT_EMPTY, (int(bad[0]), *_cover(operations, passed, int(bad[0]))))]


def _cover(operations: Operations, passed: _Passed, empty: int) -> tuple[int, ...]:
    """Enqueues and dequeues of a few values, one of which was in the queue at every instant of a dequeue."""
    at, end = int(operations.call[empty]), int(operations.ret[empty])
    rows: list[int] = []
    while at < end:
        there = np.flatnonzero((passed.into_ret <= at) & (passed.out_call > at))
        if not len(there):
            break
        best = there[int(np.argmax(passed.out_call[there]))]
        rows += _pairs(passed, int(best))
        at = int(passed.out_call[best])
    return tuple(dict.fromkeys(rows))
