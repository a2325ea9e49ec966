"""Whether operations are linearizable, key by key: the quick algorithms first, the search for what is left.

Linearizability is local (Herlihy and Wing, 1990): a history is linearizable if that of each object is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from harness.checks.consistency.blocks import LAST_STAGE
from harness.checks.consistency.conflict import Conflict, worst_first
from harness.checks.consistency.kinds import Kind, by_key
from harness.checks.consistency.operations import Ints, Operations
from harness.checks.consistency.search import Limits, Timed, search, timed
from harness.operations import OK

STUCK = "stuck"
FIRST_CHOICES, MORE_CHOICES = 20_000, 10
"""So many choices a search of each key may remember at first, and so many times more whenever that decided nothing."""


class Answer(Enum):
    """What is known of one key."""

    LINEARIZABLE = "linearizable"
    WRONG = "wrong"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """The answer for one key: its operations (rows), and what is wrong, or which limit stopped the search.

    The rows of ``conflict`` are those of the whole history.
    """

    key: str
    answer: Answer
    rows: Ints
    conflict: Conflict | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All keys of a history: how many there are, and the answers of those that are not plainly linearizable."""

    keys: int
    searched: int
    answers: tuple[KeyAnswer, ...]

    def of(self, answer: Answer) -> tuple[KeyAnswer, ...]:
        """The keys with this answer."""
        return tuple(one for one in self.answers if one.answer is answer)


def judge(kind: Kind, operations: Operations, limits: Limits, now_s: Callable[[], float]) -> Judgement:
    """Judge every key of a history by itself. The limits hold for all searches together."""
    deadline_s = now_s() + limits.within_s
    operations = kind.seen(operations)
    answers: list[KeyAnswer] = []
    parts = by_key(operations)
    slow = parts
    if kind.every_key_at_once:
        unfit = kind.unfit(operations)
        slow = [rows for rows in parts if operations.key[rows[0]] in unfit]
        answers += _at_once(kind, operations, np.flatnonzero(~np.isin(operations.key, unfit)))
    left: list[Ints] = []
    for rows in slow:
        conflicts = kind.quick(operations.take(rows) if len(parts) > 1 else operations)
        if conflicts is None:
            left.append(rows)
        elif conflicts:
            answers.append(_wrong(operations.names[operations.key[rows[0]]], conflicts[0], rows, rows))
    searched = _search(kind, operations, left, limits, _Clock(now_s, deadline_s), wrong=bool(answers))
    return Judgement(len(parts), len(left), (*answers, *searched))


@dataclass(frozen=True, slots=True)
class _Clock:
    now_s: Callable[[], float]
    deadline_s: float

    def left_s(self) -> float:
        return max(0.0, self.deadline_s - self.now_s())


def _search(
    kind: Kind, operations: Operations, keys: list[Ints], limits: Limits, clock: _Clock, *, wrong: bool
) -> list[KeyAnswer]:
    """Search every key a little, then those that are left with more effort, and so on.

    A key that is wrong is often so quickly, while another takes all the time there is; and one wrong key decides.
    """
    answers: list[KeyAnswer] = []
    choices = min(FIRST_CHOICES, limits.choices)
    while keys:
        left, stopped = [], []
        for rows in keys:
            within = replace(limits, choices=choices, within_s=clock.left_s())
            one = operations.take(rows)
            name = operations.names[one.key[0]]
            found = search(kind.model, worth_trying(one), within, clock.now_s)
            if found.linearizable is None:
                left.append(rows)
                stopped.append(KeyAnswer(name, Answer.UNDECIDED, rows, limit=found.limit))
            elif not found.linearizable:
                wrong = True
                answers.append(_wrong(name, Conflict(int(one.key[0]), STUCK, (found.stuck,)), rows, rows))
        if wrong or choices == limits.choices or not clock.left_s():
            return [*answers, *stopped]
        keys, choices = left, min(MORE_CHOICES * choices, limits.choices)
    return answers


def _at_once(kind: Kind, operations: Operations, rows: Ints) -> list[KeyAnswer]:
    """Judge many keys in one go. Keys that are wrong at an early stage keep the rest from the next one: go again."""
    answers: list[KeyAnswer] = []
    while len(rows):
        conflicts = worst_first(kind.conflicts(operations.take(rows) if len(rows) < len(operations) else operations))
        for one in conflicts:
            name, those = operations.names[one.key], np.flatnonzero(operations.key == one.key)
            answers.append(_wrong(name, one, rows, those))
        if all(one.rule in LAST_STAGE for one in conflicts):
            break
        rows = rows[~np.isin(operations.key[rows], [one.key for one in conflicts])]
    return answers


def _wrong(key: str, conflict: Conflict, within: Ints, rows: Ints) -> KeyAnswer:
    at = tuple(int(within[row]) if row >= 0 else row for row in conflict.rows)
    return KeyAnswer(key, Answer.WRONG, rows, replace(conflict, rows=at))


def worth_trying(operations: Operations) -> list[Timed]:
    """The operations a search looks at: without unknown writes to a register whose values nobody ever saw."""
    asked = operations.is_("read", "cas")
    seen = set(operations.result[asked & (operations.outcome == OK)].tolist())
    seen |= set(operations.expected[operations.is_("cas")].tolist())
    writes = operations.is_("write", "cas", "delete")
    idle = writes & (operations.outcome != OK) & ~np.isin(operations.argument, list(seen))
    keep = np.flatnonzero(~idle)
    return [replace(one, row=int(keep[one.row])) for one in timed(operations.take(keep))]
