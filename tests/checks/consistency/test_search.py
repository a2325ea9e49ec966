"""The search: within its limits it decides, and beyond them it says which one it was."""

import pytest
from msgspec.structs import replace

from harness.checks.consistency.models import LOCK, QUEUE, REGISTER
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import CHECK_TIME_EVERY, Limits, Timed, search, timed
from harness.checks.consistency.sequential import search_sequential
from harness.operations import Operation
from tests.checks.consistency.telling import operations


def _many(processes: int = 10) -> list[Operation]:
    """Writes side by side, then a read of none of them: very many orders, none of which works."""
    writes = [
        Operation(process=number, function="write", key="x", argument=number, invoked_s=0.0, completed_s=9.0)
        for number in range(processes)
    ]
    rows = [replace(one, number=number) for number, one in enumerate(writes)]
    return [*rows, Operation(process=99, function="read", key="x", result=77, invoked_s=10.0, completed_s=11.0)]


def _timed() -> list[Timed]:
    return timed(operations_from(_many()))


def test_time_that_is_left_is_used() -> None:
    found = search(REGISTER, _timed(), Limits(within_s=60.0), lambda: 100.0)
    assert found.linearizable is False
    assert found.choices > CHECK_TIME_EVERY
    assert _timed()[found.stuck].operation.function == "read"


def test_time_is_over_when_it_has_passed_not_when_it_is_reached() -> None:
    assert search(REGISTER, _timed(), Limits(within_s=0.0), lambda: 100.0).linearizable is False
    assert search_sequential(REGISTER, _many(8), Limits(within_s=0.0), lambda: 9.0, distinct=True).linearizable is False


def test_time_that_is_over_ends_the_search() -> None:
    clock = iter(float(tick) for tick in range(10_000))
    found = search(REGISTER, _timed(), Limits(within_s=0.5), lambda: next(clock))
    assert (found.linearizable, found.limit) == (None, "0.5 s")


def test_choices_are_counted_once() -> None:
    assert search(REGISTER, timed(operations_from(operations("1 read 4"))), Limits(), lambda: 0.0).choices == 1
    beside = timed(operations_from(operations("1 write 1", "+2 write 2", "3 read 4")))
    # Nothing done; the first, or the second, or both of them in either order done.
    assert search(REGISTER, beside, Limits(), lambda: 0.0).choices == 5


def test_answers_that_fit_are_no_choice() -> None:
    reads = timed(operations_from(operations("1 read", "+2 read", "+3 read", "+4 read", "5 read 7")))
    assert search(REGISTER, reads, Limits(), lambda: 0.0).choices == 1


def test_of_unknown_operations_that_do_the_same_the_first_is_used_first() -> None:
    rows = timed(operations_from(operations("1 write 1?", "2 write 1?", "3 read 7")))
    assert search(REGISTER, rows, Limits(), lambda: 0.0).choices == 2


def test_a_dequeue_of_unknown_outcome_takes_one_message_or_none() -> None:
    for answer, right in (("1", True), ("2", True), ("3", False)):
        words = ("1 enqueue 1", "1 enqueue 2", "1 enqueue 3", "2 dequeue?", f"3 dequeue {answer}")
        rows = timed(operations_from(operations(*words)))
        assert search(QUEUE, rows, Limits(), lambda: 0.0).linearizable is right, answer


def test_so_many_choices_and_no_more_are_remembered() -> None:
    needed = search(REGISTER, _timed(), Limits(), lambda: 0.0).choices
    assert search(REGISTER, _timed(), Limits(choices=needed), lambda: 0.0).linearizable is False
    found = search(REGISTER, _timed(), Limits(choices=needed - 1), lambda: 0.0)
    assert (found.linearizable, found.limit) == (None, f"{needed - 1} choices remembered")


@pytest.mark.parametrize("distinct", [True, False])
def test_a_sequential_search_keeps_to_its_limits(distinct: bool) -> None:
    rows = _many(8)
    settled = search_sequential(REGISTER, rows, Limits(within_s=60.0), lambda: 100.0, distinct=distinct)
    assert settled.linearizable is False
    assert settled.choices > CHECK_TIME_EVERY
    clock = iter(float(tick) for tick in range(10_000))
    late = search_sequential(REGISTER, rows, Limits(within_s=0.5), lambda: next(clock), distinct=distinct)
    assert (late.linearizable, late.limit) == (None, "0.5 s")
    few = search_sequential(REGISTER, rows, Limits(choices=100), lambda: 0.0, distinct=distinct)
    assert (few.linearizable, few.limit, few.choices) == (None, "100 choices remembered", 101)


def test_unknown_acquires_of_two_processes_are_not_the_same() -> None:
    rows = operations("1 acquire?", "2 acquire?", "2 release", "3 acquire")
    assert search(LOCK, timed(operations_from(rows)), Limits(), lambda: 0.0).linearizable is True
    rows = operations("1 acquire?", "2 acquire?", "2 release", "2 release")
    assert search(LOCK, timed(operations_from(rows)), Limits(), lambda: 0.0).linearizable is False


def test_only_what_can_matter_is_looked_at() -> None:
    rows = operations("1 read 1", "2 read?", "3 write 1!", "4 write 1?", "5 get?", "6 dequeue?")
    assert [one.operation.process for one in timed(operations_from(rows))] == [1, 4, 6]
    assert [one.row for one in timed(operations_from(rows))] == [0, 3, 5]


def test_a_search_can_begin_in_several_states() -> None:
    rows = timed(operations_from(operations("1 read 4", "1 write 5", "1 read 5")))
    assert search(REGISTER, rows, Limits(), lambda: 0.0).linearizable is False
    assert search(REGISTER, rows, Limits(), lambda: 0.0, initial=[3, 4]).linearizable is True
    assert search(REGISTER, rows, Limits(), lambda: 0.0, initial=[3, 5]).linearizable is False
