"""The search for an order of operations, for what no quicker algorithm decides: repeated values, few values.

Wing and Gong's search ("Testing and verifying concurrent objects", 1993) as Lowe improved it ("Testing for
linearizability", 2017): the calls and returns are gone through in the order of time, and operations are put in
order *just in time*, when one of them returns that has not had its effect yet. What was tried before, the same
object state with the same operations done at the same return, is not tried again. A read that fits is done at
once: it changes nothing. An unknown operation may be done at any return after its call; a choice that
used more of them than another that led to the same state is not followed.

The worst case is exponential, so time and memory are bounded, and reaching a bound is an answer of its own.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from harness.checks.consistency.models import IMPOSSIBLE, Model, State
from harness.checks.consistency.operations import NEVER, Operations
from harness.operations import FAILED, Operation

CHECK_TIME_EVERY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to give up: seconds, and choices remembered (each takes some 300 bytes).

    ``explain_s`` is the time for explaining a verdict that is known, on top of that for finding it.
    """

    within_s: float = 60.0
    choices: int = 1_000_000
    explain_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: ``linearizable`` is None when a limit was reached, which ``limit`` names.

    ``stuck`` is the return (row of its operation) that no order got past, ``choices`` counts what was remembered.
    """

    linearizable: bool | None
    choices: int
    stuck: int = -1
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Timed:
    """An operation with its ranks; ``row`` is its number in the history it came from."""

    row: int
    call: int
    ret: int
    operation: Operation


def timed(operations: Operations) -> list[Timed]:
    """The operations that a search has to look at: all but those that failed and unknown reads.

    A drain that is unknown may have taken anything: it is as many unknown dequeues as something was enqueued.
    """
    found = []
    enqueued = int(np.count_nonzero(operations.is_("enqueue") & (operations.outcome != FAILED)))
    for row in range(len(operations)):
        one = operations.row(row)
        if one.outcome == "failed" or (one.outcome == "unknown" and one.function in ("read", "get")):
            continue
        call, ret = int(operations.call[row]), int(operations.ret[row])
        if one.function == "drain":
            found += [Timed(row, call, ret, replace(one, function="dequeue"))] * enqueued
        else:
            found.append(Timed(row, call, ret, one))
    return found


def search(
    model: Model,
    operations: Sequence[Timed],
    limits: Limits,
    now_s: Callable[[], float],
    *,
    initial: Sequence[State] | None = None,
) -> Found:
    """Look for an order of the operations of one object. ``initial`` are the states it may begin in."""
    return _Search(model, operations, limits, now_s).run([model.initial] if initial is None else initial)


Choice = tuple[int, State, int, int]
"""Position among the returns, state, what is done of those that return (bits from that position on), and what
is used of those that never do (bits from the first on)."""


class _Search:
    def __init__(self, model: Model, operations: Sequence[Timed], limits: Limits, now_s: Callable[[], float]) -> None:
        self._model = model
        self._limits = limits
        self._now_s = now_s
        certain = sorted((one for one in operations if one.ret < NEVER), key=lambda one: one.ret)
        self._certain = certain
        self._open = _open_at_returns(certain)
        self._unknown = sorted((one for one in operations if one.ret >= NEVER), key=lambda one: one.call)
        self._unknown_calls = [one.call for one in self._unknown]
        self._twin = _twins(self._unknown)
        self._seen: dict[tuple[int, State, int], list[int]] = {}
        self._remembered = 0

    def run(self, initial: Sequence[State]) -> Found:
        certain = self._certain
        stack: list[Choice] = [(0, state, 0, 0) for state in reversed(initial)]
        farthest, steps = 0, 0
        deadline_s = self._now_s() + self._limits.within_s
        while stack:
            position, state, done, used = stack.pop()
            position, done = self._advance(position, state, done)
            farthest = max(farthest, position)
            if position == len(certain):
                return Found(linearizable=True, choices=self._remembered)
            if not self._is_new(position, state, done, used):
                continue
            if self._remembered > self._limits.choices:
                return self._given_up(farthest, f"{self._limits.choices} choices remembered")
            steps += 1
            if steps % CHECK_TIME_EVERY == 0 and self._now_s() > deadline_s:
                return self._given_up(farthest, f"{self._limits.within_s:g} s")
            self._branch(stack, position, state, done, used)
        return Found(linearizable=False, stuck=certain[farthest].row, choices=self._remembered)

    def _given_up(self, farthest: int, limit: str) -> Found:
        return Found(linearizable=None, stuck=self._certain[farthest].row, limit=limit, choices=self._remembered)

    def _advance(self, position: int, state: State, done: int) -> tuple[int, int]:
        """Go past the returns of what is done, doing every read on the way that fits."""
        certain, reads, step = self._certain, self._model.reads, self._model.step
        while position < len(certain):
            for index in self._open[position]:
                one = certain[index].operation
                bit = index - position
                if one.function in reads and not done >> bit & 1 and step(state, one) is not IMPOSSIBLE:
                    done |= 1 << bit
            if not done & 1:
                break
            done >>= 1
            position += 1
        return position, done

    def _is_new(self, position: int, state: State, done: int, used: int) -> bool:
        before = self._seen.setdefault((position, state, done), [])
        if any(one & used == one for one in before):
            return False
        before.append(used)
        self._remembered += 1
        return True

    def _branch(self, stack: list[Choice], position: int, state: State, done: int, used: int) -> None:
        certain, step = self._certain, self._model.step
        returning = certain[position].operation
        able: list[Choice] = []
        called = bisect_left(self._unknown_calls, certain[position].ret)
        for index in range(called):
            twin = self._twin[index]
            if not used >> index & 1 and (twin < 0 or used >> twin & 1):
                after = step(state, self._unknown[index].operation)
                if after is not IMPOSSIBLE and after != state:
                    fits = step(after, returning) is not IMPOSSIBLE
                    (able if fits else stack).append((position, after, done, used | 1 << index))
        for index in self._open[position][1:]:
            bit = index - position
            if not done >> bit & 1:
                after = step(state, certain[index].operation)
                if after is not IMPOSSIBLE:
                    fits = step(after, returning) is not IMPOSSIBLE
                    (able if fits else stack).append((position, after, done | 1 << bit, used))
        # What is last on the stack is tried first: the one that returns, else whatever lets it.
        stack += able
        after = step(state, returning)
        if after is not IMPOSSIBLE:
            stack.append((position, after, done | 1, used))


def _open_at_returns(certain: Sequence[Timed]) -> list[tuple[int, ...]]:
    """For each return the operations that were called before it and did not return before it, itself first."""
    by_call = sorted(range(len(certain)), key=lambda index: certain[index].call)
    found: list[tuple[int, ...]] = []
    open_now: dict[int, None] = {}
    at = 0
    for position, one in enumerate(certain):
        while at < len(by_call) and certain[by_call[at]].call < one.ret:
            open_now[by_call[at]] = None
            at += 1
        found.append((position, *(index for index in open_now if index != position)))
        del open_now[position]
    return found


def _twins(unknown: Sequence[Timed]) -> list[int]:
    """Of each unknown operation the last one before it that would do the same: that one is to be used first."""
    last: dict[tuple[str, str, str, int], int] = {}
    twins = []
    for index, one in enumerate(unknown):
        process = one.operation.process if one.operation.function in ("acquire", "release") else 0
        name = (one.operation.function, repr(one.operation.argument), repr(one.operation.expected), process)
        twins.append(last.get(name, -1))
        last[name] = index
    return twins
