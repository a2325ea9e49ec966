"""Dependencies of transactions over lists that are appended to: the longest read of a list is its order."""

from collections.abc import Sequence
from itertools import pairwise

from harness.checks.consistency.transactions import (
    APPEND,
    READ,
    Anomaly,
    Dependencies,
    Name,
    Step,
    Transaction,
    Writers,
    happened,
    link_read,
    link_versions,
    read_wrongly,
    writers_of,
)


def dependencies_of_lists(transactions: Sequence[Transaction]) -> Dependencies:
    """Everything that follows from what the transactions saw, for lists that are empty at first."""
    writers = writers_of(transactions)
    found = Dependencies()
    certain = happened(transactions, writers, lists=True)
    longest: dict[Name, tuple[Name, ...]] = {}
    for one in certain:
        if one.outcome == "ok":
            found.anomalies += _internal(one)
            for step in one.steps:
                if step.function == READ and len(step.value or ()) >= len(longest.get(step.key, ())):
                    longest[step.key] = step.value or ()
    found.anomalies += [
        anomaly for one in certain if one.outcome == "ok" for anomaly in _reads_of(one, longest, writers)
    ]
    unseen = _unseen(certain, longest)
    for key, order in longest.items():
        link_versions(found.graph, key, pairwise(order), writers)
        if order:
            link_versions(found.graph, key, [(order[-1], after) for after in unseen.get(key, ())], writers)
    for one in certain:
        if one.outcome == "ok":
            _link_reads(found, one, longest, unseen, writers)
    return found


def _internal(one: Transaction) -> list[Anomaly]:
    """A transaction has to see its own appends, and the same list unless it appended to it."""
    known: dict[Name, tuple[Name, ...]] = {}
    added: dict[Name, tuple[Name, ...]] = {}
    coming = {(step.key, step.value) for step in one.steps if step.function == APPEND}
    found = []
    for step in one.steps:
        if step.function == APPEND:
            coming.discard((step.key, step.value))
            added[step.key] = (*added.get(step.key, ()), step.value)
            continue
        seen, own = tuple(step.value or ()), added.get(step.key, ())
        ends_right = seen[len(seen) - len(own) :] == own if own else True
        early = any((step.key, version) in coming for version in seen)
        if early or not ends_right or (step.key in known and seen != known[step.key] + own):
            found.append(Anomaly("internal", f"{one} does not see what it did or saw itself in {step.key}", (one,)))
        known[step.key], added[step.key] = seen, ()
    return found


def _reads_of(one: Transaction, longest: dict[Name, tuple[Name, ...]], writers: Writers) -> list[Anomaly]:
    found: list[Anomaly] = []
    for step in one.steps:
        if step.function != READ:
            continue
        seen = tuple(step.value or ())
        if len(set(seen)) < len(seen):
            found.append(Anomaly("duplicate", f"{one} read an element twice from {step.key}", (one,)))
        if seen != longest[step.key][: len(seen)]:
            text = f"{one} read {list(seen)} from {step.key}, where {list(longest[step.key])} was read as well"
            found.append(Anomaly("incompatible-order", text, (one,)))
        for place, version in enumerate(seen):
            wrong = read_wrongly(one, step, version, place == len(seen) - 1, writers)
            if wrong is not None:
                found.append(wrong)
    return found


def _unseen(certain: Sequence[Transaction], longest: dict[Name, tuple[Name, ...]]) -> dict[Name, tuple[Name, ...]]:
    """Of each list the elements that were appended and never read: they come after those that were."""
    seen = {(key, version) for key, order in longest.items() for version in order}
    found: dict[Name, list[Name]] = {}
    for one in certain:
        first: set[Name] = set()
        for step in one.steps:
            if step.function == APPEND and (step.key, step.value) not in seen and step.key not in first:
                first.add(step.key)
                found.setdefault(step.key, []).append(step.value)
    return {key: tuple(versions) for key, versions in found.items()}


def _link_reads(
    found: Dependencies,
    one: Transaction,
    longest: dict[Name, tuple[Name, ...]],
    unseen: dict[Name, tuple[Name, ...]],
    writers: Writers,
) -> None:
    for step in one.steps:
        if step.function != READ:
            continue
        order, seen = longest[step.key], tuple(step.value or ())
        after = order[len(seen) : len(seen) + 1] or unseen.get(step.key, ())
        version = seen[-1] if seen else None
        link_read(found.graph, one, Step(READ, step.key, version), writers, after)
