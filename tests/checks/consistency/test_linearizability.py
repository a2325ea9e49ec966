"""Keys are judged one by one, and searched with an effort that grows only while nothing is known to be wrong."""

import pytest

from harness.checks.consistency import linearizability
from harness.checks.consistency.kinds import KINDS
from harness.checks.consistency.linearizability import Answer, judge
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from tests.checks.consistency.telling import operations

HARD = [f"+{process} write {process % 3}" for process in range(1, 13)]
"""So many writes at once of so few values, that a read of what none of them wrote takes many choices."""


@pytest.fixture(autouse=True)
def few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linearizability, "FIRST_CHOICES", 5)


def test_one_wrong_key_decides_before_another_is_searched_for_long() -> None:
    wrong = operations("1 write 1", "1 write 1", "2 read 3", key="wrong")
    hard = operations(*HARD, "20 read 2", key="hard")
    judgement = judge(KINDS["register"], operations_from([*hard, *wrong]), Limits(), lambda: 0.0)
    assert [answer.key for answer in judgement.of(Answer.WRONG)] == ["wrong"]
    assert [(answer.key, answer.limit) for answer in judgement.of(Answer.UNDECIDED)] == [
        ("hard", "5 choices remembered")
    ]


@pytest.mark.parametrize(("seen", "outcome"), [(2, []), (7, [Answer.WRONG])])
def test_alone_it_is_searched_until_it_is_decided(seen: int, outcome: list[Answer]) -> None:
    hard = operations(*HARD, f"20 read {seen}", key="hard")
    judgement = judge(KINDS["register"], operations_from(hard), Limits(), lambda: 0.0)
    assert [answer.answer for answer in judgement.answers] == outcome


def test_the_limits_hold_for_all_rounds_together() -> None:
    hard = operations(*HARD, "20 read 7", key="hard")
    judgement = judge(KINDS["register"], operations_from(hard), Limits(choices=20), lambda: 0.0)
    assert [answer.limit for answer in judgement.answers] == ["20 choices remembered"]
