"""Sets and lists that only grow, read as a whole: decided in O(n log n) of operations and items read.

What a read returned tells its place: reads of a set in the order of their sizes have to contain each other,
reads of a list have to be beginnings of the longest one. An addition comes right before the first read that has
its element; one that was acknowledged and never seen comes after all reads. So all operations of a key
are one block (see :mod:`blocks`), and only the order of calls and returns remains to be looked at. (The set
with whole reads is the simplest of the collections of Lee and Mathur, arXiv 2410.04581; an addition that is
unknown and was never seen can be left out.)
"""

import numpy as np

from harness.checks.consistency.blocks import FAILED_SEEN, PHANTOM, Blocks, conflicts_of
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.operations import Ints, Operations
from harness.operations import FAILED, OK

TWICE, APART = "twice", "apart"


def repeated_additions(operations: Operations) -> Ints:
    """The keys to which the same element was added twice: those need a search."""
    adds = np.flatnonzero(operations.is_("add", "append") & (operations.outcome != FAILED))
    key, value = operations.key[adds], operations.argument[adds]
    order = np.lexsort((value, key))
    again = (key[order][1:] == key[order][:-1]) & (value[order][1:] == value[order][:-1])
    return np.unique(key[order][1:][again])


def conflicts_of_set(operations: Operations) -> Conflicts:
    """What is wrong with a history of one set, empty at first, to which each element was added at most once."""
    reads = _whole_reads(operations)
    if not len(reads):
        return []
    lengths = operations.item_end[reads] - operations.item_start[reads]
    reads = reads[np.argsort(lengths, kind="stable")]
    lengths = np.sort(lengths)
    levels = np.cumsum(np.concatenate([[0], lengths[1:] != lengths[:-1]]))
    owner = np.repeat(np.arange(len(reads)), lengths)
    items = _items(operations, reads)
    elements, codes = np.unique(items, return_inverse=True)
    order = np.lexsort((owner, codes))
    twice = np.flatnonzero((codes[order][1:] == codes[order][:-1]) & (owner[order][1:] == owner[order][:-1]))
    if len(twice):
        place = order[twice[0]]
        return [_of(operations, TWICE, (int(reads[owner[place]]),), (int(items[place]),))]
    first = np.full(len(elements), len(reads), dtype=np.int64)
    np.minimum.at(first, codes, owner)
    strange = _strange(operations, elements, reads[first], "add")
    if strange:
        return strange
    at_least = np.searchsorted(levels, levels[first])
    apart = np.flatnonzero(np.bincount(codes, minlength=len(elements)) != len(reads) - at_least)
    if len(apart):
        return [_apart(operations, reads, owner[codes == apart[0]], int(at_least[apart[0]]), int(elements[apart[0]]))]
    return _in_turn(operations, elements, 2 * levels[first], reads, 2 * levels + 1)


def _apart(operations: Operations, reads: Ints, with_it: Ints, at_least: int, element: int) -> Conflict:
    """Two reads, the larger of which lacks an element of the other."""
    without = np.setdiff1d(np.arange(at_least, len(reads)), with_it)
    return _of(operations, APART, (int(reads[with_it.min()]), int(reads[without[-1]])), (element,))


def conflicts_of_list(operations: Operations) -> Conflicts:
    """What is wrong with a history of one list, empty at first, to which each element was appended at most once."""
    reads = _whole_reads(operations)
    if not len(reads):
        return []
    lengths = operations.item_end[reads] - operations.item_start[reads]
    longest = int(reads[np.argmax(lengths)])
    whole = operations.listed(longest)
    for read in reads.tolist():
        seen = operations.listed(read)
        differs = np.flatnonzero(seen != whole[: len(seen)])
        if len(differs):
            place = int(differs[0])
            return [_of(operations, APART, (longest, read), (int(whole[place]), int(seen[place])))]
    elements, first = np.unique(whole, return_index=True)
    if len(elements) < len(whole):
        again = int(np.setdiff1d(np.arange(len(whole)), first)[0])
        return [_of(operations, TWICE, (longest,), (int(whole[again]),))]
    strange = _strange(operations, elements, np.full(len(elements), longest), "append")
    return strange or _in_turn(operations, elements, 2 * first, reads, 2 * lengths - 1)


def _whole_reads(operations: Operations) -> Ints:
    return np.flatnonzero(operations.is_("read") & (operations.outcome == OK))


def _items(operations: Operations, reads: Ints) -> Ints:
    if not len(reads):
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([operations.listed(int(read)) for read in reads])


def _of(operations: Operations, rule: str, rows: tuple[int, ...], values: tuple[int, ...] = ()) -> Conflict:
    return Conflict(int(operations.key[rows[0]]), rule, rows, values)


def _strange(operations: Operations, elements: Ints, reads: Ints, function: str) -> Conflicts:
    """An element that was read and that nobody added, or whose addition failed."""
    adds = operations.is_(function)
    added = operations.argument[adds & (operations.outcome != FAILED)]
    strange = np.flatnonzero(~np.isin(elements, added))
    if not len(strange):
        return []
    element, read = int(elements[strange[0]]), int(reads[strange[0]])
    failed = np.flatnonzero(adds & (operations.argument == element))
    rule = FAILED_SEEN if len(failed) else PHANTOM
    return [_of(operations, rule, (*failed[:1].tolist(), read), (element,))]


def _in_turn(operations: Operations, elements: Ints, places: Ints, reads: Ints, read_places: Ints) -> Conflicts:
    """Whether every operation at its place leaves the order of time alone."""
    adds = np.flatnonzero(operations.is_("add", "append") & (operations.outcome != FAILED))
    found = np.searchsorted(elements, operations.argument[adds])
    within = np.minimum(found, max(len(elements) - 1, 0))
    seen = elements[within] == operations.argument[adds] if len(elements) else np.zeros(len(adds), dtype=np.bool_)
    last = int(read_places.max()) + 1
    position = np.where(seen, places[within], last) if len(elements) else np.full(len(adds), last)
    certain = seen | (operations.outcome[adds] == OK)
    rows = np.concatenate([adds[certain], reads])
    return conflicts_of(
        Blocks(
            row=rows,
            key=operations.key[rows],
            block=np.zeros(len(rows), dtype=np.int64),
            position=np.concatenate([position[certain], read_places]),
            call=operations.call[rows],
            ret=operations.ret[rows],
        )
    )
