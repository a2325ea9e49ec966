"""Histories that fall into *blocks*: operations that have to follow each other without any other in between.

A register with distinct writes is the simplest case: a write and the reads of its value. The write comes
first, and while its value is there nothing else is written. More generally, each operation of a block has a
*position* in it (those at equal positions commute): a chain of successful compare-and-sets, a string that is
appended to, a set or a list that only grows.

A history is linearizable if and only if

1. inside each block no operation returned before one at a lower position was called, and
2. the *zones* of the blocks of a key fit side by side. A block has to be in effect from the first return in it
   to the last call in it. If these are in that order the zone is *forward*, and two forward zones must not
   overlap; else the block can take effect at any one instant between last call and first return, which must
   not lie wholly inside a forward zone.

For plain reads and writes this is Gibbons and Korach, "Testing shared memories", SIAM J. Comput. 26 (1997),
theorem 4.2; in the terms of Lee and Mathur (arXiv 2410.04581) blocks are the values that are taken away
together. Inside one block with (1) every operation can be put into the block's zone: give it the greatest call
of those up to its position, or the start of the zone if that is later. So the theorem carries over to longer blocks.

An unknown operation that was observed belongs to its block and never returns; one that was not observed is left
out, for it may never have happened. All of it is sorting: O(n log n) time and O(n) memory.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import NEVER, Ints

BEFORE_ALL = -4
"""The row number of the operation that put the initial value there."""

PHANTOM, FAILED_SEEN, OUT_OF_TURN = "phantom", "failed-seen", "out-of-turn"
OVERLAP, INSIDE, FORK, NEVER_TOGETHER = "overlap", "inside", "fork", "never-together"
LAST_STAGE = (OUT_OF_TURN, OVERLAP, INSIDE)
"""The rules that :func:`conflicts_of` finds, for every key at once."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Operations that took effect, each with its key, its block (numbered across keys) and its position in it.

    ``row`` says which operation it is, or BEFORE_ALL.
    """

    row: Ints
    key: Ints
    block: Ints
    position: Ints
    call: Ints
    ret: Ints


def conflicts_of(blocks: Blocks) -> Conflicts:
    """What is wrong, at most one conflict of each rule for a key; nothing for a linearizable history."""
    if not len(blocks.row):
        return []
    order = np.lexsort((blocks.position, blocks.block))
    return [*_out_of_turn(blocks, order), *_zones_in_the_way(blocks, order)]


def _starts(*columns: Ints) -> Ints:
    """Where a new run of equal tuples begins in sorted columns."""
    changed = np.zeros(len(columns[0]), dtype=np.bool_)
    changed[0] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def _out_of_turn(blocks: Blocks, order: Ints) -> Conflicts:
    block, call, ret = blocks.block[order], blocks.call[order], blocks.ret[order]
    starts = _starts(block, blocks.position[order])
    last_call = np.maximum.reduceat(call, starts)
    first_return = np.minimum.reduceat(ret, starts)
    # The greatest call before each group within its own block: an offset that grows with the block keeps them apart.
    dense = np.searchsorted(np.unique(block), block[starts])
    room = int(call.max()) + 8
    running = np.maximum.accumulate(last_call + 4 + dense * room)
    before = np.concatenate([[-1], running[:-1]]) - dense * room - 4
    bad = np.flatnonzero(first_return < before)
    found: dict[int, Conflict] = {}
    for group in bad.tolist():
        key = int(blocks.key[order[starts[group]]])
        if key not in found:
            late = int(np.flatnonzero(call[: starts[group]] == before[group])[-1])
            end = starts[group + 1] if group + 1 < len(starts) else len(order)
            early = int(starts[group] + np.argmin(ret[starts[group] : end]))
            found[key] = Conflict(key, OUT_OF_TURN, _rows(blocks, order[[early, late]]))
    return list(found.values())


def _zones_in_the_way(blocks: Blocks, order: Ints) -> Conflicts:
    starts = _starts(blocks.block[order])
    first_return = np.minimum.reduceat(blocks.ret[order], starts)
    last_call = np.maximum.reduceat(blocks.call[order], starts)
    key = blocks.key[order[starts]]
    forward = np.flatnonzero(first_return < last_call)
    forward = forward[np.lexsort((first_return[forward], key[forward]))]
    same_key = key[forward[1:]] == key[forward[:-1]]
    clash = np.flatnonzero(same_key & (first_return[forward[1:]] < last_call[forward[:-1]]))
    pairs = [(OVERLAP, forward[i], forward[i + 1]) for i in _first_of_each(key[forward[clash]], clash)]
    backward = np.flatnonzero((first_return >= last_call) & (first_return < NEVER))
    room = int(blocks.call.max()) + 8
    at = np.searchsorted(first_return[forward] + key[forward] * room, last_call[backward] + key[backward] * room) - 1
    around = forward[np.maximum(at, 0)] if len(forward) else np.zeros(len(backward), dtype=np.int64)
    inside = (at >= 0) & (key[around] == key[backward]) & (first_return[backward] < last_call[around])
    hits = np.flatnonzero(inside)
    pairs += [(INSIDE, around[i], backward[i]) for i in _first_of_each(key[backward[hits]], hits)]
    return [
        Conflict(
            int(key[one]),
            rule,
            (*_edges(blocks, order, starts, int(one)), *_edges(blocks, order, starts, int(two))),
        )
        for rule, one, two in pairs
    ]


def _first_of_each(keys: Ints, places: Ints) -> list[int]:
    _, first = np.unique(keys, return_index=True)
    return [int(one) for one in places[first]]


def _edges(blocks: Blocks, order: Ints, starts: Ints, number: int) -> tuple[int, int]:
    """Of a block: the operation that returned first, and the one that was called last."""
    end = starts[number + 1] if number + 1 < len(starts) else len(order)
    members = order[starts[number] : end]
    rows = members[[int(np.argmin(blocks.ret[members])), int(np.argmax(blocks.call[members]))]]
    return int(blocks.row[rows[0]]), int(blocks.row[rows[1]])


def _rows(blocks: Blocks, places: Ints) -> tuple[int, ...]:
    return tuple(int(one) for one in blocks.row[places])
