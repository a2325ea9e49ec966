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
    searched = 0
    for rows in slow:
        one = operations.take(rows) if len(parts) > 1 else operations
        conflicts = kind.quick(one)
        name = operations.names[operations.key[rows[0]]]
        if conflicts is None:
            searched += 1
            left = replace(limits, within_s=max(0.0, deadline_s - now_s()))
            found = search(kind.model, worth_trying(one), left, now_s)
            if found.linearizable is None:
                answers.append(KeyAnswer(name, Answer.UNDECIDED, rows, limit=found.limit))
            elif not found.linearizable:
                answers.append(_wrong(name, Conflict(int(one.key[0]), STUCK, (found.stuck,)), rows, rows))
        elif conflicts:
            answers.append(_wrong(name, conflicts[0], rows, rows))
    return Judgement(len(parts), searched, tuple(answers))


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
