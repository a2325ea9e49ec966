"""Queues: which operations show what is wrong."""

import pytest

from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.queue import conflicts_of_queue
from harness.operations import Operation
from tests.checks.consistency.telling import operations


def _one(process: int, what: tuple[str, int | None], start_s: float, end_s: float, number: int) -> Operation:
    function, value = what
    made = function == "enqueue"
    return Operation(
        process=process,
        function=function,
        key="q",
        argument=value if made else None,
        result=None if made else value,
        invoked_s=start_s,
        completed_s=end_s,
        number=number,
    )


def test_the_first_operation_of_all_may_be_a_dequeue() -> None:
    rows = [
        _one(1, ("dequeue", 6), 0.0, 10.0, 0),
        _one(2, ("enqueue", 5), 1.0, 2.0, 1),
        _one(2, ("enqueue", 6), 3.0, 4.0, 2),
        _one(2, ("dequeue", 5), 11.0, 12.0, 3),
    ]
    (conflict,) = conflicts_of_queue(operations_from(rows))
    assert (conflict.rule, set(conflict.rows)) == ("overtaken", {0, 1, 2, 3})


SHOWN = [
    (("1 enqueue 1", "2 dequeue 1", "2 dequeue 1", "2 dequeue 1"), "twice", (1, 2)),
    (("1 enqueue 1!", "1 enqueue 2!", "1 enqueue 2!", "2 dequeue 2"), "failed-seen", (1, 3)),
    (("1 enqueue 1", "2 dequeue 9"), "phantom", (1,)),
    (("1 enqueue 1", "1 enqueue 2", "2 dequeue 2"), "left-behind", (0, 1, 2)),
    (("1 enqueue 1", "1 enqueue 2", "1 enqueue 3", "2 dequeue 2", "2 dequeue 3"), "left-behind", (0, 1, 3)),
    (("1 enqueue 1", "1 enqueue 2", "1 enqueue 3", "2 dequeue 3", "2 dequeue 2"), "overtaken", (1, 2, 3, 4)),
    (("1 enqueue 1", "2 dequeue", "2 dequeue 1"), "not-empty", (0, 1, 2)),
    (("1 enqueue 1", "1 enqueue 2", "2 dequeue", "2 dequeue 1", "2 dequeue 2"), "not-empty", (1, 2, 4)),
]


@pytest.mark.parametrize(("words", "rule", "rows"), SHOWN)
def test_a_conflict_names_the_operations_that_show_it(words: tuple[str, ...], rule: str, rows: tuple[int, ...]) -> None:
    conflict = conflicts_of_queue(operations_from(operations(*words)))[0]
    assert (conflict.rule, tuple(sorted(conflict.rows))) == (rule, rows)


def test_an_empty_answer_is_covered_by_as_few_values_as_possible() -> None:
    """While the queue was said to be empty, at least one of several values was in it, one after the other."""
    rows = [
        _one(1, ("enqueue", 1), 0.0, 1.0, 0),
        _one(1, ("enqueue", 2), 1.5, 2.0, 1),
        _one(3, ("dequeue", None), 3.0, 20.0, 2),
        _one(1, ("enqueue", 3), 4.0, 5.0, 3),
        _one(2, ("dequeue", 1), 6.0, 7.0, 4),
        _one(2, ("dequeue", 2), 8.0, 9.0, 5),
        _one(2, ("dequeue", 3), 22.0, 23.0, 6),
    ]
    (conflict,) = conflicts_of_queue(operations_from(rows))
    assert (conflict.rule, set(conflict.rows)) == ("not-empty", {1, 2, 3, 5, 6})
