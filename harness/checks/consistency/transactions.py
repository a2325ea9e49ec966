"""Transactions, and what their reads and writes say about which came before which.

Adya, "Weak consistency" (1999), defines the dependencies; Kingsbury and Alvaro, "Elle" (VLDB 2020), showed how to
find them from what clients saw. A transaction is a list of steps ``["r", key, seen]``, ``["w", key, value]``
or ``["append", key, value]``; every written value is distinct for its key.

- ww: one wrote a version, the other the next version of the same key;
- wr: one wrote the version that the other read;
- rw: one read a version, the other wrote the next one;
- time (when asked for): one returned before the other was called.

The order of versions of a list is the longest one that was read. Of a register only what transactions show
is known: one that read a version and then wrote another put it after that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.consistency.graph import RW, TIME, WR, WW, Graph
from harness.checks.consistency.steps import APPEND, READ, WRITE, Step, steps_of
from harness.operations import Operation

__all__ = ["APPEND", "READ", "WRITE", "Step"]
Name = Any
"""A key or a value, in a form that can be looked up."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction: what it did, and how it ended."""

    number: int
    operation: Operation
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> str:
        """ "ok", "failed" or "unknown"."""
        return self.operation.outcome

    def __str__(self) -> str:
        steps = ", ".join(f"{step.function} {step.key} {_text(step.value)}" for step in self.steps)
        return f"T{self.number} [{steps}]"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        if len(value) == 2 and isinstance(value[0], type):
            return str({key: _text(one) for key, one in value[1]} if value[0] is dict else value[1])
        return f"[{', '.join(map(_text, value))}]"
    return str(value)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that may not happen: its name in the literature, in words, and the transactions that show it."""

    name: str
    text: str
    transactions: tuple[Transaction, ...]


@dataclass(slots=True)
class Dependencies:
    """What was found out: the graph (nodes are numbers of transactions), and anomalies that need no graph."""

    graph: Graph = field(default_factory=Graph)
    anomalies: list[Anomaly] = field(default_factory=list)


def transactions_of(operations: Iterable[Operation], *, lists: bool) -> list[Transaction]:
    """Transactions from operations: their steps as argument, the same with what was read as result.

    Raises Misunderstood for an operation that is none.
    """
    return [Transaction(number, one, steps_of(one, lists=lists)) for number, one in enumerate(operations)]


@dataclass(frozen=True, slots=True)
class Writers:
    """Who wrote each version, of (key, value); and which of its transaction's writes to the key was the last."""

    by: dict[tuple[Name, Name], Transaction]
    final: frozenset[tuple[Name, Name]]
    repeated: tuple[tuple[Name, Name], ...]


def writers_of(transactions: Sequence[Transaction], initial: Name = None) -> Writers:
    """Find the writer of each version; versions that were written twice decide nothing.

    ``initial`` is the version that was there at first: one that writes it writes it again.
    """
    by: dict[tuple[Name, Name], Transaction] = {}
    final: set[tuple[Name, Name]] = set()
    repeated = []
    for one in transactions:
        last: dict[Name, Name] = {}
        for step in one.steps:
            if step.function == READ:
                continue
            version = (step.key, step.value)
            if version in by or step.value == initial:
                repeated.append(version)
            by[version] = one
            last[step.key] = step.value
        final |= set(last.items())
    return Writers(by, frozenset(final), tuple(repeated))


def happened(transactions: Sequence[Transaction], writers: Writers, *, lists: bool) -> list[Transaction]:
    """The transactions that took effect for certain: acknowledged ones, and unknown ones that somebody saw."""
    seen: set[int] = set()
    for one in transactions:
        if one.outcome == "ok":
            for step in one.steps:
                if step.function != READ:
                    continue
                versions = step.value or () if lists else (step.value,)
                for version in versions:
                    writer = writers.by.get((step.key, version))
                    if writer is not None and writer.outcome == "unknown":
                        seen.add(writer.number)
    return [one for one in transactions if one.outcome == "ok" or one.number in seen]


def read_wrongly(one: Transaction, step: Step, version: Name, last: bool, writers: Writers) -> Anomaly | None:
    """What is wrong with a read for the version it saw alone: G1a, G1b, or a version out of nowhere."""
    writer = writers.by.get((step.key, version))
    if writer is None:
        return Anomaly("phantom", f"{one} read {version} from {step.key}, which nobody wrote", (one,))
    if writer.outcome == "failed":
        return Anomaly("G1a", f"{one} read {version} from {step.key}, which the failed {writer} wrote", (writer, one))
    if last and writer.number != one.number and (step.key, version) not in writers.final:
        return Anomaly("G1b", f"{one} read {version} from {step.key}, which {writer} overwrote itself", (writer, one))
    return None


def add_time(graph: Graph, transactions: Sequence[Transaction]) -> None:
    """Edges from each transaction to those called after it returned, without those that follow from others."""
    instants = [(one.operation.invoked_s, 0, one.number) for one in transactions]
    returns = [(one.operation.completed_s, 1, one.number) for one in transactions]
    instants += [(t_s, after, number) for t_s, after, number in returns if t_s is not None]
    latest: set[int] = set()
    before: dict[int, set[int]] = {}
    for _, ends, number in sorted(instants):
        if ends:
            latest = (latest - before.pop(number)) | {number}
        else:
            before[number] = set(latest)
            for other in latest:
                graph.add(other, number, TIME)


def link_versions(graph: Graph, key: Name, pairs: Iterable[tuple[Name, Name]], writers: Writers) -> None:
    """Edges ww between the writers of versions that follow each other."""
    for first, second in pairs:
        one, two = writers.by.get((key, first)), writers.by.get((key, second))
        if one is not None and two is not None:
            graph.add(one.number, two.number, WW, key, f"{key}: {first} before {second}")


def link_read(graph: Graph, one: Transaction, step: Step, writers: Writers, then: Iterable[Name]) -> None:
    """Edges of a read of one version: wr from who wrote it, rw to who wrote the next ones."""
    key, version = step.key, step.value
    writer = writers.by.get((key, version))
    if writer is not None:
        graph.add(writer.number, one.number, WR, key, f"{key}: read {version}")
    for after in then:
        next_writer = writers.by.get((key, after))
        if next_writer is not None:
            seen = "nothing" if writer is None else version
            graph.add(one.number, next_writer.number, RW, key, f"{key}: read {seen} before {after}")
