"""What became of each element of a set and of each message of a queue, with its times."""

from dataclasses import dataclass, replace

import numpy as np

from harness.checks.consistency.operations import NEVER, Floats, Ints, Operations
from harness.operations import FAILED, NONE, OK, UNKNOWN


@dataclass(frozen=True, slots=True)
class Element:
    """One element that something happened to: ``row`` is a read that shows it, times are of the run clock."""

    value: int
    row: int
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class SetAccount:
    """Every element of a set by what became of it.

    An element is known from the moment its addition was acknowledged, or a read had it. It is *stable* when every read
    called after some moment has it, *stale* when one called after it was known lacked it and a later one had it
    again, *lost* when the last reads lack it, *unseen* when no read was called after it was known.
    ``stable_after_s`` and ``stale_for_s`` are seconds since it was known.
    """

    stable: int
    unseen: int
    lost: tuple[Element, ...]
    stale: tuple[Element, ...]
    stable_after_s: Floats
    unexpected: tuple[Element, ...] = ()
    duplicated: tuple[Element, ...] = ()


def account_of_set(operations: Operations) -> SetAccount:
    """What became of every element of one set."""
    reads = np.flatnonzero(operations.is_("read") & (operations.outcome == OK))
    lengths = operations.item_end[reads] - operations.item_start[reads]
    owner = np.repeat(np.arange(len(reads)), lengths)
    listed = [operations.listed(int(read)) for read in reads]
    items = np.concatenate(listed) if listed else np.zeros(0, dtype=np.int64)
    order = np.lexsort((owner, items))
    items, owner = items[order], owner[order]
    again = np.zeros(len(items), dtype=np.bool_)
    again[1:] = (items[1:] == items[:-1]) & (owner[1:] == owner[:-1])
    duplicated = _elements(operations, reads, items[again], owner[again])
    items, owner = items[~again], owner[~again]
    adds = np.flatnonzero(operations.is_("add"))
    added = operations.argument[adds[operations.outcome[adds] != FAILED]]
    values, starts = np.unique(items, return_index=True)
    strange = ~np.isin(values, added)
    unexpected = _elements(operations, reads, values[strange], owner[starts[strange]])
    account = _became(operations, reads, items, owner)
    return replace(account, duplicated=duplicated, unexpected=unexpected)


def _elements(operations: Operations, reads: Ints, values: Ints, owner: Ints) -> tuple[Element, ...]:
    found: dict[int, Element] = {}
    for value, place in zip(values.tolist(), owner.tolist(), strict=True):
        row = int(reads[place])
        at_s = float(operations.completed_s[row])
        found.setdefault(value, Element(value, row, at_s, at_s))
    return tuple(found.values())


def _became(operations: Operations, reads: Ints, items: Ints, owner: Ints) -> SetAccount:
    sure = np.flatnonzero(operations.is_("add") & (operations.outcome == OK))
    values = np.unique(np.concatenate([operations.argument[sure], items]))
    known = np.full(len(values), NEVER, dtype=np.int64)
    np.minimum.at(known, np.searchsorted(values, operations.argument[sure]), operations.ret[sure])
    code = np.searchsorted(values, items)
    np.minimum.at(known, code, operations.ret[reads[owner]])
    # How many of the last reads have it without a gap: reads are in the order of their calls.
    ends = np.searchsorted(code, np.arange(len(values)), side="right")
    from_end = ends[code] - 1 - np.arange(len(code)) if len(code) else code
    run = np.bincount(code, weights=owner == len(reads) - 1 - from_end, minlength=len(values)).astype(np.int64)
    last_absent = len(reads) - 1 - run
    last_present = np.full(len(values), -1, dtype=np.int64)
    np.maximum.at(last_present, code, owner)
    calls = operations.call[reads]
    after = np.searchsorted(calls, known)
    lost = (run == 0) & (after < len(reads))
    stale = (run > 0) & (last_absent >= after)
    unseen = (run == 0) & ~lost
    known_s = _instants(operations, known)
    stable_s = (
        np.where(stale, operations.invoked_s[reads[np.maximum(last_absent, 0)]], known_s) if len(reads) else known_s
    )
    first_gone = np.maximum(last_present + 1, after)

    def shown(which: Ints, at: Ints) -> tuple[Element, ...]:
        return tuple(
            Element(
                int(values[one]),
                int(reads[at[one]]),
                float(known_s[one]),
                float(operations.invoked_s[reads[at[one]]]),
            )
            for one in which
        )

    return SetAccount(
        stable=int(np.count_nonzero(run > 0)),
        unseen=int(np.count_nonzero(unseen)),
        lost=shown(np.flatnonzero(lost), first_gone),
        stale=shown(np.flatnonzero(stale), last_absent),
        stable_after_s=(stable_s - known_s)[run > 0],
    )


def _instants(operations: Operations, ranks: Ints) -> Floats:
    """The seconds that belong to ranks of returns."""
    order = np.argsort(operations.ret, kind="stable")
    return operations.completed_s[order][np.searchsorted(operations.ret[order], ranks)]


@dataclass(frozen=True, slots=True)
class QueueAccount:
    """Every message of a queue by what became of it; rows of operations.

    ``missing`` were acknowledged and never delivered: lost for certain only if the queue was ``drained``, and
    more of them are missing than ``taken_unseen`` dequeues may have taken. ``overtaken`` are messages
    delivered after one that was enqueued later.
    """

    enqueued: int
    delivered: int
    missing: Ints
    duplicated: Ints
    unexpected: Ints
    overtaken: Ints
    recovered: int
    taken_unseen: int
    drained: bool


def account_of_queue(operations: Operations) -> QueueAccount:
    """What became of every message of one queue."""
    dequeues = operations.is_("dequeue")
    answered = dequeues & (operations.outcome == OK)
    takes = np.flatnonzero(answered & (operations.result != NONE))
    takes = takes[np.lexsort((operations.ret[takes], operations.result[takes]))]
    taken = operations.result[takes]
    again = np.zeros(len(takes), dtype=np.bool_)
    again[1:] = taken[1:] == taken[:-1]
    enqueues = np.flatnonzero(operations.is_("enqueue") & (operations.outcome != FAILED))
    sure = enqueues[operations.outcome[enqueues] == OK]
    missing = sure[~np.isin(operations.argument[sure], taken)]
    recovered = np.isin(operations.argument[enqueues], taken) & (operations.outcome[enqueues] != OK)
    empties = np.flatnonzero(answered & (operations.result == NONE))
    last = int(operations.ret[sure].max()) if len(sure) else -1
    return QueueAccount(
        enqueued=len(sure),
        delivered=int(np.count_nonzero(~again)),
        missing=missing,
        duplicated=takes[again],
        unexpected=takes[~np.isin(taken, operations.argument[enqueues])],
        overtaken=_overtaken(operations, enqueues, takes[~again]),
        recovered=int(np.count_nonzero(recovered)),
        taken_unseen=int(np.count_nonzero(dequeues & (operations.outcome == UNKNOWN))) + _drained_unseen(operations),
        drained=bool(np.any(operations.call[empties] > last)),
    )


def _drained_unseen(operations: Operations) -> int:
    """A drain of unknown outcome may have taken every message there ever was."""
    drains = operations.is_("drain") & (operations.outcome == UNKNOWN)
    return int(np.any(drains)) * int(np.count_nonzero(operations.is_("enqueue")))


def _overtaken(operations: Operations, enqueues: Ints, takes: Ints) -> Ints:
    """First deliveries that came after that of a message which was enqueued later."""
    enqueues = enqueues[np.argsort(operations.argument[enqueues], kind="stable")]
    made = operations.argument[enqueues]
    takes = takes[np.isin(operations.result[takes], made)]
    source = enqueues[np.searchsorted(made, operations.result[takes])]
    order = np.argsort(operations.call[source], kind="stable")
    soonest = np.minimum.accumulate(operations.ret[takes[order]][::-1])[::-1]
    later = np.searchsorted(operations.call[source[order]], operations.ret[source], side="right")
    has = later < len(order)
    bad = np.zeros(len(takes), dtype=np.bool_)
    bad[has] = soonest[later[has]] < operations.call[takes[has]]
    return takes[bad]
