"""Smaller and simpler plans than one: without parts, shorter, with plainer times, targets and loads. Pure."""

import math
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from harness.plans.plan import AtMoment, LoadOf, OnEvent, Operation, Plan, Step

SHORTEST_S = 0.5
"""Nothing gains by a fault that is shorter than it takes to be noticed."""
_LEAD_S = 1.0
_SHRINK = 0.5


def parts_of(plan: Plan) -> tuple[str, ...]:
    """What can be left out, by name: steps that are healed, operations, loads."""
    steps = [one.name for one in plan.steps if one.for_s is not None]
    return (*steps, *(one.name for one in plan.operations), *(f"load {one.workload}" for one in plan.loads))


def without(plan: Plan, names: Collection[str]) -> Plan | None:
    """Without these parts, and without the time before and after what is left; None where that is nothing."""
    steps = tuple(one for one in plan.steps if one.name not in names)
    operations = tuple(one for one in plan.operations if one.name not in names)
    loads = tuple(one for one in plan.loads if f"load {one.workload}" not in names)
    if not steps and not operations:
        return None
    return _fitted(_begun_early(replace(plan, steps=steps, operations=operations, loads=loads)))


def _begun_early(plan: Plan) -> Plan:
    first_s = min([one.earliest_s for one in plan.steps] + [one.at_s for one in plan.operations], default=0.0)
    return _moved(plan, from_s=first_s, by_s=_LEAD_S - first_s) if first_s > _LEAD_S else plan


def shorter(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Everything earlier, windows shorter: what makes each further run quicker comes first."""
    if (early := _begun_early(plan)) != plan:
        yield "all of it earlier", _fitted(early)
    for name, before_s, gap_s in _gaps(plan):
        yield f"the gap before {name} closed", _fitted(_moved(plan, from_s=before_s, by_s=-gap_s))
    for step in plan.steps:
        if step.for_s is not None and step.for_s > SHORTEST_S:
            yield f"{step.name} shorter", _fitted(_with(plan, replace(step, for_s=_half(step.for_s))))
    for operation in plan.operations:
        if operation.for_s > SHORTEST_S:
            made = replace(operation, for_s=_half(operation.for_s))
            yield f"{operation.name} shorter", _fitted(_with_operation(plan, made))
    if _fitted(plan).length_s < plan.length_s:
        yield "no longer than its steps", _fitted(plan)


def simpler(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Plainer: fewer targets, round times, whole amounts, moments instead of events, smaller loads."""
    for step in plan.steps:
        yield from _plainer_targets(plan, step)
        if isinstance(step.start, OnEvent):
            yield f"{step.name} at a moment", _with(plan, replace(step, start=AtMoment(step.start.from_s)))
        elif (rounded := _round(step.start.at_s)) != step.start.at_s:
            yield f"{step.name} at a round time", _fitted(_with(plan, replace(step, start=AtMoment(rounded))))
        if step.for_s is not None and (rounded := _round(step.for_s)) != step.for_s:
            yield f"{step.name} for a round time", _fitted(_with(plan, replace(step, for_s=rounded)))
        for name in sorted(step.parameters):
            rest = {one: value for one, value in step.parameters.items() if one != name}
            yield f"{step.name} with its usual {name}", _with(plan, replace(step, parameters=rest))
    for place, load in enumerate(plan.loads):
        if load.rate_per_s > 1:
            less = LoadOf(load.workload, max(1.0, float(round(load.rate_per_s * _SHRINK))))
            loads = (*plan.loads[:place], less, *plan.loads[place + 1 :])
            yield f"less of {load.workload}", replace(plan, loads=loads)


def _plainer_targets(plan: Plan, step: Step) -> Iterator[tuple[str, Plan]]:
    """Each of several targets left out."""
    for place, words in enumerate(step.aims):
        several = words.split(",")
        for name in several if len(several) > 1 else ():
            fewer = ",".join(one for one in several if one != name)
            aims = (*step.aims[:place], fewer, *step.aims[place + 1 :])
            yield f"{step.name} without {name}", _with(plan, replace(step, aims=aims))


def _gaps(plan: Plan) -> Iterator[tuple[str, float, float]]:
    """Stretches in which nothing is due and all is healed: what comes next, when, and by how much to close it."""
    spans = [(one.earliest_s, one.over_s, one.name) for one in plan.steps]
    spans += [(one.at_s, one.at_s + one.for_s, one.name) for one in plan.operations]
    over_s = 0.0
    for from_s, until_s, name in sorted(spans):
        if over_s and from_s - over_s > _LEAD_S:
            yield name, from_s, round(from_s - over_s - _LEAD_S, 3)
        over_s = max(over_s, until_s)


def _moved(plan: Plan, *, from_s: float, by_s: float) -> Plan:
    """Everything that begins at or after an instant, by so much."""
    steps = tuple(_step_moved(one, by_s) if one.earliest_s >= from_s else one for one in plan.steps)
    operations = tuple(
        replace(one, at_s=round(one.at_s + by_s, 3)) if one.at_s >= from_s else one for one in plan.operations
    )
    return replace(plan, steps=steps, operations=operations)


def _step_moved(step: Step, by_s: float) -> Step:
    if isinstance(step.start, AtMoment):
        return replace(step, start=AtMoment(max(0.0, round(step.start.at_s + by_s, 3))))
    start = step.start
    moved = [max(0.0, round(at_s + by_s, 3)) for at_s in (start.from_s, start.until_s)]
    return replace(step, start=OnEvent(start.event, *moved))


def _fitted(plan: Plan) -> Plan:
    """As long as its steps need."""
    ends = [one.latest_s if one.for_s is None else one.over_s for one in plan.steps]
    ends += [one.at_s + one.for_s for one in plan.operations]
    return replace(plan, length_s=float(math.ceil(max(ends, default=1.0))))


def _with(plan: Plan, step: Step) -> Plan:
    return replace(plan, steps=tuple(step if one.name == step.name else one for one in plan.steps))


def _with_operation(plan: Plan, operation: Operation) -> Plan:
    operations = tuple(operation if one.name == operation.name else one for one in plan.operations)
    return replace(plan, operations=operations)


def _half(for_s: float) -> float:
    return max(SHORTEST_S, round(for_s * _SHRINK, 2))


def _round(at_s: float) -> float:
    """To half a second, rather later than earlier than what it was: never 0."""
    return max(SHORTEST_S, math.ceil(at_s * 2) / 2)
