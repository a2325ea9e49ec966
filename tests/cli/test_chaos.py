"""``harness chaos``, ``replay``, ``shrink`` and ``coverage`` as a person calls them."""

import json
import re
from pathlib import Path

import pytest

from harness.events import RunEnded
from harness.history import encode
from harness.plans.plan import from_json, to_json
from tests.cli.clusters import harness, refused
from tests.plans.drawn import plan, step

OPERATED = "scenarios/sfha/nodes/operated.json"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("chaos", "--dry-run", "--seed", "7", "--generator", "storm"), "at worst"),
        (("chaos", "five-nodes", "--dry-run", "--seed", "7", "--liveness", "--for", "1m"), "for good"),
        (("chaos", "--dry-run", "--seed", "7", "--cover", "pairs", "--for", "1m"), "on holder-lost"),
    ],
)
def test_a_dry_run_prints_the_plan_and_whom_it_could_hit_and_starts_nothing(words: tuple[str, ...], told: str) -> None:
    done = harness(*words)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert "whom it would hit" in done.stdout
    assert harness(*words).stdout == done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("chaos", "--for", "soon"), "no length of time; allowed: such as 90, 90s, 2m or 1h"),
        (("chaos", "--for", "1s", "--dry-run"), "too short"),
        (("chaos", "--faults", "tornado", "--dry-run"), "no fault or family tornado"),
        (("chaos", "--load", "ledger", "--dry-run"), "allowed is MODEL=RATE"),
        (("chaos", "--load", "tea=3", "--dry-run"), "allowed is MODEL=RATE"),
        (("chaos", "atlantis", "--dry-run"), "there is no topology 'atlantis'"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(words: tuple[str, ...], told: str) -> None:
    done = harness(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--for", "99999h"), "allowed: above 0, and at most a week"),
        (("--within", "0"), "allowed: above 0, and at most a week"),
        (("--software", "sfah"), 'did you mean "sfha"?'),
        (("--set", "profile=lam"), 'did you mean "lan"?'),
        (("--software", "etcd", "--software", "etcd"), "the subject 'etcd' is named twice"),
        (("--seen", "tests"), "--seen needs --cover"),
        (("--plan", OPERATED, "--seed", "3"), "--seed says how a plan is drawn"),
    ],
)
def test_what_would_be_drawn_for_nothing_or_passed_over_is_refused(words: tuple[str, ...], told: str) -> None:
    assert told in refused("chaos", "--dry-run", *words)


def test_a_plan_that_aims_at_anything_but_the_cluster_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(to_json(plan(step("1", "kill", ("localhost",)))))
    done = harness("chaos", "--plan", str(file), "--dry-run")
    assert done.returncode == 2
    assert "'localhost' is nothing of the topology" in done.stderr


def test_a_run_without_a_plan_can_be_neither_replayed_nor_shrunk(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(encode(RunEnded(t_s=1.0, outcome="passed")))
    replayed = harness("replay", str(tmp_path))
    assert (replayed.returncode, "had no plan" in replayed.stderr) == (2, True)
    assert harness("shrink", str(tmp_path)).returncode == 2


def test_what_no_run_is_covers_nothing(tmp_path: Path) -> None:
    done = harness("coverage", str(tmp_path))
    assert done.returncode == 2
    assert "there is no run that could be read" in done.stderr


def test_a_plan_is_performed_stored_replayed_and_covers(tmp_path: Path) -> None:
    """On real nodes that run Redis: two faults, the second when the first has taken a node's power."""
    file, runs = tmp_path / "plan.json", tmp_path / "runs"
    made = json.loads(to_json(plan(step("1", "kill", ("n1",), for_s=2.0), step("2", "freeze", ("n2",), for_s=1.0))))
    made["steps"][1]["start"] = {"by": "event", "event": "node-lost", "from_s": 0.5, "until_s": 4.0}
    file.write_text(json.dumps(made))
    done = harness("chaos", "--plan", str(file), "--software", "redis", "--runs", str(runs), "--all-steps")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 steps took place" in done.stdout
    (run,) = (one.parent for one in runs.rglob("plan.json"))
    assert from_json((run / "plan.json").read_text()) == from_json(file.read_text())
    again = harness("replay", str(run), "--runs", str(runs))
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(re.findall(r"[+-]\d+\.\d ms", again.stdout)) == 2
    covered = harness("coverage", str(runs))
    assert "2 runs" in covered.stdout
    assert harness("shrink", str(run)).returncode == 2
