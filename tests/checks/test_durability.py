"""Acknowledged writes: kept, lost, and those that nobody made."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.durability import nothing_lost
from harness.checks.verdict import MAX_FINDINGS, Outcome
from tests.checks.story import NODES, Story, failover, story


def read(told: Story, *values: object, at: float = 9) -> Story:
    for node in NODES:
        told.reads_back(at, node, *values)
    return told


def test_everything_acknowledged_is_everywhere() -> None:
    verdict = nothing_lost(failover().history())
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.summary == "all 135 acknowledged writes are on n1, n2, n3"


def test_nothing_acknowledged_or_nothing_read_is_unknown() -> None:
    assert nothing_lost(story().history()).outcome is Outcome.UNKNOWN
    assert nothing_lost(read(story().run().write(1, 1, "unknown"), 1).history()).outcome is Outcome.UNKNOWN
    assert nothing_lost(story().run().write(1, 1).history()).outcome is Outcome.UNKNOWN
    other = story().run().write(1, 1, key="a").reads_back(9, "n1", 1, key="b").history()
    assert nothing_lost(other, None).summary == "1 writes were acknowledged, and nobody read back a"


def test_only_the_ledger_is_meant_unless_said_otherwise() -> None:
    told = story().run().write(1, 1).write(2, 2, key="registers/0").reads_back(9, "n1", 1).history()
    assert nothing_lost(told).summary == "all 1 acknowledged writes are on n1"
    assert nothing_lost(told, None).outcome is Outcome.UNKNOWN


def test_a_lost_write_is_named_with_node_and_fault() -> None:
    told = story().run().fault("kill", "n1", at=2, until=4).write(1, 10).write(2.5, 11)
    told.reads_back(9, "n1", 10).reads_back(9, "n2", 10, 11).reads_back(9, "n3", 10)
    verdict = nothing_lost(told.history())
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.summary.startswith("1 of 2 acknowledged writes are lost")
    (finding,) = verdict.evidence
    assert finding.nodes == ("n1", "n3")
    assert "ledger = 11 (process 2), acknowledged at 2.505 s during kill n1" in finding.text


def test_a_write_that_never_ended_may_be_there_or_not() -> None:
    told = story().run().write(1, 1).write(2, 2, None).write(3, 3, "unknown").write(4, 4, "unknown")
    assert nothing_lost(read(told, 1, 2, 3).history()).outcome is Outcome.HOLDS


def test_values_that_nobody_wrote_or_whose_write_was_refused_are_findings() -> None:
    verdict = nothing_lost(read(story().run().write(1, 1).write(2, 2, "failed"), 1, 2, 99).history())
    assert verdict.outcome is Outcome.VIOLATED
    assert [finding.text.split(" is on ")[0] for finding in verdict.evidence] == ["ledger = 2", "ledger = 99"]
    assert "nobody wrote it" in str(verdict)
    assert "its write was refused" in str(verdict)


def test_only_the_last_reading_of_a_member_counts_and_only_for_writes_before_it() -> None:
    told = read(read(story().run().write(1, 1), at=2), 1, at=5).write(6, 2)
    assert nothing_lost(told.reads_back(7, "n3", 1, 2).history()).outcome is Outcome.HOLDS


@settings(max_examples=50)
@given(st.dictionaries(st.integers(0, 50), st.sampled_from(["ok", "failed", "unknown"])), st.sets(st.integers(0, 60)))
def test_the_verdict_is_what_set_arithmetic_says(outcomes: dict[int, str], there: set[int]) -> None:
    told = story().run()
    for value, outcome in outcomes.items():
        told.write(1, value, outcome)
    acknowledged = {value for value, outcome in outcomes.items() if outcome == "ok"}
    allowed = acknowledged | {value for value, outcome in outcomes.items() if outcome == "unknown"}
    verdict = nothing_lost(read(told, *there).history())
    if not acknowledged:
        assert verdict.outcome is Outcome.UNKNOWN
    else:
        assert (verdict.outcome is Outcome.HOLDS) == (acknowledged <= there <= allowed)


def test_a_hundred_thousand_writes_are_judged_in_seconds_and_shown_in_part() -> None:
    told = story().run()
    for value in range(100_000):
        told.write(1 + value / 1e5, value)
    history = read(told, *range(0, 100_000, 2)).history()
    began_s = time.process_time()
    verdict = nothing_lost(history)
    assert time.process_time() - began_s < 5.0
    assert verdict.summary.startswith("50000 of 100000 acknowledged writes are lost")
    assert len(verdict.evidence) == MAX_FINDINGS


def test_a_write_after_the_last_look_is_not_called_kept() -> None:
    told = read(story().run().write(1, 1).write(9.5, 2), 1)
    verdict = nothing_lost(told.history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.summary == "1 of 2 acknowledged writes came after the last look at n1, n2, n3, at 9.000 s"
    assert nothing_lost(told.reads_back(10, "n2", 1, 2).history()).outcome is Outcome.HOLDS
    assert nothing_lost(told.reads_back(11, "n2", 1).history()).outcome is Outcome.VIOLATED


def test_of_several_objects_each_has_to_be_looked_at_afterwards() -> None:
    told = story().run().write(1, 1, key="a").write(9.5, 2, key="b")
    told.reads_back(10, "n1", 1, key="a").reads_back(9, "n1", key="b")
    assert nothing_lost(told.history(), None).outcome is Outcome.UNKNOWN
