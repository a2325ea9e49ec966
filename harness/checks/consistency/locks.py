"""Locks and leases: at most one process holds one at any instant.

A process holds a lock for certain from the return of its acquire to the call of its release; of a lease, at
most until its length after the *call* of the acquire, for it cannot have begun to run earlier. An acquire and
its release are a block (see :mod:`blocks`): two holds that overlap for certain cannot be put side by side. An
acquire that is unknown counts only if its release was acknowledged; one that was never released, and is
no lease, is held to the end.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.blocks import Blocks, conflicts_of
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import Operations, ranks
from harness.operations import FAILED, OK

FUNCTIONS = ("acquire", "release")
NOT_HELD = "not-held"
_INF = float("inf")


@dataclass(frozen=True, slots=True)
class _Hold:
    """An acquire and its release (-1: none was sent)."""

    acquire: int
    release: int


def conflicts_of_lock(operations: Operations, lease_s: float | None = None) -> Conflicts:
    """What is wrong with a history of one lock, free at first.

    With ``lease_s`` each hold ends by itself so many seconds after it was granted.
    """
    holds, wrong = _holds(operations)
    if wrong:
        return wrong
    placed: list[tuple[int, int, int, float, float]] = []
    for number, hold in enumerate(holds):
        acquire, release = hold.acquire, hold.release
        granted_s = float(operations.completed_s[acquire])
        end_s = float(operations.invoked_s[release]) if release >= 0 else _INF
        if lease_s is not None:
            end_s = min(end_s, float(operations.invoked_s[acquire]) + lease_s)
            if end_s <= granted_s:
                continue
        released_s = float(operations.completed_s[release]) if release >= 0 else _INF
        placed.append((acquire, number, 0, float(operations.invoked_s[acquire]), granted_s))
        placed.append((max(release, acquire), number, 1, end_s, released_s))
    if not placed:
        return []
    rows, numbers, positions = np.array([one[:3] for one in placed], dtype=np.int64).T
    times = np.array([one[3:] for one in placed])
    call, ret = ranks(times[:, 0], times[:, 1])
    key = np.full(len(rows), operations.key[0])
    return conflicts_of(Blocks(row=rows, key=key, block=numbers, position=positions, call=call, ret=ret))


def _holds(operations: Operations) -> tuple[list[_Hold], Conflicts]:
    """Every hold that certainly was; or a release that was acknowledged although the process held nothing."""
    holding: dict[int, int] = {}
    holds: list[_Hold] = []
    acquires = operations.is_("acquire")
    for row in range(len(operations)):
        process, outcome = int(operations.process[row]), int(operations.outcome[row])
        if outcome == FAILED:
            continue
        if acquires[row]:
            if process in holding:
                holds.append(_Hold(holding[process], -1))
            holding[process] = row
        elif process in holding:
            holds.append(_Hold(holding.pop(process), row))
        elif outcome == OK:
            return [], [Conflict(int(operations.key[row]), NOT_HELD, (row,))]
    holds += [_Hold(acquire, -1) for acquire in holding.values()]
    ok = operations.outcome == OK
    return [hold for hold in holds if ok[hold.acquire] or (hold.release >= 0 and ok[hold.release])], []
