"""A service that must never run twice, by what it writes."""

from harness.checks.verdict import Outcome
from harness.checks.writers import one_writer, writing_gap_at_most
from harness.events import ServiceWrote
from tests.checks.story import ZERO_S, Story, story


def writes(told: Story, node: str, connection: int, *times_s: float) -> Story:
    return told.add(
        *(ServiceWrote(t_s=ZERO_S + at_s, node=node, service="writer", connection=connection) for at_s in times_s)
    )


def moved() -> Story:
    told = writes(story().run(), "n1", 1, 1.0, 1.02, 1.04)
    return writes(writes(told, "n2", 2, 4.0, 4.02), "n1", 3, 5.0, 5.02).ended(6)


def test_one_after_the_other_holds() -> None:
    verdict = one_writer(moved().history(), "writer")
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.summary == "writer never ran on two nodes at a time (3 runs, on n1, n2)"


def test_a_late_write_of_the_former_one_is_a_violation() -> None:
    told = writes(moved(), "n1", 1, 4.01)
    verdict = one_writer(told.history(), "writer")
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n1", "n2")


def test_a_former_one_that_connects_anew_is_a_violation_too() -> None:
    told = writes(moved(), "n3", 4, 4.01)
    assert one_writer(told.history(), "writer").outcome is Outcome.VIOLATED


def test_lines_read_in_one_go_are_none() -> None:
    told = writes(moved(), "n1", 1, 4.0005)
    assert one_writer(told.history(), "writer").outcome is Outcome.HOLDS


def test_nothing_written_is_unknown() -> None:
    assert one_writer(story().run().ended(3).history(), "writer").outcome is Outcome.UNKNOWN
    assert writing_gap_at_most(story().run().ended(3).history(), "writer", 1.0).outcome is Outcome.UNKNOWN


def test_the_longest_silence_is_measured() -> None:
    assert writing_gap_at_most(moved().history(), "writer", 3.0).outcome is Outcome.HOLDS
    verdict = writing_gap_at_most(moved().history(), "writer", 2.9)
    assert verdict.outcome is Outcome.VIOLATED
    assert "2.96 s" in verdict.summary


def test_a_service_that_writes_no_more_is_silent_to_the_end() -> None:
    told = writes(story().run(), "n1", 1, 1.0, 1.02, 1.04)
    verdict = writing_gap_at_most(told.ended(60).history(), "writer", 3.0)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].text == "silent from 1.040 s (n1) to the end"
    assert writing_gap_at_most(told.history(), "writer", 59.0).outcome is Outcome.HOLDS


def test_a_history_that_breaks_off_says_nothing_of_what_came_after() -> None:
    told = writes(story().run(), "n1", 1, 1.0, 1.02, 1.04).note(60, "the last that was written")
    assert writing_gap_at_most(told.history(), "writer", 3.0).outcome is Outcome.HOLDS
