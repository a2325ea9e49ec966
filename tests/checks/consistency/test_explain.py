"""An explanation is as small as it can be, and still wrong by brute force."""

import pytest

from harness.checks.consistency import named
from harness.checks.consistency.delivery import account_of_set
from harness.checks.consistency.explain import explain
from harness.checks.consistency.kinds import KINDS
from harness.checks.consistency.linearizability import judge, worth_trying
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from harness.checks.verdict import Outcome
from tests.checks.consistency import oracle
from tests.checks.consistency.telling import operations, transactions

SMALLEST = [
    ("register", ["1 write 1", "1 write 2", "2 read 1"], 3),
    ("register", ["1 write 1", "1 write 2", "1 write 1", "2 read 2"], 3),
    ("kv", ['1 append "a"', '1 append "b"', '2 get "ba"'], 3),
    ("set", ["1 add 1", "2 read []"], 2),
    ("set", ["1 add 1?", "1 add 2?", "2 read [1]", "3 read [2]"], 4),
    ("list", ["1 append 1", "1 append 2", "2 read [2,1]"], 3),
    ("queue", ["1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1"], 4),
    ("counter", ["1 increment 1", "2 read 0"], 2),
]
NOISE = {
    "register": ["7 write 71", "8 read 71", "7 write 72", "8 read 72", "9 cas [72,73]"],
    "set": [],
    "queue": ["7 enqueue 71", "8 dequeue 71", "8 dequeue"],
}


@pytest.mark.parametrize(("model", "words", "size"), SMALLEST)
def test_only_what_is_needed_is_shown(model: str, words: list[str], size: int) -> None:
    rows = operations(*NOISE.get(model, []), *words)
    judgement = judge(KINDS[model], operations_from(rows), Limits(), lambda: 0.0)
    assert len(judgement.answers) == 1
    told = explain(KINDS[model], operations_from(rows), judgement.answers[0], lambda: 0.0, str)
    assert len(told.operations) <= size, told
    assert told.any_start or not oracle.linearizable(model, told.operations)
    assert "search of every order" in told.verified_by


def test_noise_around_sets_and_lists_is_left_out() -> None:
    additions = [f"1 add {number}" for number in range(30)]
    everything = list(range(30))
    rows = operations(*additions, f"2 read {everything}", f"2 read {everything[1:]}", f"3 read {everything}")
    judgement = judge(KINDS["set"], operations_from(rows), Limits(), lambda: 0.0)
    told = explain(KINDS["set"], operations_from(rows), judgement.answers[0], lambda: 0.0, str)
    assert [one.function for one in told.operations] == ["add", "read"]
    assert told.operations[1].result == ()


def test_a_search_leaves_out_unknown_writes_that_nobody_saw() -> None:
    rows = operations("1 write 1?", "2 write 2?", "3 cas [2,3]?", "4 write 4", "5 read 2", "6 write 5")
    assert [one.operation.process for one in worth_trying(operations_from(rows))] == [2, 4, 5, 6]


def test_an_element_is_known_from_the_read_that_had_it_or_its_acknowledgement() -> None:
    account = account_of_set(operations_from(operations("1 add 1?", "2 read [1]", "3 read []")))
    assert [element.from_s for element in account.lost] == [102.5]
    assert [element.until_s for element in account.lost] == [103.0]
    account = account_of_set(operations_from(operations("1 add 1", "2 read []", "2 read [1]")))
    assert [(element.from_s, element.until_s) for element in account.stale] == [(101.0, 101.5)]
    assert account.stable_after_s.tolist() == [0.5]


def test_two_that_did_not_both_write_what_they_read_lost_no_update() -> None:
    steps = [["r", 1, []], ["append", 1, 1]], [["append", 1, 2]], [["r", 1, [2, 1]]]
    verdict = named.list_transactions(transactions(*steps))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].text.startswith("G-single")
