"""``harness judge`` on stored runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.judge import judge_command
from harness.events import FORMAT
from harness.history import Recorder
from tests.checks.story import VIP, Story, failover, story
from tests.cli.clusters import harness


def stored(directory: Path, told: Story) -> str:
    recorder = Recorder(directory / "history.jsonl")
    for event in told.events:
        recorder.record(event)
    recorder.close()
    return str(directory)


def test_a_good_run_says_so_and_remembers(tmp_path: Path) -> None:
    run = stored(tmp_path, failover())
    first = CliRunner().invoke(judge_command, [run])
    assert first.exit_code == 0
    assert "one_holder" in first.output
    assert (
        "Judged again: the verdicts are the same as those stored with the run."
        in CliRunner().invoke(judge_command, [run]).output
    )


def test_a_violation_exits_1_with_its_evidence(tmp_path: Path) -> None:
    result = CliRunner().invoke(judge_command, [stored(tmp_path, failover().node_holds("n3", 4, 5))])
    assert result.exit_code == 1
    assert "n2 and n3 both held" in result.output


def test_a_run_that_proves_nothing_exits_2_also_in_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(judge_command, [stored(tmp_path, story().run()), "--json"])
    assert result.exit_code == 2
    data = json.loads(result.output)
    assert data["outcome"] == "UNKNOWN"
    assert {verdict["check"] for verdict in data["verdicts"]} >= {"body_passed", "fault_bit"}


def test_a_run_of_a_newer_harness_is_refused_in_one_line(tmp_path: Path) -> None:
    stored(tmp_path, story().run(format=FORMAT + 1))
    done = harness("judge", str(tmp_path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"harness: {tmp_path}/history.jsonl: recorded by a newer harness, in format {FORMAT + 1}; "
        f"this one reads up to format {FORMAT}\n"
    )


def test_verdicts_that_changed_are_shown(tmp_path: Path) -> None:
    run = stored(tmp_path, failover())
    CliRunner().invoke(judge_command, [run])
    stored(tmp_path, story().expects("outage_at_most", address=VIP, limit_s=0.5))
    assert f"outage_at_most({VIP}, 0.5) not judged; now VIOLATED" in CliRunner().invoke(judge_command, [run]).output


def test_verdicts_that_cannot_be_stored_are_told_all_the_same(tmp_path: Path) -> None:
    run = stored(tmp_path, failover())
    (tmp_path / "verdicts.tmp").mkdir()  # in the way of what is written first
    told = CliRunner().invoke(judge_command, [run])
    assert told.exit_code == 0
    assert f"checks)\nharness: the verdicts could not be stored in {run}: Is a directory\n" in told.output
    asked = harness("judge", run, "--store")
    assert asked.returncode == 2
    assert "\nHOLDS (" in asked.stdout
    assert asked.stderr == f"harness: the verdicts could not be stored in {run}: Is a directory\n"


def test_stored_verdicts_that_are_damaged_keep_nobody_from_judging(tmp_path: Path) -> None:
    run = stored(tmp_path, failover())
    (tmp_path / "verdicts.json").write_text('{"outcome": "HO')
    told = CliRunner().invoke(judge_command, [run])
    assert told.exit_code == 0
    assert "not compared" in told.output
    assert "--store replaces them" in told.output
    assert (tmp_path / "verdicts.json").read_text() == '{"outcome": "HO'
    assert CliRunner().invoke(judge_command, [run, "--store"]).exit_code == 0
    assert "the verdicts are the same" in CliRunner().invoke(judge_command, [run]).output


def test_a_history_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").mkdir()
    done = harness("judge", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"harness: {tmp_path / 'history.jsonl'}: Is a directory\n"


@pytest.mark.parametrize("words", [(), ("--model", "register")])
def test_the_histories_of_two_runs_in_one_file_are_not_judged_as_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    both = story()
    both.add(*story().run().ended(5, "failed", "it did not").events, *story().run().ended(9).events)
    result = harness("judge", stored(tmp_path, both), *words)
    assert result.returncode == 2
    assert result.stderr == "harness: this is the history of 2 runs, put together: judge each by itself\n"
