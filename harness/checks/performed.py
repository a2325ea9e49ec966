"""Whether a plan of faults took place: what never began shows nothing of it."""

from typing import Annotated

import msgspec

from harness.checks.declared import check
from harness.checks.story import clock_of
from harness.checks.verdict import Finding, Verdict, holds, unknown
from harness.events import PlanBegun, StepBegun, StepEnded, StepMissed
from harness.history import History

Count = Annotated[int, msgspec.Meta(ge=0)]


@check
def plan_performed(history: History, at_least: Count) -> Verdict:
    """So many steps of the run's plan began and ended; which were missed, and why, is said in any case."""
    name = "plan_performed"
    if not history.of(PlanBegun):
        return unknown(name, "no plan was begun")
    begun, ended = history.of(StepBegun), {one.step for one in history.of(StepEnded)}
    done = [one for one in begun if one.step in ended]
    clock = clock_of(history)
    evidence = [
        Finding(text=f"step {one.step}, due at {clock.at(one.due_s)}, was missed: {one.reason}", from_s=one.t_s)
        for one in history.of(StepMissed)
    ]
    told = f"{len(done)} of {len(begun) + len(evidence)} steps took place"
    if len(done) < at_least:
        return unknown(name, f"{told}; {at_least} are wanted", evidence)
    return holds(name, told, evidence)
