"""Outages as clients see them, against ones known by construction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.outage import Outage, outage_at_most, outages
from harness.checks.verdict import Outcome
from harness.history import History
from tests.checks.story import VIP, ZERO_S, Story, failover, story


def seen(told: Story) -> tuple[Outage, ...]:
    return outages(told.history(), VIP)


def sampled(gone: float, back: float, *, every: float = 0.01, phase: float = 0.0) -> Story:
    """A client that tries at a fixed rate while the address is gone from one instant to another."""
    told = story().run().ended(back + 0.2)
    for number in range(int((back + 0.2 - 1.8) / every)):
        at = 1.8 + phase + number * every
        told.connects("c1", at, at + every, every=every, ok=not gone <= at < back)
    return told


@settings(max_examples=60)
@given(st.floats(2, 2.5), st.floats(0.03, 1.5), st.floats(0, 0.01))
def test_the_true_length_is_within_the_stated_error(gone: float, length: float, phase: float) -> None:
    (outage,) = seen(sampled(gone, gone + length, phase=phase))
    assert abs(outage.length_s - length) <= outage.error_s + 1e-6
    assert outage.error_s <= 0.0102
    assert abs(outage.start_s - ZERO_S - gone) <= outage.start_error_s + 1e-6


def test_an_answer_that_came_late_ends_the_outage_when_it_came() -> None:
    """A client's kernel holds packets back until it knows a MAC: they are sent early and answered late."""
    told = story().run().connects("c1", 1, 2, ok=True).connects("c1", 2, 2.5, ok=False).ended(10)
    for number in range(20):
        at = 2.5 + number * 0.01
        told.connects("c1", at, at + 0.01, ok=True, takes=2.7 - at)
    (outage,) = seen(told.connects("c1", 2.7, 4, ok=True))
    assert outage.length_s == pytest.approx(0.7, abs=0.015)


def test_slow_answers_without_a_single_failure_are_an_outage_too() -> None:
    told = story().run().connects("c1", 1, 2, ok=True).ended(10)
    for number in range(20):
        at = 2 + number * 0.01
        told.connects("c1", at, at + 0.01, ok=True, takes=2.2 - at)
    (outage,) = seen(told.connects("c1", 2.2, 4, ok=True))
    assert outage.failed == 0
    assert outage.length_s == pytest.approx(0.2, abs=0.02)


def test_a_pause_of_the_client_is_an_error_and_no_outage() -> None:
    assert seen(story().run().connects("c1", 1, 2, ok=True).connects("c1", 3, 4, ok=True).ended(9)) == ()


def test_outages_belong_to_the_fault_before_them_or_its_heal() -> None:
    told = story().run().fault("kill", "n1", at=2, until=5).connects("c1", 1, 2.1, ok=True).ended(9)
    told.connects("c1", 2.1, 2.5, ok=False).connects("c1", 2.5, 5.1, ok=True).connects("c1", 5.1, 5.2, ok=False)
    first, second = seen(told.connects("c1", 5.2, 6, ok=True))
    assert (first.cause, second.cause) == ("kill n1", "after the heal of kill n1")


def test_a_short_outage_holds_and_is_reported_all_the_same() -> None:
    verdict = outage_at_most(failover().history(), VIP, 10.0)
    assert verdict.outcome is Outcome.HOLDS
    assert "700.1 ms" in verdict.evidence[0].text
    assert "kill n1" in verdict.evidence[0].text


@pytest.mark.parametrize(
    ("limit_s", "outcome"), [(0.72, Outcome.HOLDS), (0.70, Outcome.UNKNOWN), (0.68, Outcome.VIOLATED)]
)
def test_the_limit_is_judged_with_the_error_of_the_measurement(limit_s: float, outcome: Outcome) -> None:
    told = sampled(2, 2.7, every=0.005)
    assert outage_at_most(told.history(), VIP, limit_s).outcome is outcome


def test_an_address_that_never_comes_back_is_violated() -> None:
    told = story().run().connects("c1", 1, 3, ok=True).connects("c1", 3, 14, ok=False).ended(14)
    verdict = outage_at_most(told.history(), VIP, 10.0)
    assert verdict.outcome is Outcome.VIOLATED
    assert "never came back" in verdict.summary


def test_a_run_that_ends_too_early_to_tell_is_unknown() -> None:
    told = story().run().connects("c1", 1, 3, ok=True).connects("c1", 3, 5, ok=False).ended(5)
    assert outage_at_most(told.history(), VIP, 10.0).outcome is Outcome.UNKNOWN


def test_an_address_that_never_answered_is_violated_after_the_limit_only() -> None:
    never = story().run().connects("c1", 1, 13, ok=False).ended(14)
    assert outage_at_most(never.history(), VIP, 10.0).outcome is Outcome.VIOLATED
    assert outage_at_most(never.history(), VIP, 20.0).outcome is Outcome.UNKNOWN


def test_no_attempt_at_all_is_unknown() -> None:
    assert outage_at_most(History([]), VIP, 10.0).outcome is Outcome.UNKNOWN
    assert outage_at_most(failover().history(), "10.77.1.1", 10.0).outcome is Outcome.UNKNOWN


def test_silence_before_the_first_answer_is_start_up_and_no_outage() -> None:
    told = story().run().connects("c1", 0, 1, ok=False).connects("c1", 1, 3, ok=True).ended(3)
    assert outage_at_most(told.history(), VIP, 0.1).outcome is Outcome.HOLDS


def test_only_the_named_clients_count() -> None:
    told = story().run().connects("c1", 1, 4, ok=True).connects("c2", 1, 2, ok=True).connects("c2", 2, 3, ok=False)
    told.connects("c2", 3, 4, ok=True).ended(4)
    assert outage_at_most(told.history(), VIP, 0.5).outcome is Outcome.VIOLATED
    assert outage_at_most(told.history(), VIP, 0.5, clients=["c1"]).outcome is Outcome.HOLDS


@pytest.mark.parametrize("told", [(1.0, 3.0, 6.0, 9.0), (1.0, 6.0)], ids=["in the middle", "to the end"])
def test_a_time_in_which_nobody_looked_holds_no_promise_that_is_shorter(told: tuple[float, ...]) -> None:
    run = story().run().ended(9)
    for since, until in zip(told[::2], told[1::2], strict=True):
        run.connects("c1", since, until, ok=True)
    verdict = outage_at_most(run.history(), VIP, 2.0)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "c1 tried nothing for 3." in verdict.summary
    assert outage_at_most(run.history(), VIP, 3.1).outcome is Outcome.HOLDS


def test_what_was_seen_to_be_too_long_is_violated_whatever_was_not_seen() -> None:
    told = story().run().connects("c1", 1, 2, ok=True).connects("c1", 2, 4.5, ok=False).connects("c1", 4.5, 5, ok=True)
    assert outage_at_most(told.ended(9).history(), VIP, 2.0).outcome is Outcome.VIOLATED
    assert outage_at_most(told.history(), VIP, 3.0).outcome is Outcome.UNKNOWN
    assert outage_at_most(told.history(), VIP, 5.0).outcome is Outcome.HOLDS
