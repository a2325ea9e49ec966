"""The kinds of objects that can be judged: which algorithm decides which, and what is left to the search."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.checks.consistency.conflict import Conflicts, Undecided, worst_first
from harness.checks.consistency.counter import conflicts_of_counter, other_amounts
from harness.checks.consistency.growing import conflicts_of_list, conflicts_of_set, repeated_additions
from harness.checks.consistency.locks import conflicts_of_lock
from harness.checks.consistency.models import (
    COUNTER,
    LIST,
    LOCK,
    MUTEX,
    QUEUE,
    REGISTER,
    REGISTERS,
    SET,
    STRING,
    Model,
)
from harness.checks.consistency.numbers import exact
from harness.checks.consistency.operations import Ints, Operations
from harness.checks.consistency.queue import conflicts_of_queue, repeated_enqueues
from harness.checks.consistency.register import conflicts_of_register, repeated_values
from harness.checks.consistency.shapes import NUMBER, TEXT
from harness.checks.consistency.strings import conflicts_of_strings
from harness.errors import UsageError
from harness.operations import NONE, hashable


def _no_key(operations: Operations) -> Ints:
    return np.zeros(0, dtype=np.int64)


def _searched(operations: Operations) -> Conflicts:
    raise Undecided("only a search decides this kind of object")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: what it does, its quick algorithm, and the keys on which that one does not apply.

    ``whole``: what a read returns is one value, even if it is a list.
    """

    model: Model
    conflicts: Callable[[Operations], Conflicts]
    unfit: Callable[[Operations], Ints]
    every_key_at_once: bool = False
    whole: bool = True

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self.model.name

    def seen(self, operations: Operations) -> Operations:
        """Operations as this kind of object looks at them."""
        return operations.whole() if self.whole else operations

    def quick(self, operations: Operations) -> Conflicts | None:
        """What is wrong with operations of one key (nothing: they are linearizable), or None: it takes a search."""
        operations = self.seen(operations)
        if len(self.unfit(operations)):
            return None
        try:
            return worst_first(self.conflicts(operations))
        except Undecided:
            return None

    def beginning_with(self, initial: Any) -> "Kind":
        """The same kind of object, but holding something at first.

        Raises UsageError when it cannot hold that.
        """
        if self.name == "register":
            return replace(
                self,
                model=replace(self.model, initial=hashable(initial)),
                conflicts=lambda those: conflicts_of_register(those, those.values.encode(initial)),
                unfit=lambda those: repeated_values(those, those.values.encode(initial)),
            )
        if self.name == "registers":
            return replace(self, model=replace(self.model, initial=initial))
        shape, state = {"counter": (NUMBER, exact(initial)), "kv": (TEXT, initial)}.get(self.name, (None, None))
        if shape is None:
            raise UsageError(f"an initial value: a {self.name} begins empty")
        if not shape.has(initial):
            raise UsageError(f"an initial value: a {self.name} begins with {shape.words}, not {initial!r}")
        return replace(self, model=replace(self.model, initial=state), conflicts=_searched)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(REGISTER, conflicts_of_register, repeated_values, every_key_at_once=True),
        Kind(STRING, conflicts_of_strings, _no_key),
        Kind(SET, conflicts_of_set, repeated_additions, whole=False),
        Kind(LIST, conflicts_of_list, repeated_additions, whole=False),
        Kind(QUEUE, conflicts_of_queue, repeated_enqueues),
        Kind(COUNTER, conflicts_of_counter, other_amounts),
        Kind(LOCK, conflicts_of_lock, _no_key),
        Kind(MUTEX, _searched, _no_key),
        Kind(REGISTERS, _searched, _no_key, whole=False),
    )
}


def by_key(operations: Operations) -> list[Ints]:
    """The rows of each key, in the order of calls."""
    order = np.argsort(operations.key, kind="stable")
    keys = operations.key[order]
    return np.split(order, np.flatnonzero(keys[1:] != keys[:-1]) + 1) if len(order) else []


def told(operations: Operations) -> int:
    """How many operations say anything about the object: answers that show its state, or locks granted."""
    telling = operations.is_("read", "get", "dequeue", "acquire", "txn")
    swapped = operations.is_("cas") & (operations.expected != NONE)
    return int(np.count_nonzero((telling | swapped) & (operations.outcome == 0)))
