"""Locks and leases: at most one process holds one at any instant.

A process holds a lock for certain from the return of its acquire to the call of its release; of a lease, at
most until its length after the *call* of the acquire, for it cannot have begun to run earlier. An acquire and
its release are a block (see :mod:`blocks`): two holds that overlap for certain cannot be put side by side. An
acquire that is unknown counts only if a release of it was acknowledged; one that was never released, and is no lease,
is held to the end.
"""

import numpy as np

from harness.checks.consistency.blocks import Blocks, conflicts_of
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import FAILED, NEVER, OK, Ints, Operations, ranks

FUNCTIONS = ("acquire", "release")
NOT_HELD = "not-held"
_END = NEVER - 1


def conflicts_of_lock(operations: Operations, lease_s: float | None = None) -> Conflicts:
    """What is wrong with a history of one lock, free at first.

    With ``lease_s`` each hold ends by itself so many seconds after it was granted.
    """
    holds, wrong = _holds(operations)
    if wrong:
        return wrong
    rows: list[int] = []
    numbers: list[int] = []
    ends: list[tuple[int, float]] = []
    for number, (acquire, release) in enumerate(holds):
        rows += [acquire] if release is None else [acquire, release]
        numbers += [number] * (1 if release is None else 2)
        runs_out_s = float("inf") if lease_s is None else float(operations.invoked_s[acquire]) + lease_s
        if operations.outcome[acquire] == OK:
            ends.append((number, runs_out_s))
    return conflicts_of(_blocks(operations, np.array(rows, dtype=np.int64), numbers, holds, ends, lease_s))


def _holds(operations: Operations) -> tuple[list[tuple[int, int | None]], Conflicts]:
    """Every hold as its acquire and its release; or a release of what the process did not hold."""
    holding: dict[int, int] = {}
    holds: list[tuple[int, int | None]] = []
    acquires = operations.is_("acquire")
    for row in range(len(operations)):
        process, outcome = int(operations.process[row]), int(operations.outcome[row])
        if outcome == FAILED:
            continue
        if acquires[row]:
            if process in holding:
                holds.append((holding[process], None))
            holding[process] = row
        elif process in holding:
            holds.append((holding.pop(process), row))
        elif outcome == OK:
            return [], [Conflict(int(operations.key[row]), NOT_HELD, (row,))]
    holds += [(acquire, None) for acquire in holding.values()]
    certain = [
        (acquire, release)
        for acquire, release in holds
        if operations.outcome[acquire] == OK or (release is not None and operations.outcome[release] == OK)
    ]
    return certain, []


def _blocks(
    operations: Operations,
    rows: Ints,
    numbers: list[int],
    holds: list[tuple[int, int | None]],
    ends: list[tuple[int, float]],
    lease_s: float | None,
) -> Blocks:
    """Acquires and releases; a hold that ended by itself has its end in the place of the release's call."""
    first = np.array([row for row, _ in holds], dtype=np.int64)
    release = np.array([-1 if row is None else row for _, row in holds], dtype=np.int64)
    given_up_s = np.where(release >= 0, operations.invoked_s[release], np.inf)
    end_s = np.full(len(holds), np.inf)
    for number, runs_out_s in ends:
        end_s[number] = runs_out_s
    if lease_s is not None:
        return _leases(operations, first, np.minimum(given_up_s, end_s))
    held = np.flatnonzero(release < 0)
    n = len(held)
    return Blocks(
        row=np.concatenate([rows, first[held]]),
        key=np.full(len(rows) + n, operations.key[0] if len(operations) else 0),
        block=np.concatenate([np.array(numbers, dtype=np.int64), held]),
        position=np.concatenate([operations.is_("release")[rows].astype(np.int64), np.ones(n, dtype=np.int64)]),
        call=np.concatenate([operations.call[rows], np.full(n, 2 * len(operations) + 8)]),
        ret=np.concatenate([operations.ret[rows], np.full(n, _END)]),
    )


def _leases(operations: Operations, first: Ints, end_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Blocks:
    """Holds by their instants alone; one whose lease may have ended before it was granted is certain of nothing."""
    began_s = operations.completed_s[first]
    certain = np.flatnonzero(began_s < end_s)
    call, ret = ranks(end_s[certain], began_s[certain])
    call = np.where(np.isinf(end_s[certain]), 2 * len(certain) + 8, call)
    return Blocks(
        row=first[certain],
        key=np.full(len(certain), operations.key[0] if len(operations) else 0),
        block=certain,
        position=np.zeros(len(certain), dtype=np.int64),
        call=call,
        ret=ret,
    )
