"""As many replicas as are wanted, and never two of what may run once."""

from itertools import count

import pytest

from harness.checks.replicas import never_twice, replicas_as_desired
from harness.checks.verdict import Outcome
from harness.events import HarnessFailed, ReplicaRan
from harness.history import History
from tests.checks.story import ZERO_S, Story, story

EVERY_S = 0.1


def runs(told: Story, replica: str, start: float, until: float, node: str = "n1", *, service: str = "api") -> Story:
    """It says that it runs, all the time."""
    for number in count():
        at = start + number * EVERY_S
        if at > until:
            return told
        told.events.append(ReplicaRan(t_s=ZERO_S + at, node=node, service=service, replica=replica))
    raise AssertionError


def three(until: float = 30, *, first_until: float | None = None) -> Story:
    told = story().run()
    runs(told, "a", 1, until if first_until is None else first_until, "n1")
    runs(told, "b", 1, until, "n2")
    return runs(told, "c", 2, until, "n3")


def judged(told: Story, within_s: float = 5.0) -> Outcome:
    return replicas_as_desired(told.ended(30).history(), "api", 3, within_s).outcome


def test_nothing_that_ran_is_no_answer() -> None:
    empty: History = story().run().ended(10).history()
    assert never_twice(empty, "api").outcome is Outcome.UNKNOWN
    assert replicas_as_desired(empty, "api", 3, 5.0).outcome is Outcome.UNKNOWN
    assert judged(runs(story().run(), "a", 1, 30)) is Outcome.UNKNOWN


def test_as_many_as_wanted_hold_and_fewer_do_not() -> None:
    assert judged(three()) is Outcome.HOLDS
    assert judged(three(first_until=10)) is Outcome.VIOLATED


@pytest.mark.parametrize(("back_at", "outcome"), [(14, Outcome.HOLDS), (16, Outcome.VIOLATED)])
def test_who_is_lost_is_replaced_in_time(back_at: float, outcome: Outcome) -> None:
    told = three(first_until=10).fault("kill", "n1", at=10, until=20)
    assert judged(runs(told, "d", back_at, 30, "n2")) is outcome


def test_without_a_fault_nobody_may_be_missing() -> None:
    assert judged(runs(three(first_until=10), "d", 11.5, 30, "n2")) is Outcome.VIOLATED


@pytest.mark.parametrize(("many", "outcome"), [(1, Outcome.HOLDS), (2, Outcome.VIOLATED)])
def test_one_more_may_run_for_a_while(many: int, outcome: Outcome) -> None:
    told = three()
    for number in range(many):
        runs(told, f"more{number}", 10, 15, "n2")
    assert judged(told) is outcome


def test_who_comes_back_may_be_too_many_for_a_while_and_not_for_ever() -> None:
    def back(until: float) -> Story:
        told = three(first_until=10).fault("kill", "n1", at=10, until=20)
        runs(told, "d", 12, 30, "n2")
        runs(told, "e", 12, until, "n2")
        return runs(told, "a", 20.1, until)

    assert judged(back(23)) is Outcome.HOLDS
    assert judged(back(29)) is Outcome.VIOLATED


def test_in_the_end_there_are_exactly_as_many() -> None:
    assert judged(runs(three(), "d", 25, 30, "n2")) is Outcome.VIOLATED


def test_one_after_the_other_is_not_twice() -> None:
    told = runs(story().run(), "a", 1, 10)
    assert never_twice(runs(told, "b", 10.2, 20, "n2").ended(30).history(), "api").outcome is Outcome.HOLDS
    # The first one again, after the second.
    assert never_twice(runs(told, "a", 20.5, 25).history(), "api").outcome is Outcome.HOLDS


def test_two_at_a_time_are() -> None:
    told = runs(runs(story().run(), "a", 1, 10), "b", 9.85, 20, "n2").ended(30)
    verdict = never_twice(told.history(), "api")
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n1", "n2")


def test_who_was_frozen_and_goes_on_after_another_has_begun_is_one_of_two() -> None:
    told = runs(runs(story().run(), "a", 1, 10), "b", 15, 25, "n2")
    assert never_twice(runs(told, "a", 20, 20.1).ended(30).history(), "api").outcome is Outcome.VIOLATED


def test_each_service_is_judged_for_itself() -> None:
    told = runs(runs(story().run(), "a", 1, 10), "b", 5, 20, "n2", service="other")
    assert never_twice(told.ended(30).history(), "api").outcome is Outcome.HOLDS


def test_when_all_fall_silent_there_are_none_in_the_end() -> None:
    assert judged(three(until=10).left_behind(31)) is Outcome.VIOLATED
    assert judged(three().left_behind(31)) is Outcome.HOLDS


def test_notes_that_were_not_taken_are_no_silence() -> None:
    assert judged(three(until=10)) is Outcome.HOLDS
    failed = HarnessFailed(t_s=ZERO_S + 30, doing="taking the logs", error="no room")
    assert judged(three(until=10).left_behind(31).add(failed)) is Outcome.HOLDS


def test_two_of_one_name_on_two_nodes_are_two() -> None:
    told = runs(runs(story().run(), "a", 1, 10), "a", 5, 12, "n2").ended(30)
    assert never_twice(told.history(), "api").outcome is Outcome.VIOLATED
