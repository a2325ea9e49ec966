"""What became of elements and messages, in numbers."""

from harness.checks.consistency.delivery import account_of_queue, account_of_set
from harness.checks.consistency.operations import operations_from
from tests.checks.consistency.telling import operations


def test_only_what_is_stable_has_a_time_after_which_it_was() -> None:
    account = account_of_set(
        operations_from(operations("1 add 1", "1 add 2", "2 read [1]", "1 add 3", "1 add 4?", "1 add 5!"))
    )
    assert account.stable_after_s.tolist() == [0.0]
    assert (account.stable, account.unseen) == (1, 1)
    assert [element.value for element in account.lost] == [2]
    assert not account.stale


def test_an_element_is_lost_at_the_first_read_that_lacks_it_for_good() -> None:
    account = account_of_set(
        operations_from(operations("1 add 1", "2 read []", "2 read [1]", "2 read []", "2 read []"))
    )
    (lost,) = account.lost
    assert (lost.row, lost.from_s, lost.until_s) == (3, 101.0, 104.5)


def test_duplicates_and_strangers_are_counted_once() -> None:
    account = account_of_set(operations_from(operations("1 add 1", "2 read [1,1,9]", "2 read [9,1,1]")))
    assert [(element.value, element.row) for element in account.duplicated] == [(1, 1)]
    assert [(element.value, element.row) for element in account.unexpected] == [(9, 1)]


def test_a_queue_in_numbers() -> None:
    words = ("1 enqueue 1", "1 enqueue 2?", "1 enqueue 3!", "2 dequeue 2", "2 dequeue 2", "2 dequeue 3", "3 dequeue?")
    account = account_of_queue(operations_from(operations(*words, "1 enqueue 4", "2 dequeue", "2 dequeue 4")))
    assert (account.enqueued, account.delivered, account.recovered, account.taken_unseen) == (2, 3, 1, 1)
    assert account.missing.tolist() == [0]
    assert account.duplicated.tolist() == [4]
    assert account.unexpected.tolist() == [5]
    assert account.overtaken.tolist() == []
    assert account.drained


def test_a_queue_that_only_unknown_enqueues_went_into_is_drained_by_an_empty_answer() -> None:
    account = account_of_queue(operations_from(operations("1 dequeue", "1 enqueue 1?")))
    assert account.drained
    assert account.missing.tolist() == []
