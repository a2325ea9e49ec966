"""What belongs to a conflict, and what can be taken away from it."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.checks.consistency.kinds import KINDS
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.shrink import related, shrink
from harness.operations import Operation
from tests.checks.consistency.telling import operations

RELATED: list[tuple[str, list[str], list[int], list[object], list[int]]] = [
    ("lock", ["1 acquire", "2 acquire", "3 acquire", "1 release", "2 release"], [0, 1], [], [0, 1, 3, 4]),
    ("counter", ["1 increment 1", "2 read 1", "3 read 5", "1 increment 1"], [2], [], [0, 2, 3]),
    ("kv", ['1 append "a"', '1 append "c"', '2 append "b"', '3 get "ab"', '4 get "c"'], [3], [], [0, 2, 3]),
    ("register", ["1 write 1", "1 write 2", "2 read 1", "3 read 2", "4 read 1"], [2], [], [0, 2]),
    ("register", ["1 write 1", "2 cas [1,3]", "2 write 4", "3 read 3", "3 write 5"], [3], [], [0, 1, 3]),
    (
        "queue",
        ["1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "3 dequeue 1", "4 enqueue 3", "5 dequeue", "6 dequeue?"],
        [1],
        [],
        [1, 2, 6],
    ),
    ("queue", ["1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "3 dequeue 1", "4 enqueue 3"], [1, 3], [], [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("model", "words", "core", "about", "expected"), RELATED)
def test_what_belongs_to_a_conflict(
    model: str, words: list[str], core: list[int], about: list[object], expected: list[int]
) -> None:
    rows = operations(*words)
    found = related(model, rows, [rows[place] for place in core], about)
    assert [rows.index(one) for one in found] == expected


def test_of_a_set_the_reads_that_tell_most_about_a_value_are_shown_and_of_them_only_it() -> None:
    rows = operations(
        "1 add 1", "1 add 2", "2 read [1,2,3]", "3 read [1,2]", "4 read []", "5 read [3]", "1 add 3", "6 read!"
    )
    found = related("set", rows, [], [2])
    assert [(one.process, one.function, one.result) for one in found] == [
        (1, "add", None),
        (3, "read", (2,)),
        (5, "read", ()),
    ]
    assert found[0].argument == 2


def test_without_a_value_one_in_which_two_reads_differ_is_taken() -> None:
    rows = operations("1 add 1", "1 add 2", "1 add 3", "2 read [1,2,3]", "3 read [1]")
    found = related("set", rows, rows[3:])
    assert [(one.function, one.argument, one.result) for one in found] == [
        ("add", 2, None),
        ("read", None, (2,)),
        ("read", None, ()),
    ]
    assert [one.process for one in related("set", rows, rows[3:], [1])] == [1, 2, 3]


def test_a_value_that_every_or_no_read_has_needs_one_kind_of_read_only() -> None:
    rows = operations("1 append 1", "2 read [1]", "3 read [1]")
    assert [one.process for one in related("list", rows, [], [1])] == [1, 2]
    rows = operations("1 append 1", "2 read []", "3 read []")
    assert [one.process for one in related("list", rows, [], [1])] == [1, 2]


def _wrong(model: str) -> Any:
    return lambda rows: bool(rows) and bool(KINDS[model].quick(operations_from(rows)))


SHRUNK = [
    ("register", ["3 write 8", "1 write 1", "1 write 2", "2 read 1", "1 write 9"], [1, 2, 3]),
    ("register", ["3 write 8", "4 read 8", "1 write 1", "1 write 2", "2 read 1"], [2, 3, 4]),
    (
        "queue",
        ["3 enqueue 8", "4 dequeue 8", "1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1", "5 dequeue"],
        [2, 3, 4, 5],
    ),
    ("kv", ['3 append "x"', '4 get "x"', '1 put "y"', '2 get "yx"'], [0, 2, 3]),
    ("lock", ["3 acquire", "3 release", "1 acquire", "2 acquire", "4 acquire!"], [2, 3]),
    ("counter", ["1 increment 1", "2 read 1", "3 read 0", "4 read 1"], [0, 2]),
]


@pytest.mark.parametrize(("model", "words", "expected"), SHRUNK)
def test_what_is_not_needed_goes(model: str, words: list[str], expected: list[int]) -> None:
    rows = operations(*words)
    assert [rows.index(one) for one in shrink(model, rows, _wrong(model))] == expected


def test_an_element_goes_out_of_the_answers_as_well() -> None:
    rows = operations("1 append 1", "1 append 2", "1 append 3", "2 read [1,3,2]")
    found = shrink("list", rows, _wrong("list"))
    assert [(one.argument, one.result) for one in found] == [(2, None), (3, None), (None, (3, 2))]


def test_it_stops_after_so_many_tries() -> None:
    rows = operations(*(f"1 enqueue {number}" for number in range(5)))
    for tries in range(4):
        tried: list[Sequence[Operation]] = []

        def wrong(candidate: Sequence[Operation], tried: list[Sequence[Operation]] = tried) -> bool:
            tried.append(candidate)
            return False

        assert shrink("queue", rows, wrong, tries=tries) == rows
        assert len(tried) == tries
