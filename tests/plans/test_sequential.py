"""The sequential test keeps the rates of error that it states."""

from random import Random

import pytest

from harness.errors import UsageError
from harness.plans.sequential import Rates, Run, Sequential, likely_rate


def decided(rate: float, rates: Rates, random: Random, longest: int = 1000) -> tuple[bool, int]:
    test = Sequential(rates, longest)
    verdict = None
    while verdict is None:
        verdict = test.take(Run.FAILED if random.random() < rate else Run.PASSED)
    return verdict, test.runs


def test_it_is_wrong_no_more_often_than_it_says() -> None:
    rates, random = Rates(at_most=0.05, at_least=0.3, false_alarm=0.05, missed=0.1), Random(1)
    innocent = [decided(0.05, rates, random)[0] for _ in range(4000)]
    guilty = [decided(0.3, rates, random)[0] for _ in range(4000)]
    assert sum(innocent) / 4000 < 0.06
    assert sum(not one for one in guilty) / 4000 < 0.11


def test_what_always_fails_is_decided_by_a_run() -> None:
    rates = Rates(at_most=0.01, at_least=0.9)
    assert decided(1.0, rates, Random(1)) == (True, 1)
    assert decided(0.0, rates, Random(1)) == (False, 1)


def test_it_ends_after_so_many_runs_without_a_decision() -> None:
    test = Sequential(Rates(), 3)
    assert [test.take(Run.INCONCLUSIVE) for _ in range(3)] == [None, None, False]


def test_rates_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError):
        Rates(at_most=0.5, at_least=0.3)
    with pytest.raises(UsageError):
        Rates(missed=0.7)


def test_a_likely_rate_is_less_than_what_was_seen() -> None:
    assert likely_rate(3, 3) == pytest.approx(0.8)
    assert likely_rate(0, 3) == 0.2
    assert likely_rate(0, 0) == 0.2
