"""Counters: increments and reads.

With increments by one a read tells its place: it comes after exactly as many increments as it returned. The
reads in the order of their values leave gaps between them, each of which takes a known number of increments; an
increment fits the gaps between the last read that precedes it and the first that it precedes. Filling each gap with
those whose last gap comes first is best (any other filling can be exchanged into this one, and it never puts an
increment before one that precedes it), and unknown increments, which may stay out, come last. So the
history is linearizable exactly if this succeeds: O(n log n). Increments by other amounts need a search.
"""

import heapq

import numpy as np

from harness.checks.consistency.blocks import Blocks, conflicts_of
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import NEVER, Ints, Operations
from harness.operations import FAILED, OK, is_small

FUNCTIONS = ("increment", "read")
TOO_MANY, TOO_FEW, UNCOUNTED = "too-many", "too-few", "uncounted"


def other_amounts(operations: Operations) -> Ints:
    """The keys that were incremented by something else than one, or read as no small integer: those need a search."""
    increments = operations.is_("increment") & (operations.outcome != FAILED) & (operations.argument != 1)
    reads = operations.is_("read") & (operations.outcome == OK) & ~is_small(operations.result)
    return np.unique(operations.key[increments | reads])


def conflicts_of_counter(operations: Operations) -> Conflicts:
    """What is wrong with a history of one counter, zero at first, incremented by one each time."""
    reads = np.flatnonzero(operations.is_("read") & (operations.outcome == OK))
    if not len(reads):
        return []
    reads = reads[np.argsort(operations.result[reads], kind="stable")]
    wrong = _reads_in_turn(operations, reads)
    if wrong:
        return wrong
    counts, starts = np.unique(operations.result[reads], return_index=True)
    first_return = np.minimum.reduceat(operations.ret[reads], starts)
    last_call = np.maximum.reduceat(operations.call[reads], starts)
    increments = np.flatnonzero(operations.is_("increment") & (operations.outcome != FAILED))
    # Calls and returns of the groups grow together (the reads are in turn), once cleaned of what does not bind.
    from_gap = np.searchsorted(np.minimum.accumulate(first_return[::-1])[::-1], operations.call[increments])
    until_gap = np.searchsorted(np.maximum.accumulate(last_call), operations.ret[increments])
    bad = np.flatnonzero(from_gap > until_gap)
    if len(bad):
        return [_between(operations, reads, int(increments[bad[0]]))]
    missing = np.diff(counts, prepend=0)
    if missing[0] < 0:
        return [_at(operations, TOO_MANY, reads, int(starts[0]))]
    optional = operations.outcome[increments] != OK
    gap = _fill(missing, from_gap, np.where(optional, NEVER, until_gap))
    if gap is None:
        return []
    rule = TOO_FEW if gap < 0 else TOO_MANY
    return [_at(operations, rule, reads, int(starts[abs(gap) - 1]))]


def _at(operations: Operations, rule: str, reads: Ints, place: int) -> Conflict:
    return Conflict(int(operations.key[reads[place]]), rule, (int(reads[place]),))


def _between(operations: Operations, reads: Ints, increment: int) -> Conflict:
    """Two reads that returned the same although an increment took place between them."""
    before = reads[operations.ret[reads] < operations.call[increment]]
    after = reads[operations.call[reads] > operations.ret[increment]]
    rows = (
        int(before[np.argmax(operations.result[before])]),
        increment,
        int(after[np.argmin(operations.result[after])]),
    )
    return Conflict(int(operations.key[increment]), UNCOUNTED, rows)


def _reads_in_turn(operations: Operations, reads: Ints) -> Conflicts:
    return conflicts_of(
        Blocks(
            row=reads,
            key=operations.key[reads],
            block=np.zeros(len(reads), dtype=np.int64),
            position=operations.result[reads],
            call=operations.call[reads],
            ret=operations.ret[reads],
        )
    )


def _fill(missing: Ints, from_gap: Ints, until_gap: Ints) -> int | None:
    """Fill the gaps; None, or 1 + the gap that cannot be; negative when increments are missing."""
    order = np.argsort(from_gap, kind="stable")
    arrives, leaves = from_gap[order].tolist(), until_gap[order].tolist()
    waiting: list[int] = []
    at = 0
    for gap, wanted in enumerate(missing.tolist()):
        while at < len(arrives) and arrives[at] <= gap:
            heapq.heappush(waiting, leaves[at])
            at += 1
        if len(waiting) < wanted:
            return -(gap + 1)
        for _ in range(wanted):
            heapq.heappop(waiting)
        if waiting and waiting[0] <= gap:
            return gap + 1
    return None
