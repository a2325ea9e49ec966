"""``harness judge`` on stored runs."""

import json
from pathlib import Path

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
