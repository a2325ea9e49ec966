"""Who acknowledges writes, by what clients of single members were answered."""

from typing import Literal

from harness.checks.acknowledging import acknowledged_gap_at_most, one_acknowledges
from harness.checks.verdict import Outcome
from harness.events import Completed, Event, Invoked
from harness.history import History

Ended = Literal["ok", "failed", "unknown"]


class Writes:
    """Of clients of single members."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def to(
        self,
        node: str,
        *times_s: float,
        outcome: Ended = "ok",
        took_s: float = 0.01,
        key: str = "x",
        function: str = "add",
    ) -> "Writes":
        for at_s in times_s:
            number = len(self.events)
            invoked = Invoked(
                t_s=at_s, process=1, operation=number, function=function, key=key, value=number, node=node
            )
            self.events += [invoked, Completed(t_s=at_s + took_s, process=1, operation=number, outcome=outcome)]
        return self

    def history(self) -> History:
        return History(sorted(self.events, key=lambda event: event.t_s))


def moved() -> Writes:
    """From n1 to n2, and back."""
    told = Writes().to("n1", 1.0, 1.1, 1.2).to("n1", 1.3, 5.0, 5.1, outcome="failed")
    return told.to("n2", 1.0, 1.1, outcome="failed").to("n2", 4.0, 4.1).to("n2", 6.0, outcome="failed").to("n1", 7.0)


def test_one_after_the_other_holds_and_they_are_told_in_order() -> None:
    verdict = one_acknowledges(moved().history(), "x")
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.summary == "of n1, n2 one at a time acknowledged 6 writes, in this order: n1, n2, n1"


def test_a_write_in_the_middle_of_anothers_turn_is_a_violation() -> None:
    verdict = one_acknowledges(moved().to("n1", 4.05).history(), "x")
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n2", "n1")


def test_turns_that_touch_prove_nothing() -> None:
    assert one_acknowledges(moved().to("n1", 3.99, took_s=0.2).history(), "x").outcome is Outcome.HOLDS
    assert one_acknowledges(moved().to("n1", 4.105, took_s=0.2).history(), "x").outcome is Outcome.HOLDS


def test_a_write_that_was_not_acknowledged_ends_a_turn() -> None:
    outcomes: tuple[Ended, ...] = ("failed", "unknown")
    for outcome in outcomes:
        told = moved().to("n2", 4.04, outcome=outcome).to("n1", 4.06)
        assert one_acknowledges(told.history(), "x").outcome is Outcome.HOLDS


def test_with_one_member_asked_or_nothing_acknowledged_it_is_unknown() -> None:
    assert one_acknowledges(Writes().history(), "x").outcome is Outcome.UNKNOWN
    assert one_acknowledges(Writes().to("n1", 1.0, 2.0).history(), "x").outcome is Outcome.UNKNOWN
    refused = Writes().to("n1", 1.0, outcome="failed").to("n2", 1.0, outcome="failed")
    assert one_acknowledges(refused.history(), "x").outcome is Outcome.UNKNOWN
    assert one_acknowledges(moved().history(), "y").outcome is Outcome.UNKNOWN


def test_the_longest_time_without_an_acknowledgement_is_measured() -> None:
    history = Writes().to("", 1.0, 1.1).to("", 2.0, outcome="failed").to("", 3.1).history()
    verdict = acknowledged_gap_at_most(history, "x", 2.1)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.summary == "no write to x was acknowledged for 2.00 s at most"
    assert acknowledged_gap_at_most(history, "x", 1.9).outcome is Outcome.VIOLATED
    assert acknowledged_gap_at_most(Writes().to("", 1.0).history(), "x", 1.0).outcome is Outcome.UNKNOWN


def test_who_only_looks_or_takes_away_acknowledges_no_write() -> None:
    told = Writes().to("", 1.0, 3.1, function="enqueue").to("", 2.0, function="dequeue").to("", 2.1, function="drain")
    assert acknowledged_gap_at_most(told.history(), "x", 1.9).outcome is Outcome.VIOLATED


def test_a_store_that_never_comes_back_is_silent_as_long_as_it_is_asked() -> None:
    told = Writes().to("", 1.0, 1.1).to("", *(2.0 + number for number in range(20)), outcome="unknown", took_s=0.5)
    verdict = acknowledged_gap_at_most(told.history(), "x", 2.0)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].text == "none from 0.110 s until 20.000 s, when the last one was asked for"
    once = Writes().to("", 1.0).to("", 2.0, outcome="failed")
    assert acknowledged_gap_at_most(once.history(), "x", 0.5).outcome is Outcome.VIOLATED


def test_what_nobody_asked_for_is_no_silence() -> None:
    told = Writes().to("", 1.0, 1.1).to("", 20.0, function="read")
    assert acknowledged_gap_at_most(told.history(), "x", 2.0).outcome is Outcome.HOLDS
