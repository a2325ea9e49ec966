"""Orders of transactions over registers that are likely to be right, in next to no time. Whoever uses one verifies it.

Every value is written once, so a read names what it needs. Transactions are taken in the order in which they ended,
which is about that in which a store committed them; a later one goes first where the first does not fit: one fits if
what it reads is there, and if nobody who is still to come reads what it would overwrite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.consistency.transactions import READ, Transaction

AHEAD = 100
"""So many transactions are looked at to find one that fits."""
TRIES = 20_000
"""So often another choice is tried."""
Version = tuple[Any, Any]


@dataclass(slots=True)
class _Waiting:
    """What is there now, and who is still to read it. Transactions are by their numbers."""

    initial: Any
    there: dict[Any, Any] = field(default_factory=dict)
    readers: dict[Version, set[int]] = field(default_factory=dict)
    reads: dict[int, dict[Any, Any]] = field(default_factory=dict)
    writes: dict[int, dict[Any, Any]] = field(default_factory=dict)

    def expect(self, one: Transaction) -> None:
        """A transaction is still to come."""
        reads: dict[Any, Any] = {}
        writes: dict[Any, Any] = {}
        for step in one.steps:
            if step.function != READ:
                writes[step.key] = step.value
            elif one.outcome == "ok" and step.key not in writes:
                reads.setdefault(step.key, step.value)
        self.reads[one.number], self.writes[one.number] = reads, writes
        for version in reads.items():
            self.readers.setdefault(version, set()).add(one.number)

    def sees(self, number: int) -> bool:
        """Whether what a transaction reads is there."""
        return all(self.there.get(key, self.initial) == value for key, value in self.reads[number].items())

    def looked(self, number: int) -> None:
        """A transaction has read what it reads."""
        for version in self.reads[number].items():
            self.readers[version].discard(number)

    def take(self, number: int) -> dict[Any, Any]:
        """A transaction takes place; what was there before in its keys."""
        self.looked(number)
        before = {key: self.there.get(key, self.initial) for key in self.writes[number]}
        self.there.update(self.writes[number])
        return before

    def take_back(self, number: int, before: dict[Any, Any]) -> None:
        """The last transaction did not take place after all."""
        self.there.update(before)
        for version in self.reads[number].items():
            self.readers[version].add(number)

    def robbed(self, number: int) -> set[int]:
        """Who is still to read what a transaction would overwrite."""
        found: set[int] = set()
        for key in self.writes[number]:
            found |= self.readers.get((key, self.there.get(key, self.initial)), set())
        return found - {number}


def _in_time(transactions: Sequence[Transaction]) -> list[Transaction]:
    def ended_s(one: Transaction) -> float:
        ended = one.operation.completed_s
        return one.operation.invoked_s if ended is None else ended

    return sorted(transactions, key=ended_s)


def likely_serial_order(certain: Sequence[Transaction], initial: Any, *, realtime: bool) -> list[int]:
    """The numbers of transactions in a serial order, as far as one was found.

    Where nothing fits the last choice is taken back and another is tried, so often at most.
    """
    waiting, left = _Waiting(initial), _in_time(certain)
    for one in left:
        waiting.expect(one)
    taken: list[tuple[int, Transaction, dict[Any, Any]]] = []
    start, tries = 0, len(left) + TRIES
    while left and tries:
        tries -= 1
        # Whatever is invoked after this comes after what has ended by then.
        ends_s = next((one.operation.completed_s for one in left if one.outcome == "ok"), None) if realtime else None
        able = range(start, min(len(left), AHEAD))
        place = next((at for at in able if _fits(left[at], ends_s, waiting)), None)
        if place is not None:
            one = left.pop(place)
            taken.append((place, one, waiting.take(one.number)))
            start = 0
        elif taken:
            place, one, before = taken.pop()
            waiting.take_back(one.number, before)
            left.insert(place, one)
            start = place + 1
        else:
            break
    return [one.number for _, one, _ in taken]


def _fits(one: Transaction, ends_s: float | None, waiting: _Waiting) -> bool:
    if ends_s is not None and ends_s < one.operation.invoked_s:
        return False
    return waiting.sees(one.number) and not waiting.robbed(one.number)


def likely_snapshot_order(certain: Sequence[Transaction], initial: Any) -> list[tuple[int, int]]:
    """Beginnings (0) and ends (1) of transactions in an order for snapshot isolation, as far as one was found.

    Before one ends, all begin that are still to read what it overwrites, unless they write to the same keys.
    """
    waiting, left = _Waiting(initial), _in_time(certain)
    for one in left:
        waiting.expect(one)
    began: dict[int, dict[Any, Any]] = {}
    found: list[tuple[int, int]] = []
    while left:
        place = next((at for at, one in enumerate(left[:AHEAD]) if _can_end(one.number, began, waiting)), None)
        if place is None:
            return found
        number = left.pop(place).number
        for other in (*sorted(waiting.robbed(number)), number):
            if other not in began:
                began[other] = {key: waiting.there.get(key) for key in waiting.writes[other]}
                waiting.looked(other)
                found.append((other, 0))
        waiting.there.update(waiting.writes[number])
        found.append((number, 1))
    return found


def _can_end(number: int, began: dict[int, dict[Any, Any]], waiting: _Waiting) -> bool:
    if number in began:
        if any(waiting.there.get(key) != value for key, value in began[number].items()):
            return False
    elif not waiting.sees(number):
        return False
    mine = waiting.writes[number].keys()
    return all(waiting.sees(other) and not mine & waiting.writes[other].keys() for other in waiting.robbed(number))
