"""What every run is judged by."""

import pytest
from msgspec import structs

from harness.checks.expected import EVERY_ADDRESS
from harness.checks.standing import (
    body_passed,
    fault_bit,
    harness_worked,
    nothing_left_behind,
    probes_were_watching,
    standing_expectations,
)
from harness.checks.verdict import Outcome
from harness.events import HarnessFailed, Json, RunStarted
from harness.history import History
from tests.checks.story import VIP, ZERO_S, failover, story


def test_a_good_run_passes_them_all() -> None:
    history = failover().history()
    for check in (body_passed, fault_bit, nothing_left_behind, probes_were_watching):
        assert check(history).outcome is Outcome.HOLDS, check.__name__


def test_an_empty_history_passes_none() -> None:
    history = story().history()
    for check in (body_passed, fault_bit, nothing_left_behind, probes_were_watching):
        assert check(history).outcome is Outcome.UNKNOWN, check.__name__


@pytest.mark.parametrize(
    ("until", "bites", "words"),
    [(5.0, False, "a canary arrived"), (5.0, None, "never shown to take effect"), (None, True, "to be healed")],
)
def test_a_fault_that_proves_nothing_makes_the_run_inconclusive(
    until: float | None, bites: bool | None, words: str
) -> None:
    verdict = fault_bit(story().run().fault("cut-site", "dijon", at=2, until=until, bites=bites).history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert words in str(verdict)


def test_what_is_left_on_the_host_is_listed() -> None:
    verdict = nothing_left_behind(story().run().left_behind(9, "cgroup /harness/r1", "mount /x").history())
    assert verdict.outcome is Outcome.VIOLATED
    assert [finding.text for finding in verdict.evidence] == ["cgroup /harness/r1", "mount /x"]


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [("passed", Outcome.HOLDS), ("failed", Outcome.VIOLATED), ("inconclusive", Outcome.UNKNOWN)],
)
def test_the_scenarios_own_end_counts(ending: str, outcome: Outcome) -> None:
    assert body_passed(story().run().ended(5, ending, "why").history()).outcome is outcome


def test_a_node_that_was_not_watched_while_it_had_power_is_named() -> None:
    told = story().run().power("n1", 0).power("n2", 0, 6).power("n3", 0, 1).ended(9)
    verdict = probes_were_watching(told.watched(0.01, None, "n1").watched(0.01, 3.5, "n2").history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert [finding.text for finding in verdict.evidence] == ["n2 was not watched from 3.500 s until 6.000 s"]


def test_the_standing_set_is_of_what_was_seen() -> None:
    named = {(one.check, one.arguments.get("address")) for one in standing_expectations(failover().history())}
    assert {("one_holder", VIP), ("never_without_quorum", VIP), ("nothing_lost", None)} <= named
    bare = {one.check for one in standing_expectations(story().run().history())}
    assert bare == {"body_passed", "fault_bit", "probes_were_watching", "nothing_left_behind"}


def test_what_the_harness_could_not_do_makes_any_run_inconclusive() -> None:
    assert harness_worked(story().history()).outcome is Outcome.UNKNOWN
    assert harness_worked(failover().history()).outcome is Outcome.HOLDS
    told = failover().add(HarnessFailed(t_s=ZERO_S + 10.2, doing="collecting", error="HarnessError: it is silent"))
    verdict = harness_worked(told.history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert "collecting: HarnessError: it is silent" in verdict.summary
    assert "harness_worked" in {one.check for one in standing_expectations(told.history())}


def judged_by(standing: dict[str, dict[str, Json]]) -> set[tuple[str, tuple[tuple[str, Json], ...]]]:
    """The checks, beyond those of the harness itself, by which a failover is judged that says so itself."""
    told = failover()
    (started,) = told.history().of(RunStarted)
    events = [structs.replace(event, standing=standing) if event is started else event for event in told.events]
    own = {"body_passed", "fault_bit", "probes_were_watching", "nothing_left_behind"}
    wanted = standing_expectations(History(events))
    return {(one.check, tuple(sorted(one.arguments.items()))) for one in wanted if one.check not in own}


def test_what_subjects_are_judged_by_is_what_the_run_says() -> None:
    assert judged_by({}) == set()
    assert judged_by({"one_holder": {"address": EVERY_ADDRESS, "hand_over_s": 0.1}, "quorum_where_votes_say": {}}) == {
        ("one_holder", (("address", VIP), ("hand_over_s", 0.1))),
        ("quorum_where_votes_say", ()),
    }
    assert judged_by({"nothing_lost": {}}) == {("nothing_lost", ())}


def test_what_nothing_was_seen_of_is_not_judged() -> None:
    standing: dict[str, dict[str, Json]] = {
        "one_holder": {"address": EVERY_ADDRESS},
        "nothing_lost": {},
        "agree_afterwards": {},
    }
    bare = {one.check for one in standing_expectations(story().run(standing=standing).history())}
    assert bare == {"body_passed", "fault_bit", "probes_were_watching", "nothing_left_behind"}
