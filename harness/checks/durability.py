"""The check of acknowledged writes: none is lost, on any member, and nothing is there that nobody wrote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.operations import Flags, Ints, Operations, operations_of
from harness.checks.declared import check_of_durability
from harness.checks.story import Clock, FaultWindow, clock_of, fault_windows, windows_at
from harness.checks.verdict import MAX_FINDINGS, Finding, Verdict, holds, unknown, violated
from harness.events import ReadBack
from harness.history import History
from harness.operations import FAILED, OK

LEDGER = "ledger"
"""The key of the ledger: the set that clients write to so that there is something to lose."""


def writes_of(history: History, key: str | None = LEDGER) -> Operations:
    """Every write of the run to a key (None: to any), in the order of invocation."""
    operations = operations_of(history, key)
    mine = operations.is_("write")
    return operations.take(mine if key is None else mine & operations.on(key))


@check_of_durability
def nothing_lost(history: History, key: str | None = LEDGER) -> Verdict:
    """Every acknowledged write is held by every member that was read afterwards.

    Values are distinct, and a key (None: each) holds a set of them. A write whose outcome is unknown may be
    there or not. A value that nobody wrote, or whose write was refused, must not be there. Where nobody looked after
    a write any more, it is UNKNOWN.
    """
    name = "nothing_lost"
    writes = writes_of(history, key)
    acknowledged = writes.take(writes.outcome == OK)
    if not len(acknowledged):
        return unknown(name, f"none of {len(writes)} writes was acknowledged")
    reads = _last_reads(history, key)
    unread = sorted(acknowledged.keys() - {read_key for _, read_key in reads})
    if unread:
        return unknown(name, f"{len(acknowledged)} writes were acknowledged, and nobody read back {', '.join(unread)}")
    clock, windows = clock_of(history), fault_windows(history)
    missing = _missing(acknowledged, reads)
    strange = _strange(writes, reads)
    members = ", ".join(sorted({node for node, _ in reads}))
    lost = np.flatnonzero(np.logical_or.reduce([*missing.values()]))
    if len(lost) or strange:
        parts = [f"{len(lost)} of {len(acknowledged)} acknowledged writes are lost"] if len(lost) else []
        parts += [f"{len(strange)} values are there that must not be"] if strange else []
        shown = [_lost(acknowledged, row, missing, windows, clock) for row in lost[:MAX_FINDINGS].tolist()]
        return violated(name, f"{' and '.join(parts)} (read back from {members})", [*shown, *strange[:MAX_FINDINGS]])
    unseen = int(np.count_nonzero(~_looked_for(acknowledged, reads)))
    if unseen:
        last_s = max(read.t_s for read in reads.values())
        text = f"{unseen} of {len(acknowledged)} acknowledged writes came after the last look at {members}"
        return unknown(name, f"{text}, at {clock.at(last_s)}")
    return holds(name, f"all {len(acknowledged)} acknowledged writes are on {members}")


def acknowledged_and_lost(history: History, key: str = LEDGER) -> tuple[Operations, Flags] | None:
    """The writes that were acknowledged, and which of them are lost; None when nothing was read back."""
    writes = writes_of(history, key)
    acknowledged = writes.take(writes.outcome == OK)
    missing = _missing(acknowledged, _last_reads(history, key))
    return (acknowledged, np.logical_or.reduce([*missing.values()])) if missing else None


def lost_writes(history: History) -> tuple[int, int] | None:
    """How many writes were acknowledged, and how many of them are lost; None when nothing was read back."""
    found = acknowledged_and_lost(history)
    return None if found is None else (len(found[0]), int(np.count_nonzero(found[1])))


@dataclass(frozen=True, slots=True)
class _Read:
    """What a member held of a key, as codes of its values."""

    t_s: float
    held: Ints


Reads = Mapping[tuple[str, str], _Read]


def _last_reads(history: History, key: str | None) -> Reads:
    last = {(event.node, event.key): event for event in history.of(ReadBack) if key is None or event.key == key}
    encode = history.operations.values.encode
    return {
        place: _Read(event.t_s, np.fromiter((encode(value) for value in event.values), dtype=np.int64))
        for place, event in last.items()
    }


def _missing(acknowledged: Operations, reads: Reads) -> dict[tuple[str, str], Flags]:
    """For each reading, which acknowledged writes it had to have and had not."""
    return {
        (node, key): acknowledged.on(key)
        & ~np.isin(acknowledged.argument, read.held)
        & (acknowledged.completed_s <= read.t_s)
        for (node, key), read in reads.items()
    }


def _looked_for(acknowledged: Operations, reads: Reads) -> Flags:
    """Which acknowledged writes somebody could have found missing."""
    looked = np.zeros(len(acknowledged), np.bool_)
    for (_, key), read in reads.items():
        looked |= acknowledged.on(key) & (acknowledged.completed_s <= read.t_s)
    return looked


def _lost(
    acknowledged: Operations,
    row: int,
    missing: Mapping[tuple[str, str], Flags],
    windows: tuple[FaultWindow, ...],
    clock: Clock,
) -> Finding:
    write = acknowledged.row(row)
    nodes = tuple(node for (node, _), without in missing.items() if without[row])
    done_s = float(acknowledged.completed_s[row])
    during = ", ".join(window.label for window in windows_at(windows, done_s)) or "no fault"
    return Finding(
        text=f"{write.key} = {write.argument} (process {write.process}), acknowledged at {clock.at(done_s)} during "
        f"{during}, is missing on {', '.join(nodes)}",
        from_s=write.invoked_s,
        until_s=done_s,
        nodes=nodes,
        events=write.events,
    )


def _strange(writes: Operations, reads: Reads) -> list[Finding]:
    """Values that were read and that nobody wrote, or whose write was refused."""
    where: dict[tuple[str, int], list[str]] = {}
    for node, key, code in _unexpected(writes, reads):
        where.setdefault((key, code), []).append(node)
    failed = writes.take(writes.outcome == FAILED)
    refused = {(writes.names[key], code) for key, code in zip(failed.key, failed.argument.tolist(), strict=True)}
    found = [
        (key, writes.values.decode(code), sorted(nodes), (key, code) in refused) for (key, code), nodes in where.items()
    ]
    return [
        Finding(
            text=f"{key} = {value} is on {', '.join(nodes)}, though "
            + ("its write was refused" if was_refused else "nobody wrote it"),
            nodes=tuple(nodes),
        )
        for key, value, nodes, was_refused in sorted(found, key=lambda one: (one[0], repr(one[1])))
    ]


def _unexpected(writes: Operations, reads: Reads) -> Iterator[tuple[str, str, int]]:
    """Node, key and code of what was read and may not be there."""
    for (node, key), read in reads.items():
        possible = writes.argument[writes.on(key) & (writes.outcome != FAILED)]
        for code in np.setdiff1d(read.held, possible).tolist():
            yield node, key, code
