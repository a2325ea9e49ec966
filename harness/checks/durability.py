"""The check of acknowledged writes: none is lost, on any member, and nothing is there that nobody wrote."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.checks.story import Clock, FaultWindow, clock_of, fault_windows, windows_at
from harness.checks.verdict import MAX_FINDINGS, Finding, Verdict, holds, unknown, violated
from harness.events import Completed, Invoked, ReadBack
from harness.history import History

LEDGER = "ledger"
"""The key of the ledger: the set that clients write to so that there is something to lose."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a client and how it ended; ``completed`` is None for one that never did."""

    invoked: Invoked
    completed: Completed | None

    @property
    def outcome(self) -> str:
        """ "ok", "failed" or "unknown"."""
        return self.completed.outcome if self.completed else "unknown"


def writes_of(history: History, key: str | None = LEDGER) -> tuple[Write, ...]:
    """Every write of the run to a key (None: to any), in the order of invocation."""
    completed = {(event.process, event.operation): event for event in history.of(Completed)}
    return tuple(
        Write(event, completed.get((event.process, event.operation)))
        for event in history.of(Invoked)
        if event.function == "write" and (key is None or event.key == key)
    )


def nothing_lost(history: History, key: str | None = LEDGER) -> Verdict:
    """Every acknowledged write is held by every member that was read afterwards.

    Values are distinct, and a key (None: each) holds a set of them. A write whose outcome is unknown may be
    there or not. A value that nobody wrote, or whose write was refused, must not be there.
    """
    name = "nothing_lost"
    writes = writes_of(history, key)
    acknowledged = [write for write in writes if write.outcome == "ok"]
    if not acknowledged:
        return unknown(name, f"none of {len(writes)} writes was acknowledged")
    reads = _last_reads(history, key)
    unread = sorted({write.invoked.key for write in acknowledged} - {read_key for _, read_key in reads})
    if unread:
        return unknown(name, f"{len(acknowledged)} writes were acknowledged, and nobody read back {', '.join(unread)}")
    clock, windows = clock_of(history), fault_windows(history)
    missing = _missing(acknowledged, reads)
    strange = _strange(writes, reads)
    members = ", ".join(sorted({node for node, _ in reads}))
    if missing or strange:
        parts = [f"{len(missing)} of {len(acknowledged)} acknowledged writes are lost"] if missing else []
        parts += [f"{len(strange)} values are there that must not be"] if strange else []
        lost = [_lost(write, nodes, windows, clock) for write, nodes in missing[:MAX_FINDINGS]]
        return violated(name, f"{' and '.join(parts)} (read back from {members})", [*lost, *strange[:MAX_FINDINGS]])
    return holds(name, f"all {len(acknowledged)} acknowledged writes are on {members}")


def lost_writes(history: History) -> tuple[int, int] | None:
    """How many writes were acknowledged, and how many of them are lost; None when nothing was read back."""
    acknowledged = [write for write in writes_of(history) if write.outcome == "ok"]
    reads = _last_reads(history, LEDGER)
    return (len(acknowledged), len(_missing(acknowledged, reads))) if reads else None


@dataclass(frozen=True, slots=True)
class _Read:
    t_s: float
    values: frozenset[Hashable]


Reads = Mapping[tuple[str, str], _Read]


def _last_reads(history: History, key: str | None) -> Reads:
    return {
        (event.node, event.key): _Read(event.t_s, frozenset(_hashable(value) for value in event.values))
        for event in history.of(ReadBack)
        if key is None or event.key == key
    }


def _hashable(value: Any) -> Hashable:
    """A value as it can be put into a set: lists become tuples, and a number stays what it is."""
    if isinstance(value, int | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(_hashable(one) for one in value)
    if isinstance(value, dict):
        return tuple(sorted((name, _hashable(one)) for name, one in value.items()))
    return value if isinstance(value, Hashable) else repr(value)


def _missing(acknowledged: Iterable[Write], reads: Reads) -> list[tuple[Write, tuple[str, ...]]]:
    by_key: dict[str, list[tuple[str, _Read]]] = {}
    for (node, key), read in reads.items():
        by_key.setdefault(key, []).append((node, read))
    found = []
    for write in acknowledged:
        value = _hashable(write.invoked.value)
        done_s = write.completed.t_s if write.completed else float("inf")
        without = tuple(
            node for node, read in by_key.get(write.invoked.key, ()) if value not in read.values and done_s <= read.t_s
        )
        if without:
            found.append((write, without))
    return found


def _lost(write: Write, nodes: tuple[str, ...], windows: tuple[FaultWindow, ...], clock: Clock) -> Finding:
    invoked, completed = write.invoked, write.completed
    done_s = completed.t_s if completed else invoked.t_s
    during = ", ".join(window.label for window in windows_at(windows, done_s)) or "no fault"
    return Finding(
        text=f"{invoked.key} = {invoked.value} (process {invoked.process}), acknowledged at {clock.at(done_s)} during "
        f"{during}, is missing on {', '.join(nodes)}",
        from_s=invoked.t_s,
        until_s=done_s,
        nodes=nodes,
        events=(invoked, completed) if completed else (invoked,),
    )


def _strange(writes: Iterable[Write], reads: Reads) -> list[Finding]:
    """Values that were read and that nobody wrote, or whose write was refused."""
    refused: dict[str, set[Hashable]] = {}
    possible: dict[str, set[Hashable]] = {}
    for write in writes:
        kind = refused if write.outcome == "failed" else possible
        kind.setdefault(write.invoked.key, set()).add(_hashable(write.invoked.value))
    where: dict[tuple[str, Hashable], list[str]] = {}
    for (node, key), read in reads.items():
        for value in read.values - possible.get(key, set()):
            where.setdefault((key, value), []).append(node)
    return [
        Finding(
            text=f"{key} = {value} is on {', '.join(sorted(nodes))}, though "
            + ("its write was refused" if value in refused.get(key, ()) else "nobody wrote it"),
            nodes=tuple(sorted(nodes)),
        )
        for (key, value), nodes in sorted(where.items(), key=repr)
    ]
