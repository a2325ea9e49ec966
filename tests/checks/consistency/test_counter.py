"""Counters: which operations show what is wrong."""

import pytest

from harness.checks.consistency.counter import conflicts_of_counter
from harness.checks.consistency.operations import operations_from
from tests.checks.consistency.telling import operations

SHOWN = [
    (("2 read 0", "1 increment 1", "2 read 2"), "too-few", (2,)),
    (("2 read 2", "1 increment 1"), "too-few", (0,)),
    (("1 increment 1", "2 read 0"), "too-many", (1,)),
    (("1 increment 1", "2 read -1"), "too-many", (1,)),
    (("1 increment 1", "2 read 1", "1 increment 1", "2 read 1"), "uncounted", (1, 2, 3)),
    (("1 increment 1", "1 increment 1", "2 read 1"), "too-many", (2,)),
    (("2 read 0", "1 increment 1", "1 increment 1", "2 read 1", "1 increment 1", "2 read 3"), "too-many", (3,)),
]


@pytest.mark.parametrize(("words", "rule", "rows"), SHOWN)
def test_a_conflict_names_the_operations_that_show_it(words: tuple[str, ...], rule: str, rows: tuple[int, ...]) -> None:
    (conflict,) = conflicts_of_counter(operations_from(operations(*words)))
    assert (conflict.rule, tuple(sorted(conflict.rows))) == (rule, rows)
