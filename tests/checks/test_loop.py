"""What a daemon says of its own loop."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from harness.checks.loop import UNNAMED, loop_not_blocked
from harness.checks.standing import standing_expectations
from harness.checks.verdict import Outcome
from harness.events import Event, Json, RunStarted, SubjectSaid
from harness.history import History
from tests.checks.story import ZERO_S, story


@dataclass(frozen=True)
class Told:
    """A callback of n1, ten seconds after the start."""

    blocked_ms: float
    wall_ms: float
    name: str = "look"

    def event(self) -> SubjectSaid:
        fields = {"name": self.name, "blocked_ms": self.blocked_ms, "wall_ms": self.wall_ms}
        return SubjectSaid(t_s=ZERO_S + 10, node="n1", event="slow-callback", fields=fields)


def _history(*told: Told, fault: str | None = None, target: str = "n1") -> History:
    run = story().run()
    if fault is not None:
        run = run.fault(fault, target, at=9, until=11, bites=True)
    run.events.append(SubjectSaid(t_s=ZERO_S + 1, node="n1", event="daemon-started", fields={}))
    run.events += [one.event() for one in told]
    return run.ended(20).history()


def test_nobody_asked_is_no_answer() -> None:
    assert loop_not_blocked(story().run().ended(20).history()).outcome is Outcome.UNKNOWN
    assert loop_not_blocked(story().history()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ((), Outcome.HOLDS),
        ((Told(49.0, 60.0),), Outcome.HOLDS),
        ((Told(0.0, 900.0),), Outcome.HOLDS),  # the kernel had others to serve
        ((Told(51.0, 51.0),), Outcome.VIOLATED),
        ((Told(30.0, 30.0), Told(5000.0, 5000.0)), Outcome.VIOLATED),
        ((Told(5000.0, 5000.0, UNNAMED),), Outcome.HOLDS),
        ((Told(5000.0, 5000.0, UNNAMED), Told(51.0, 51.0)), Outcome.VIOLATED),
    ],
)
def test_what_blocked_counts(told: tuple[Told, ...], outcome: Outcome) -> None:
    assert loop_not_blocked(_history(*told)).outcome is outcome


def test_a_stop_that_nobody_can_explain_is_told() -> None:
    assert "stopped by something else for 106.9 ms" in loop_not_blocked(_history(Told(106.9, 106.9, UNNAMED))).summary


@pytest.mark.parametrize(
    ("versions", "outcome"),
    [
        (({}, {"version": "2"}), Outcome.HOLDS),
        (({"version": "1"}, {"version": "2"}), Outcome.VIOLATED),
        (({}, {}), Outcome.VIOLATED),
    ],
)
def test_the_daemon_of_before_an_upgrade_is_not_judged(versions: tuple[dict[str, Json], ...], outcome: Outcome) -> None:
    run = story().run()
    for at_s, fields in zip((1, 12), versions, strict=True):
        run.events.append(SubjectSaid(t_s=ZERO_S + at_s, node="n1", event="daemon-started", fields=fields))
    run.events.append(Told(200.0, 200.0).event())
    assert loop_not_blocked(run.ended(20).history()).outcome is outcome


def test_the_callback_is_named() -> None:
    verdict = loop_not_blocked(_history(Told(5000.0, 5000.0)))
    assert [finding.text for finding in verdict.evidence] == ["n1: look for 5.00 s at 5.000 s"]


@pytest.mark.parametrize(
    ("fault", "target", "outcome"),
    [
        ("freeze", "n1", Outcome.HOLDS),
        ("suspend", "n1", Outcome.HOLDS),
        ("slow", "n1", Outcome.HOLDS),
        ("freeze", "n2", Outcome.VIOLATED),
        ("kill", "n1", Outcome.VIOLATED),
    ],
)
def test_who_is_frozen_is_not_to_blame(fault: str, target: str, outcome: Outcome) -> None:
    assert loop_not_blocked(_history(Told(1500.0, 1500.0), fault=fault, target=target)).outcome is outcome


def test_every_run_is_judged_by_it_that_has_the_stacks_log() -> None:
    def judged_by(history: History) -> set[str]:
        return {one.check for one in standing_expectations(history)}

    def of_format(number: int) -> History:
        events = _history().of(Event)
        return History([replace(one, format=number) if isinstance(one, RunStarted) else one for one in events])

    assert "loop_not_blocked" in judged_by(of_format(2))
    assert "loop_not_blocked" not in judged_by(of_format(1)), "stacks did not say it yet"
    assert "loop_not_blocked" not in judged_by(story().run().ended(20).history())
