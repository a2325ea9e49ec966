"""Sets and lists: which operations show what is wrong."""

import pytest

from harness.checks.consistency.growing import conflicts_of_list, conflicts_of_set
from harness.checks.consistency.operations import operations_from
from tests.checks.consistency.telling import operations

ADDS = ("1 add 1?", "1 add 2?", "1 add 3?")
SETS = [
    ((*ADDS, "2 read [1]", "2 read [2,3]"), "apart", (3, 4), (1,)),
    ((*ADDS, "2 read [2,3]", "2 read [1]"), "apart", (3, 4), (1,)),
    ((*ADDS, "2 read [1]", "2 read [1,2]", "2 read [1,3]"), "apart", (4, 5), (2,)),
    ((*ADDS, "2 read [3,3]"), "twice", (3,), (3,)),
    ((*ADDS, "2 read [1]", "2 read [1,4]"), "phantom", (4,), (4,)),
    (("1 add 1!", "2 read [1]"), "failed-seen", (0, 1), (1,)),
]


@pytest.mark.parametrize(("words", "rule", "rows", "values"), SETS)
def test_a_conflict_of_a_set_names_what_shows_it(
    words: tuple[str, ...], rule: str, rows: tuple[int, ...], values: tuple[int, ...]
) -> None:
    (conflict,) = conflicts_of_set(operations_from(operations(*words)))
    assert (conflict.rule, tuple(sorted(conflict.rows)), conflict.values) == (rule, rows, values)


APPENDS = ("1 append 1?", "1 append 2?", "1 append 3?")
LISTS = [
    ((*APPENDS, "2 read [1]", "2 read [2,3]"), "apart", (3, 4), (2, 1)),
    ((*APPENDS, "2 read [1,2]", "2 read [1,3]"), "apart", (3, 4), (2, 3)),
    ((*APPENDS, "2 read [3,3]"), "twice", (3,), (3,)),
    ((*APPENDS, "2 read [1]", "2 read [1,4]"), "phantom", (4,), (4,)),
    (("1 append 1!", "2 read [1]"), "failed-seen", (0, 1), (1,)),
]


@pytest.mark.parametrize(("words", "rule", "rows", "values"), LISTS)
def test_a_conflict_of_a_list_names_what_shows_it(
    words: tuple[str, ...], rule: str, rows: tuple[int, ...], values: tuple[int, ...]
) -> None:
    (conflict,) = conflicts_of_list(operations_from(operations(*words)))
    assert (conflict.rule, tuple(sorted(conflict.rows)), conflict.values) == (rule, rows, values)
