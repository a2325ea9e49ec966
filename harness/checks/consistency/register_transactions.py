"""Dependencies of transactions over registers: only what reads before writes show of the order of versions."""

from collections.abc import Sequence

from harness.checks.consistency.graph import Graph
from harness.checks.consistency.transactions import (
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


def dependencies_of_registers(transactions: Sequence[Transaction], initial: Name = None) -> Dependencies:
    """Everything that follows from what the transactions saw, for registers that all held the same at first."""
    writers = writers_of(transactions, initial)
    found = Dependencies()
    certain = happened(transactions, writers, lists=False)
    follows: dict[tuple[Name, Name], dict[Name, None]] = {}
    for one in certain:
        if one.outcome == "ok":
            found.anomalies += _reads_of(one, writers, initial)
        for key, first, second in _version_pairs(one, initial):
            follows.setdefault((key, first), {})[second] = None
    found.anomalies += _circles(follows, writers)
    for (key, first), after in follows.items():
        link_versions(found.graph, key, [(first, second) for second in after if first != initial], writers)
    for one in certain:
        if one.outcome != "ok":
            continue
        for step in _outer_reads(one):
            after = follows.get((step.key, step.value), {})
            link_read(found.graph, one, step, writers, after)
    return found


def _outer_reads(one: Transaction) -> list[Step]:
    """The reads that see what others wrote: the first of each key, before any write to it."""
    known: set[Name] = set()
    found = []
    for step in one.steps:
        if step.function == READ and step.key not in known:
            found.append(step)
        known.add(step.key)
    return found


def _reads_of(one: Transaction, writers: Writers, initial: Name) -> list[Anomaly]:
    found: list[Anomaly] = []
    known: dict[Name, Name] = {}
    for step in one.steps:
        if step.function == READ:
            if step.key in known and known[step.key] != step.value:
                text = f"{one} does not see what it did or saw itself in {step.key}"
                found.append(Anomaly("internal", text, (one,)))
            elif step.key not in known and step.value != initial:
                wrong = read_wrongly(one, step, step.value, True, writers)
                if wrong is None and writers.by[step.key, step.value].number == one.number:
                    wrong = Anomaly("internal", f"{one} read from {step.key} what it wrote only later", (one,))
                found += [] if wrong is None else [wrong]
        known[step.key] = step.value
    return found


def _version_pairs(one: Transaction, initial: Name) -> list[tuple[Name, Name, Name]]:
    """Versions of a key that one transaction shows to follow each other, and the first versions after nothing."""
    found = []
    at: dict[Name, Name] = {}
    for step in one.steps:
        if step.function != READ:
            if step.key in at and at[step.key] != step.value:
                found.append((step.key, at[step.key], step.value))
            elif step.key not in at:
                found.append((step.key, initial, step.value))
            at[step.key] = step.value
        elif one.outcome == "ok":
            at.setdefault(step.key, step.value)
    return found


def _circles(follows: dict[tuple[Name, Name], dict[Name, None]], writers: Writers) -> list[Anomaly]:
    """Versions of a key that each come before the other."""
    numbers = {version: number for number, version in enumerate(writers.by)}
    graph = Graph()
    for (key, first), after in follows.items():
        for second in after:
            if (key, first) in numbers and (key, second) in numbers:
                graph.add(numbers[key, first], numbers[key, second], "version")
    versions = list(numbers)
    found = []
    for component in graph.components(("version",)):
        key = versions[component[0]][0]
        values = ", ".join(str(versions[number][1]) for number in component)
        shown = tuple(dict.fromkeys(writers.by[versions[number]].number for number in component))
        by_number = {writer.number: writer for writer in writers.by.values()}
        text = f"the versions {values} of {key} were each written after the other was read"
        found.append(Anomaly("cyclic-versions", text, tuple(by_number[number] for number in shown)))
    return found
