"""Judging a whole run, storing the verdicts, and judging again."""

from pathlib import Path

import pytest

from harness.checks.verdict import Outcome, worst
from harness.errors import HarnessError, UsageError
from harness.events import Event
from harness.history import Recorder
from harness.judge import FILE_NAME, exit_code, judge, load_verdicts, ruling, store_verdicts
from tests.checks.story import VIP, failover, story
from tests.stored_runs import RUNS, history_of, lines_of, verdicts_of


def test_every_expectation_and_every_standing_check_is_judged_once() -> None:
    told = failover().expects("one_holder", address=VIP).expects("one_holder", address=VIP)
    told.expects("outage_at_most", address=VIP, limit_s=10.0)
    titles = [verdict.title for verdict in judge(told.history())]
    assert titles[:2] == [f"one_holder({VIP})", f"outage_at_most({VIP}, 10.0)"]
    assert len(titles) == len(set(titles))
    assert "nothing_lost()" in titles


def test_the_runs_own_arguments_replace_those_of_a_standing_check() -> None:
    told = failover().expects("never_without_quorum", address=VIP, tolerance_s=2.0)
    found = [verdict for verdict in judge(told.history()) if verdict.check == "never_without_quorum"]
    assert [verdict.arguments for verdict in found] == [{"address": VIP, "tolerance_s": 2.0}]


def test_exit_codes() -> None:
    assert exit_code(judge(failover().history())) == 0
    assert exit_code(judge(failover().expects("outage_at_most", address=VIP, limit_s=0.5).history())) == 1
    assert exit_code(judge(story().history())) == 2
    assert worst([]) is Outcome.UNKNOWN


def test_a_sabotage_is_good_when_it_is_caught_by_the_right_check() -> None:
    told = failover().node_holds("n3", 4, 5).sabotage("one_holder")
    verdicts = judge(told.history())
    assert worst(verdicts) is Outcome.VIOLATED
    assert ruling(verdicts) is Outcome.HOLDS
    assert exit_code(verdicts) == 0


def test_a_sabotage_that_the_right_check_misses_is_violated() -> None:
    told = failover().node_holds("n3", 4, 5).sabotage("nothing_lost")
    verdicts = judge(told.history())
    assert exit_code(verdicts) == 1
    assert "not caught by nothing_lost (violated as well: one_holder)" in str(verdicts[-1])


@pytest.mark.parametrize(
    ("check", "arguments", "words"),
    [
        ("one_hodler", {"address": VIP}, "there is no check 'one_hodler'; the checks are"),
        ("one_holder", {}, "it takes address, resolution_s"),
        ("outage_at_most", {"address": VIP, "limit": 1}, "it takes address, limit_s"),
    ],
)
def test_an_expectation_that_makes_no_sense_is_named(check: str, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        judge(failover().expects(check, **arguments).history())


def test_verdicts_survive_storing(tmp_path: Path) -> None:
    told = failover().node_holds("n3", 4, 5).expects("outage_at_most", address=VIP, limit_s=0.5)
    verdicts = judge(told.history())
    store_verdicts(tmp_path, verdicts)
    assert load_verdicts(tmp_path) == verdicts


def test_a_stored_run_is_judged_as_it_was_when_it_ran(tmp_path: Path) -> None:
    events: list[Event] = failover().expects("outage_at_most", address=VIP, limit_s=0.5).events
    recorder = Recorder(tmp_path / "history.jsonl")
    for event in events:
        recorder.record(event)
    recorder.close()
    from harness.history import History

    assert [str(one) for one in judge(History.read(tmp_path))] == [str(one) for one in judge(History(events))]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}-{run.name}")
def test_a_run_of_an_earlier_version_is_judged_as_it_was_then(run: Path) -> None:
    verdicts = judge(history_of(lines_of(run)))
    assert [(one.title, one.outcome) for one in verdicts] == [(one.title, one.outcome) for one in verdicts_of(run)]


def test_a_spoilt_file_of_verdicts_is_named(tmp_path: Path) -> None:
    assert load_verdicts(tmp_path) is None
    (tmp_path / FILE_NAME).write_text("[]")
    with pytest.raises(HarnessError, match=FILE_NAME):
        load_verdicts(tmp_path)
