"""What an algorithm says of a history that is wrong: which operations cannot be together, and by which rule."""

from dataclasses import dataclass

from harness.checks.consistency.operations import Ints, Operations


@dataclass(frozen=True, slots=True)
class Conflict:
    """Operations (rows of the judged ones) of one key that no order can satisfy, and the rule they break.

    ``values`` are codes of the values that the rule is about.
    """

    key: int
    rule: str
    rows: tuple[int, ...]
    values: tuple[int, ...] = ()


Conflicts = list[Conflict]


class Undecided(Exception):
    """An algorithm that cannot decide this history: what it needs and did not find."""


def first_per_key(rule: str, operations: Operations, rows: Ints, values: Ints | None = None) -> Conflicts:
    """One conflict for each key that one of these rows belongs to: its first."""
    found: dict[int, Conflict] = {}
    for place, row in enumerate(rows.tolist()):
        key = int(operations.key[row])
        if key not in found:
            about = () if values is None else (int(values[place]),)
            found[key] = Conflict(key, rule, (row,), about)
    return list(found.values())


def worst_first(conflicts: Conflicts) -> Conflicts:
    """One conflict a key: the one with the fewest operations."""
    found: dict[int, Conflict] = {}
    for conflict in conflicts:
        best = found.get(conflict.key)
        if best is None or len(conflict.rows) < len(best.rows):
            found[conflict.key] = conflict
    return [found[key] for key in sorted(found)]
