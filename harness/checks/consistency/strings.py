"""Strings that are put, appended to and got as a whole, each written piece distinct: O(n log n) and the text read.

What a get returned names its history: a put piece (or nothing), then the appended pieces in their order. So puts and
appends form chains as compare-and-sets of a register do (see :mod:`register`), and each chain is a block. A
chain of observations has to be unbranched; an acknowledged append that was never seen can follow any
block, so it is a block of its own, as an unseen put is.
"""

from dataclasses import dataclass, field

import numpy as np

from harness.checks.consistency.blocks import BEFORE_ALL, FAILED_SEEN, FORK, PHANTOM, Blocks, conflicts_of
from harness.checks.consistency.conflict import Conflict, Conflicts, Undecided
from harness.checks.consistency.operations import Operations
from harness.operations import FAILED, OK

FUNCTIONS = ("get", "put", "append")


@dataclass(slots=True)
class _Chain:
    """One put (or the empty start) and the longest text that was seen of it."""

    pieces: list[str] = field(default_factory=list)
    seen_by: int = BEFORE_ALL


@dataclass(slots=True)
class _Text:
    """The pieces of one key, and how the texts that were got divide into them."""

    operations: Operations
    writer: dict[str, int] = field(default_factory=dict)
    chains: dict[int, _Chain] = field(default_factory=dict)
    home: dict[int, int] = field(default_factory=dict)
    """The chain of each piece that was seen."""
    places: list[tuple[int, int, int]] = field(default_factory=list)
    """Row, block and position of each get."""


def conflicts_of_strings(operations: Operations) -> Conflicts:
    """What is wrong with a history of one string, empty at first.

    Raises Undecided when pieces are not distinct, or a text can be divided into them in two ways.
    """
    text = _Text(operations)
    writes = np.flatnonzero(operations.is_("put", "append"))
    for row in writes[np.argsort(-operations.outcome[writes] % 3, kind="stable")].tolist():
        piece = operations.values.decode(int(operations.argument[row]))
        before = text.writer.get(piece)
        if not isinstance(piece, str) or not piece:
            raise Undecided("a piece that was written is empty or no text")
        if before is not None and operations.outcome[before] != FAILED and operations.outcome[row] != FAILED:
            raise Undecided(f"{piece!r} was written twice")
        if before is None or operations.outcome[before] == FAILED:
            text.writer[piece] = row
    lengths = {len(piece) for piece in text.writer}
    for row in np.flatnonzero(operations.is_("get") & (operations.outcome == OK)).tolist():
        conflict = _place(text, row, lengths)
        if conflict:
            return [conflict]
    return conflicts_of(_blocks(text))


def _place(text: _Text, row: int, lengths: set[int]) -> Conflict | None:
    """Find a get's place in the chain that it saw."""
    operations = text.operations
    key = int(operations.key[row])
    got = operations.values.decode(int(operations.result[row])) or ""
    pieces = _divide(got, text.writer, lengths)
    if pieces is None:
        return Conflict(key, PHANTOM, (row,), (int(operations.result[row]),))
    writers = [text.writer[piece] for piece in pieces]
    failed = [writer for writer in writers if operations.outcome[writer] == FAILED]
    if failed:
        return Conflict(key, FAILED_SEEN, (failed[0], row), (int(operations.argument[failed[0]]),))
    puts = operations.is_("put")
    if any(puts[writer] for writer in writers[1:]) or len(set(pieces)) < len(pieces):
        return Conflict(key, PHANTOM, (row,), (int(operations.result[row]),))
    root = writers[0] if writers and puts[writers[0]] else BEFORE_ALL
    chain = text.chains.setdefault(root, _Chain())
    short, long = sorted((pieces, chain.pieces), key=len)
    if long[: len(short)] != short:
        return Conflict(key, FORK, (chain.seen_by, row))
    for writer in writers:
        home = text.home.setdefault(writer, root)
        if home != root:
            return Conflict(key, FORK, (text.chains[home].seen_by, row))
    if len(pieces) > len(chain.pieces) or chain.seen_by == BEFORE_ALL:
        chain.pieces, chain.seen_by = pieces, row
    text.places.append((row, root, 2 * len(pieces)))
    return None


def _divide(got: str, writer: dict[str, int], lengths: set[int]) -> list[str] | None:
    """The only way to divide a text into pieces; None when there is none."""
    ways = [0] * len(got) + [1]
    step = [0] * len(got)
    for at in range(len(got) - 1, -1, -1):
        for length in lengths:
            if at + length <= len(got) and ways[at + length] and got[at : at + length] in writer:
                ways[at] = min(2, ways[at] + ways[at + length])
                step[at] = length
    if ways[0] > 1:
        raise Undecided(f"{got!r} can be divided into the pieces that were written in several ways")
    if not ways[0]:
        return None
    pieces, at = [], 0
    while at < len(got):
        pieces.append(got[at : at + step[at]])
        at += step[at]
    return pieces


def _blocks(text: _Text) -> Blocks:
    operations = text.operations
    key = int(operations.key[0])
    placed = [
        (row, root, position, int(operations.call[row]), int(operations.ret[row]))
        for row, root, position in text.places
    ]
    placed.append((BEFORE_ALL, BEFORE_ALL, 0, -2, -1))
    used: set[int] = set()
    fork = {}
    for root, chain in text.chains.items():
        for number, piece in enumerate(chain.pieces):
            row = text.writer[piece]
            used.add(row)
            fork[row] = (root, 2 * number + 1)
    for row in text.writer.values():
        if row in used or operations.outcome[row] == OK:
            root, position = fork.get(row, (row, 1))
            placed.append((row, root, position, int(operations.call[row]), int(operations.ret[row])))
    rows, blocks, positions, calls, rets = np.array(placed, dtype=np.int64).T
    return Blocks(row=rows, key=np.full(len(rows), key), block=blocks, position=positions, call=calls, ret=rets)
