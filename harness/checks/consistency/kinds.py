"""The kinds of objects that can be judged: which algorithm decides which, and what is left to the search."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.conflict import Conflicts, Undecided, worst_first
from harness.checks.consistency.counter import conflicts_of_counter, other_amounts
from harness.checks.consistency.growing import conflicts_of_list, conflicts_of_set, repeated_additions
from harness.checks.consistency.locks import conflicts_of_lock
from harness.checks.consistency.models import COUNTER, LIST, LOCK, QUEUE, REGISTER, SET, STRING, Model
from harness.checks.consistency.operations import Ints, Operations
from harness.checks.consistency.queue import conflicts_of_queue, repeated_enqueues
from harness.checks.consistency.register import conflicts_of_register, repeated_values
from harness.checks.consistency.strings import conflicts_of_strings
from harness.operations import NONE


def _no_key(operations: Operations) -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: what it does, its quick algorithm, and the keys on which that one does not apply."""

    model: Model
    conflicts: Callable[[Operations], Conflicts]
    unfit: Callable[[Operations], Ints]
    every_key_at_once: bool = False

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self.model.name

    def quick(self, operations: Operations) -> Conflicts | None:
        """What is wrong with operations of one key (nothing: they are linearizable), or None: it takes a search."""
        if len(self.unfit(operations)):
            return None
        try:
            return worst_first(self.conflicts(operations))
        except Undecided:
            return None


KINDS = {
    kind.name: kind
    for kind in (
        Kind(REGISTER, conflicts_of_register, repeated_values, every_key_at_once=True),
        Kind(STRING, conflicts_of_strings, _no_key),
        Kind(SET, conflicts_of_set, repeated_additions),
        Kind(LIST, conflicts_of_list, repeated_additions),
        Kind(QUEUE, conflicts_of_queue, repeated_enqueues),
        Kind(COUNTER, conflicts_of_counter, other_amounts),
        Kind(LOCK, conflicts_of_lock, _no_key),
    )
}


def by_key(operations: Operations) -> list[Ints]:
    """The rows of each key, in the order of calls."""
    order = np.argsort(operations.key, kind="stable")
    keys = operations.key[order]
    return np.split(order, np.flatnonzero(keys[1:] != keys[:-1]) + 1) if len(order) else []


def told(operations: Operations) -> int:
    """How many operations say anything about the object: answers that show its state, or locks granted."""
    telling = operations.is_("read", "get", "dequeue", "acquire")
    swapped = operations.is_("cas") & (operations.expected != NONE)
    return int(np.count_nonzero((telling | swapped) & (operations.outcome == 0)))
