"""Whether the steps of a plan took place. What never began is no fault of the product: nothing here is VIOLATED."""

from harness.checks.performed import plan_performed
from harness.checks.verdict import Outcome
from harness.events import Event, PlanBegun, StepBegun, StepEnded, StepMissed
from harness.history import History


def begun(step: str, at_s: float) -> StepBegun:
    return StepBegun(t_s=at_s, step=step, due_s=at_s, call_s=at_s, aims=("n1",), targets=("n1",))


BOTH: tuple[Event, ...] = (
    PlanBegun(t_s=1.0, plan={}),
    begun("1", 2.0),
    StepEnded(t_s=3.0, step="1"),
    begun("2", 4.0),
    StepEnded(t_s=5.0, step="2"),
)


def test_it_holds_when_as_many_took_place_as_are_wanted() -> None:
    assert plan_performed(History(BOTH), 2).outcome is Outcome.HOLDS


def test_a_step_that_was_missed_is_named_whatever_the_verdict() -> None:
    missed = StepMissed(t_s=4.0, step="3", due_s=3.5, reason="n2 had no power")
    verdict = plan_performed(History((*BOTH, missed)), 2)
    assert verdict.outcome is Outcome.HOLDS
    assert "n2 had no power" in verdict.evidence[0].text
    assert plan_performed(History((*BOTH, missed)), 3).outcome is Outcome.UNKNOWN


def test_a_step_that_never_ended_did_not_take_place() -> None:
    assert plan_performed(History(BOTH[:-1]), 2).outcome is Outcome.UNKNOWN


def test_an_empty_history_tells_nothing() -> None:
    assert plan_performed(History(()), 0).outcome is Outcome.UNKNOWN
