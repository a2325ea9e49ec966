"""An explanation is as small as it can be, and still wrong by brute force."""

from collections.abc import Callable
from itertools import count

import pytest

from harness.checks.consistency import explain as explain_module
from harness.checks.consistency import named, verdicts
from harness.checks.consistency.delivery import account_of_set
from harness.checks.consistency.explain import explain
from harness.checks.consistency.kinds import KINDS
from harness.checks.consistency.linearizability import judge, worth_trying
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from harness.checks.consistency.verdicts import told_by
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


def ticking() -> Callable[[], float]:
    """A clock that is a second later whenever somebody looks at it."""
    seconds = count()
    return lambda: float(next(seconds))


@pytest.mark.parametrize("model", ["register", "queue", "kv"])
def test_when_time_is_over_what_is_left_is_shown_and_said_to_be_cut_short(model: str) -> None:
    words = {
        "register": ["1 write 1", "1 write 2", "2 read 1"],
        "queue": ["1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1"],
    }.get(model, ['1 append "a"', '1 append "b"', '2 get "ba"'])
    noise = {"register": ["7 write {}", "8 read {}"], "queue": ["7 enqueue {}", "8 dequeue {}"]}
    before = [word.format(number) for number in range(50, 80) for word in noise.get(model, ['7 put "<{}>"'])]
    rows = operations(*before, *words)
    (answer,) = judge(KINDS[model], operations_from(rows), Limits(), lambda: 0.0).answers
    hasty = explain(KINDS[model], operations_from(rows), answer, ticking(), str, within_s=2.0)
    patient = explain(KINDS[model], operations_from(rows), answer, lambda: 0.0, str, within_s=2.0)
    assert hasty.cut_short
    assert not patient.cut_short
    assert len(patient.operations) <= len(hasty.operations)
    assert KINDS[model].quick(operations_from(hasty.operations)), "what is shown is wrong by itself"
    assert "fewer may, but the time to explain was over" in told_by(hasty, str)[0].text
    assert "fewer may" not in told_by(patient, str)[0].text


def test_of_very_many_operations_those_around_the_conflict_are_made_into_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain_module, "LARGE", 12)
    noise = [word for number in range(50, 60) for word in (f"7 write {number}", f"8 read {number}")]
    rows = operations(*noise, "1 write 1", "2 cas [1,2]", "1 write 3", "2 read 2", *noise[:0])
    (answer,) = judge(KINDS["register"], operations_from(rows), Limits(), lambda: 0.0).answers
    told = explain(KINDS["register"], operations_from(rows), answer, lambda: 0.0, str)
    assert told.verified_by
    assert not oracle.linearizable("register", told.operations)
    assert {one.argument for one in told.operations if one.function == "write"} == {1, 3}
    many = operations(*(f"1 add {number}" for number in range(20)), "2 read []")
    (answer,) = judge(KINDS["set"], operations_from(many), Limits(), lambda: 0.0).answers
    told = explain(KINDS["set"], operations_from(many), answer, lambda: 0.0, str)
    assert (told.verified_by, told.cut_short) == ((), True)
    assert "no smaller history was looked for" in told_by(told, str)[0].text


def test_explaining_that_fails_leaves_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*given: object, **named_ones: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(verdicts, "explain", failing)
    case = verdicts.Case("c", operations_from(operations("1 write 1", "1 write 2", "2 read 1")), str)
    verdict = verdicts.linearizable(case, "register", Limits())
    assert verdict.outcome is Outcome.VIOLATED
    assert "explaining it failed: RecursionError('too deep')" in str(verdict)
    assert "process 2 read 1" in str(verdict)
