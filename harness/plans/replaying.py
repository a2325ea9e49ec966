"""A plan that was performed, as its history has it: which steps took place, on whom, when; and how two runs compare."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from harness.errors import UsageError
from harness.events import PlanBegun, StepBegun, StepEnded, StepMissed
from harness.history import History
from harness.plans.plan import AtMoment, Plan, from_builtins


@dataclass(frozen=True, slots=True)
class Performed:
    """One step of a plan as it was performed. Times are seconds since the plan began."""

    step: str
    due_s: float
    called_s: float
    began_s: float
    """When it was seen to bite."""
    ended_s: float | None
    aims: tuple[str, ...]
    """The very nodes and sites that it was aimed at."""
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """A plan, and what became of it."""

    plan: Plan
    begun_s: float
    """On the clock of the run."""
    steps: tuple[Performed, ...]
    missed: tuple[StepMissed, ...]


def performance_of(history: History, source: str = "the run") -> Performance:
    """What became of a run's plan. Raises UsageError for a run that had none."""
    begun = history.of(PlanBegun)
    if not begun:
        raise UsageError(f"{source} had no plan: only runs of harness chaos, and scenarios that perform one, have")
    zero_s = begun[0].t_s
    ended = {one.step: one.t_s - zero_s for one in history.of(StepEnded)}
    steps = tuple(
        Performed(
            step=one.step,
            due_s=one.due_s - zero_s,
            called_s=one.call_s - zero_s,
            began_s=one.t_s - zero_s,
            ended_s=ended.get(one.step),
            aims=one.aims,
            targets=one.targets,
        )
        for one in history.of(StepBegun)
    )
    return Performance(from_builtins(begun[0].plan, source), zero_s, steps, history.of(StepMissed))


def again(performance: Performance) -> Plan:
    """The plan that repeats it: the same targets by name; at the moments when steps really began, or at their events.

    Steps that were missed are left out: nothing happened then.
    """
    done = {one.step: one for one in performance.steps}
    plan, steps, length_s = performance.plan, [], performance.plan.length_s
    for step in plan.steps:
        if (one := done.get(step.name)) is None:
            continue
        start = AtMoment(max(0.0, round(one.called_s, 3))) if isinstance(step.start, AtMoment) else step.start
        repeated = msgspec.structs.replace(step, aims=one.aims, start=start)
        length_s = max(length_s, repeated.latest_s if step.for_s is None else repeated.over_s)
        steps.append(repeated)
    return msgspec.structs.replace(plan, steps=tuple(steps), length_s=length_s)


def deviations(first: Performance, second: Performance) -> Iterable[tuple[str, float, float]]:
    """Of each step that took place in both: its name, when it began in the first, and how much later in the second."""
    then = {one.step: one for one in first.steps}
    for one in second.steps:
        if one.step in then:
            yield one.step, then[one.step].called_s, one.called_s - then[one.step].called_s
