"""Checks of who acknowledges writes: by what clients of single members were answered, not by what members claim."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from harness.checks.consistency.operations import Operations, operations_of
from harness.checks.declared import Seconds, check
from harness.checks.story import clock_of, duration
from harness.checks.verdict import MAX_FINDINGS, Finding, Verdict, holds, unknown, violated
from harness.history import History
from harness.operations import OK, Operation

_LOOKS = ("read", "get", "dequeue", "drain")


@check
def one_acknowledges(history: History, key: str) -> Verdict:
    """No member acknowledges a write in the middle of another member's turn.

    A turn is what one member acknowledges without anything that it did not. Writes have to be asked of each member
    itself, all along. A write that is concurrent with the begin or the end of a turn proves nothing.
    """
    name = "one_acknowledges"
    writes = _writes(history, key)
    asked = sorted({writes.names[code] for code in np.unique(writes.node)} - {""})
    turns = [turn for member in asked for turn in _turns(writes, member)]
    if not turns or len(asked) < 2:
        return unknown(name, f"{len(asked)} members were asked to write to {key}, and {len(turns)} turns acknowledged")
    findings = [
        _both(history, before, write, after)
        for turn in turns
        for other in turns
        if other[0].node != turn[0].node
        for before, write, after in _inside(turn, other)
    ]
    if findings:
        return violated(
            name, f"{len(findings)} writes were acknowledged in another member's turn", findings[:MAX_FINDINGS]
        )
    order = sorted(turns, key=lambda turn: turn[0].invoked_s)
    members = ", ".join(member for member, _ in groupby(turn[0].node for turn in order))
    count = sum(map(len, turns))
    return holds(name, f"of {', '.join(asked)} one at a time acknowledged {count} writes, in this order: {members}")


@check
def acknowledged_gap_at_most(history: History, key: str, limit_s: Seconds) -> Verdict:
    """From the first acknowledged write to a key on, ``limit_s`` at most pass without one as long as any are asked for.

    What is asked for in the end and never acknowledged counts: a store that did not come back is silent as well.
    """
    name = "acknowledged_gap_at_most"
    writes = _writes(history, key)
    times_s = np.sort(writes.completed_s[writes.outcome == OK])
    asked_s = float(writes.invoked_s.max(initial=0.0))
    ends = len(times_s) > 0 and asked_s > times_s[-1]
    if ends:
        times_s = np.append(times_s, asked_s)
    if len(times_s) < 2:
        return unknown(name, f"{len(times_s)} writes to {key} were acknowledged")
    at = int(np.argmax(np.diff(times_s)))
    before_s, after_s = float(times_s[at]), float(times_s[at + 1])
    clock, gap_s = clock_of(history), after_s - before_s
    for_good = ends and at == len(times_s) - 2
    summary = f"no write to {key} was acknowledged for {duration(gap_s)} at most"
    text = f"none from {clock.at(before_s)} until {clock.at(after_s)}"
    if for_good:
        text += ", when the last one was asked for"
    finding = Finding(text=text, from_s=before_s, until_s=after_s)
    if gap_s > limit_s:
        return violated(name, f"{summary}, more than {duration(limit_s)}", [finding])
    return holds(name, summary, [finding])


def _writes(history: History, key: str) -> Operations:
    operations = operations_of(history, key)
    return operations.take(~operations.is_(*_LOOKS))


def _turns(writes: Operations, member: str) -> list[list[Operation]]:
    """What a member acknowledged in a row, in the order of its being asked."""
    turns: list[list[Operation]] = [[]]
    for one in writes.take(writes.node == writes.names.index(member)).rows():
        if one.outcome == "ok":
            turns[-1].append(one)
        elif turns[-1]:
            turns.append([])
    return [turn for turn in turns if turn]


def _inside(turn: Sequence[Operation], other: Sequence[Operation]) -> Iterator[tuple[Operation, Operation, Operation]]:
    """Writes of the one that began after the other had acknowledged something, and ended before it was asked again."""
    first, last = min(other, key=_ended_s), max(other, key=lambda one: one.invoked_s)
    for write in turn:
        if _ended_s(first) < write.invoked_s and _ended_s(write) < last.invoked_s:
            yield first, write, last


def _ended_s(one: Operation) -> float:
    return one.completed_s if one.completed_s is not None else float("inf")


def _both(history: History, before: Operation, write: Operation, after: Operation) -> Finding:
    clock = clock_of(history)
    until_s = _ended_s(write)
    return Finding(
        text=f"{write.node} acknowledged a write between {clock.at(write.invoked_s)} and {clock.at(until_s)}; "
        f"{before.node} acknowledged all from {clock.at(_ended_s(before))} until {clock.at(after.invoked_s)}",
        from_s=write.invoked_s,
        until_s=until_s,
        nodes=(before.node, write.node),
        events=(*before.events, *write.events, *after.events),
    )
