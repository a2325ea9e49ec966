"""Judging a whole run: what its scenario expected, and what every run is judged by; storing the verdicts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.checks.registry import evaluate
from harness.checks.standing import standing_expectations
from harness.checks.story import is_whole
from harness.checks.verdict import Finding, Outcome, Verdict, worst
from harness.errors import HarnessError, UsageError
from harness.events import Expectation, Json, RunEnded, RunStarted
from harness.history import History, decode_lines, encode

FILE_NAME = "verdicts.json"
CAUGHT_BY = "caught_by"
"""The verdict on a sabotage: whether each check that RunStarted names came out VIOLATED."""

EXIT_CODES = {Outcome.HOLDS: 0, Outcome.VIOLATED: 1, Outcome.UNKNOWN: 2}


def judge(history: History) -> tuple[Verdict, ...]:
    """Every expectation of the run and every standing check, each once, in the order of recording.

    A standing check that the run itself expects, of the same address, is judged with the run's arguments.

    Raises UsageError for a history of several runs.
    """
    of_one_run(history)
    expected: dict[str, Expectation] = {}
    for expectation in history.of(Expectation):
        expected.setdefault(json.dumps([expectation.check, expectation.arguments], sort_keys=True), expectation)
    own = list(expected.values())
    named = {(one.check, one.arguments.get("address")) for one in own}
    standing = [one for one in standing_expectations(history) if (one.check, one.arguments.get("address")) not in named]
    verdicts = tuple(evaluate(history, expectation) for expectation in [*own, *standing])
    wanted = [name for started in history.of(RunStarted) for name in started.caught_by]
    return (*verdicts, _caught(wanted, verdicts, history)) if wanted else verdicts


def of_one_run(history: History) -> History:
    """A history that is of one run, or of none. Raises UsageError for files of several that were put together.

    The time between two clusters would be an outage, and the end of the last one would speak for all.
    """
    begun = len(history.of(RunStarted))
    if begun > 1:
        raise UsageError(f"this is the history of {begun} runs, put together: judge each by itself")
    return history


def _caught(wanted: list[str], verdicts: Sequence[Verdict], history: History) -> Verdict:
    """Whether a sabotage came out violated by each check that had to catch it."""
    arguments: dict[str, Json] = {"checks": [*wanted]}
    caught = {verdict.check for verdict in verdicts if verdict.outcome is Outcome.VIOLATED}
    missed = [name for name in wanted if name not in caught]
    others = sorted(caught - {*wanted, "body_passed"})
    also = f" (violated as well: {', '.join(others)})" if others else ""
    if not missed:
        return Verdict(CAUGHT_BY, Outcome.HOLDS, f"caught by {', '.join(wanted)}{also}", (), arguments)
    ended = history.of(RunEnded)
    outcome = Outcome.VIOLATED if is_whole(history) else Outcome.UNKNOWN
    why = f"; {ended[-1].reason}" if ended and ended[-1].outcome == "inconclusive" else ""
    return Verdict(CAUGHT_BY, outcome, f"not caught by {', '.join(missed)}{also}{why}", (), arguments)


def ruling(verdicts: Sequence[Verdict]) -> Outcome:
    """What the verdicts of a run amount to: the worst; of a sabotage, whether it was caught."""
    return worst([one for one in verdicts if one.check == CAUGHT_BY] or verdicts)


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 when all holds (or the sabotage was caught), 1 when something is violated, 2 when it cannot be told."""
    return EXIT_CODES[ruling(verdicts)]


def to_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Verdicts as plain data."""
    return {"outcome": ruling(verdicts).name, "verdicts": [_verdict_to_json(verdict) for verdict in verdicts]}


def _verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "check": verdict.check,
        "arguments": verdict.arguments,
        "outcome": verdict.outcome.name,
        "summary": verdict.summary,
        "evidence": [
            {
                "text": finding.text,
                "from_s": finding.from_s,
                "until_s": finding.until_s,
                "nodes": list(finding.nodes),
                "client": finding.client,
                "events": [json.loads(encode(event)) for event in finding.events],
            }
            for finding in verdict.evidence
        ],
    }


def store_verdicts(run_directory: Path, verdicts: Sequence[Verdict]) -> Path:
    """Write the verdicts beside the run's history; the file is whole or not there."""
    path = run_directory / FILE_NAME
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(to_json(verdicts), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def load_verdicts(run_directory: Path) -> tuple[Verdict, ...] | None:
    """The verdicts stored beside a run's history, or None when there are none.

    Raises HarnessError when the file is not what :func:`store_verdicts` writes.
    """
    path = run_directory / FILE_NAME
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_verdict_from_json(one) for one in data["verdicts"])
    except (ValueError, KeyError, TypeError) as error:
        raise HarnessError(f"{path} holds no verdicts of this harness ({error!r})") from error


def _verdict_from_json(data: dict[str, Any]) -> Verdict:
    evidence = tuple(
        Finding(
            text=one["text"],
            from_s=one["from_s"],
            until_s=one["until_s"],
            nodes=tuple(one["nodes"]),
            client=one["client"],
            events=tuple(decode_lines([json.dumps(line).encode() + b"\n" for line in one["events"]], FILE_NAME)),
        )
        for one in data["evidence"]
    )
    return Verdict(data["check"], Outcome[data["outcome"]], data["summary"], evidence, dict(data["arguments"]))
