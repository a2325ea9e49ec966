"""Registers whose written values are distinct: read, write and compare-and-set, decided in O(n log n).

Each write with the reads of its value is a block (see :mod:`blocks`). A compare-and-set from *a* to *b* that
took effect ties the block of *b* to that of *a*: a chain, in which the reads of *a* come before the write of
*b*. That with known sources even read-modify-writes are tractable is in Gibbons and Korach (1997), section 4.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.blocks import (
    BEFORE_ALL,
    FAILED_SEEN,
    FORK,
    NEVER_TOGETHER,
    PHANTOM,
    Blocks,
    conflicts_of,
)
from harness.checks.consistency.conflict import Conflict, Conflicts, first_per_key
from harness.checks.consistency.operations import NEVER, Flags, Ints, Operations
from harness.operations import FAILED, NONE, OK

FUNCTIONS = ("read", "write", "cas", "delete")
_NOBODY = -1


def repeated_values(operations: Operations, initial: int = NONE) -> Ints:
    """The keys on which a value was written twice, over itself, or over again as at first: those need a search.

    ``initial`` is the code of what the registers held at first.
    """
    writes = np.flatnonzero(operations.is_("write", "cas", "delete") & (operations.outcome != FAILED))
    key, value = operations.key[writes], operations.argument[writes]
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    again = np.zeros(len(key), dtype=np.bool_)
    again[1:] = (key[1:] == key[:-1]) & (value[1:] == value[:-1])
    idle = operations.is_("cas") & (operations.argument == operations.expected) & (operations.outcome != FAILED)
    return np.unique(np.concatenate([key[again | (value == initial)], operations.key[idle]]))


@dataclass(frozen=True, slots=True)
class _Writers:
    """The writes of a history, and who wrote what each operation saw.

    ``seen_by[row]`` is the place in ``rows`` of the write whose value an operation read or expected; the
    writes of the initial values (one a key) follow those in ``rows``.
    """

    rows: Ints
    seen_by: Ints
    keys: Ints

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.keys)


def conflicts_of_register(operations: Operations, initial: int = NONE) -> Conflicts:
    """What is wrong with a history of registers that all held the same at first. All written values are distinct."""
    reads = operations.is_("read") & (operations.outcome == OK)
    swaps = operations.is_("cas") & (operations.outcome != FAILED)
    seen = np.where(reads, operations.result, operations.expected)
    writers = _match(operations, seen, reads | swaps, initial)
    observes = reads | (swaps & (operations.outcome == OK))
    lost = np.flatnonzero(observes & (writers.seen_by == _NOBODY))
    if len(lost):
        return _unwritten(operations, lost, seen)
    parent = _parents(operations, writers, swaps)
    happened = _happened(operations, writers, parent, observes)
    return _judge_chains(operations, writers, parent, happened, reads)


def _match(operations: Operations, seen: Ints, looking: Flags, initial: int) -> _Writers:
    """Find the write of each value that was seen."""
    writes = np.flatnonzero(operations.is_("write", "cas", "delete") & (operations.outcome != FAILED))
    keys = np.unique(operations.key)
    lookers = np.flatnonzero(looking)
    written_key = np.concatenate([operations.key[writes], keys])
    written = np.concatenate([operations.argument[writes], np.full(len(keys), initial)])
    values, codes = np.unique(np.concatenate([written, seen[lookers]]), return_inverse=True)
    names = np.concatenate([written_key, operations.key[lookers]]) * len(values) + codes
    made, wanted = names[: len(written)], names[len(written) :]
    order = np.argsort(made, kind="stable")
    place = np.minimum(np.searchsorted(made[order], wanted), max(len(made) - 1, 0))
    seen_by = np.full(len(operations), _NOBODY, dtype=np.int64)
    if len(made):
        seen_by[lookers] = np.where(made[order][place] == wanted, order[place], _NOBODY)
    return _Writers(writes, seen_by, keys)


def _unwritten(operations: Operations, lost: Ints, seen: Ints) -> Conflicts:
    """Values that nobody wrote, or whose write failed."""
    failed = np.flatnonzero(operations.is_("write", "cas") & (operations.outcome == FAILED))
    conflicts = []
    for conflict in first_per_key(PHANTOM, operations, lost, seen[lost]):
        refused = failed[(operations.key[failed] == conflict.key) & (operations.argument[failed] == conflict.values[0])]
        rule = FAILED_SEEN if len(refused) else PHANTOM
        conflicts.append(Conflict(conflict.key, rule, (*refused[:1].tolist(), *conflict.rows), conflict.values))
    return conflicts


def _parents(operations: Operations, writers: _Writers, swaps: Flags) -> Ints:
    """Of each write the one it builds on: itself for a plain write; _NOBODY for a swap from what never was."""
    parent = np.arange(writers.count, dtype=np.int64)
    places = np.flatnonzero(swaps[writers.rows])
    parent[places] = writers.seen_by[writers.rows[places]]
    return parent


def _happened(operations: Operations, writers: _Writers, parent: Ints, observes: Flags) -> Flags:
    """Which writes took effect for certain: acknowledged, or seen, or built upon by one that did."""
    happened = np.ones(writers.count, dtype=np.bool_)
    happened[: len(writers.rows)] = operations.outcome[writers.rows] == OK
    found = np.zeros(writers.count, dtype=np.bool_)
    found[writers.seen_by[observes]] = True
    while True:
        fresh = np.flatnonzero(found & ~happened)
        if not len(fresh):
            return happened
        happened[fresh] = True
        found = np.zeros_like(found)
        found[parent[fresh][parent[fresh] != _NOBODY]] = True


def _judge_chains(operations: Operations, writers: _Writers, parent: Ints, happened: Flags, reads: Flags) -> Conflicts:
    links = np.flatnonzero(happened & (parent != np.arange(len(parent))))
    if np.any(parent[links] == _NOBODY):
        bad = links[parent[links] == _NOBODY]
        rows = writers.rows[bad]
        return first_per_key(PHANTOM, operations, rows, operations.expected[rows])
    order = links[np.argsort(parent[links], kind="stable")]
    forks = np.flatnonzero(parent[order[1:]] == parent[order[:-1]])
    if len(forks):
        return _forks(operations, writers.rows[order], forks)
    root, depth = _roots(parent, happened)
    if np.any(root[links] == _NOBODY):
        return first_per_key(NEVER_TOGETHER, operations, writers.rows[links[root[links] == _NOBODY]])
    return conflicts_of(_blocks(operations, writers, (root, depth), happened, reads))


def _forks(operations: Operations, rows: Ints, places: Ints) -> Conflicts:
    found: dict[int, Conflict] = {}
    for place in places.tolist():
        one, two = int(rows[place]), int(rows[place + 1])
        key = int(operations.key[one])
        found.setdefault(key, Conflict(key, FORK, (one, two), (int(operations.expected[one]),)))
    return list(found.values())


def _roots(parent: Ints, happened: Flags) -> tuple[Ints, Ints]:
    """The first write of each chain and the distance from it, by pointer jumping; _NOBODY within a circle."""
    own = np.arange(len(parent), dtype=np.int64)
    up = np.where(happened, parent, own)
    depth = (up != own).astype(np.int64)
    for _ in range(max(1, len(parent).bit_length())):
        if np.array_equal(up[up], up):
            break
        depth += depth[up]
        up = up[up]
    return np.where(up[up] == up, np.where(depth[up] == 0, up, _NOBODY), _NOBODY), depth


def _blocks(
    operations: Operations, writers: _Writers, chains: tuple[Ints, Ints], happened: Flags, reads: Flags
) -> Blocks:
    root, depth = chains
    places = np.flatnonzero(happened[: len(writers.rows)])
    writes = writers.rows[places]
    looks = np.flatnonzero(reads)
    sources = writers.seen_by[looks]
    initial = np.arange(len(writers.keys), dtype=np.int64) + len(writers.rows)
    before = np.full(len(initial), BEFORE_ALL, dtype=np.int64)
    return Blocks(
        row=np.concatenate([before, writes, looks]),
        key=np.concatenate([writers.keys, operations.key[writes], operations.key[looks]]),
        block=np.concatenate([root[initial], root[places], root[sources]]),
        position=np.concatenate([np.zeros(len(initial), dtype=np.int64), 2 * depth[places], 2 * depth[sources] + 1]),
        call=np.concatenate([before + 2, operations.call[writes], operations.call[looks]]),
        ret=np.concatenate([before + 3, np.minimum(operations.ret[writes], NEVER), operations.ret[looks]]),
    )
