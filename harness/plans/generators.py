"""Plans from a seed: the same seed and setting give the same plan, on any machine. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random

from harness.errors import UsageError
from harness.plans.drawing import LEAD_S, LONGEST_S, NAMED_ONLY, ROLE_WEIGHTS, SHORTEST_S, Setting, Sheet
from harness.plans.offers import SETTLING_S
from harness.plans.plan import AtMoment, Liveness, Plan, Quiet, Step

SHORTEST_PLAN_S, LONGEST_PLAN_S = 8.0, 6 * 3600.0
"""Longer ones take minutes to draw, and find no more than several that are drawn from other seeds."""
STEP_EVERY_S = 6.0
_TRIES = 40
_ROUNDING_S = 0.2
"""Times are written down in tenths of a second."""
_EVENT_SHARE = 0.25
_BURST_S = 8.0
_BURST_STEPS = 4
_LASTING = ("kill", "isolate", "freeze", "unplug")
"""What can stay broken for good: each silences a node whose others go on."""


def uniform(sheet: Sheet) -> None:
    """Faults at any time, of any length, on any node: no role is favoured."""
    _scatter(sheet, max(1, round(sheet.setting.length_s / STEP_EVERY_S)), NAMED_ONLY)


def by_role(sheet: Sheet) -> None:
    """As uniform, but aimed at who has a role at that moment, the holder of an address first of all."""
    _scatter(sheet, max(1, round(sheet.setting.length_s / STEP_EVERY_S)), ROLE_WEIGHTS)


def staircase(sheet: Sheet) -> None:
    """Stairs of equal length, each with one more fault at once than the one before."""
    length_s = sheet.setting.length_s - LEAD_S
    stairs = max(1, min(5, int(length_s // (STEP_EVERY_S + SETTLING_S))))
    stair_s = length_s / stairs
    for stair in range(stairs):
        begin_s = LEAD_S + stair * stair_s
        for _ in range(stair + 1):
            _try(sheet, partial(_aimed, sheet, begin_s, stair_s - SETTLING_S, NAMED_ONLY))


def storm(sheet: Sheet) -> None:
    """Bursts of short faults that overlap, with a calm between them."""
    begin_s = LEAD_S
    while begin_s + SHORTEST_S < sheet.setting.length_s:
        burst_s = min(_BURST_S, sheet.setting.length_s - begin_s)
        for _ in range(_BURST_STEPS):
            _try(sheet, partial(_in_burst, sheet, begin_s, burst_s))
        begin_s += burst_s + SETTLING_S + sheet.random.uniform(0, 3)


def windows(sheet: Sheet) -> None:
    """Windows of equal length with one fault each, which is over before the next begins."""
    count = max(1, int((sheet.setting.length_s - LEAD_S) // (STEP_EVERY_S + SETTLING_S)))
    window_s = (sheet.setting.length_s - LEAD_S) / count
    for number in range(count):
        begin_s = LEAD_S + number * window_s
        _try(sheet, partial(_aimed, sheet, begin_s, window_s - SETTLING_S, ROLE_WEIGHTS))


def rolling(sheet: Sheet) -> None:
    """The same fault on each node in turn, in an order that is drawn."""
    topology = sheet.setting.topology
    nodes = sheet.random.sample(topology.node_names, len(topology.nodes))
    turn_s = (sheet.setting.length_s - LEAD_S) / len(nodes)
    of_nodes = [one for one in sheet.setting.drawable if one.aims == ("nodes",)]
    if turn_s < SHORTEST_S + SETTLING_S + _ROUNDING_S:
        raise UsageError(f"rolling: {sheet.setting.length_s:g} s are too short for {len(nodes)} nodes in turn")
    if not of_nodes:
        raise UsageError("rolling: none of the chosen faults is aimed at nodes")
    offer = sheet.random.choice(of_nodes)
    for place, node in enumerate(nodes):
        begin_s = round(LEAD_S + place * turn_s, 1)
        sheet.add(offer, (node,), AtMoment(begin_s), min(LONGEST_S, turn_s - SETTLING_S - _ROUNDING_S))


GENERATORS: Mapping[str, Callable[[Sheet], None]] = {
    "uniform": uniform,
    "by-role": by_role,
    "staircase": staircase,
    "storm": storm,
    "windows": windows,
    "rolling": rolling,
}


def generate(name: str, seed: int, setting: Setting) -> Plan:
    """The plan of this seed. Raises UsageError for a generator that there is not, and where nothing can be planned."""
    if name not in GENERATORS:
        raise UsageError(f"there is no generator {name}; there are: {', '.join(GENERATORS)}")
    if setting.length_s < SHORTEST_PLAN_S:
        raise UsageError(f"a plan of {setting.length_s:g} s is too short; allowed: {SHORTEST_PLAN_S:g} s and more")
    if setting.length_s > LONGEST_PLAN_S:
        most = f"{LONGEST_PLAN_S:g} s at most; several of other seeds find more"
        raise UsageError(f"a plan of {setting.length_s:g} s is too long; allowed: {most}")
    if not setting.drawable:
        raise UsageError("none of the chosen faults can be aimed by chance: it needs knowledge of the product")
    # What stays broken in the end begins when all else is healed: else it could not be shown to bite.
    spared_s = SETTLING_S + SHORTEST_S if setting.liveness else 0.0
    sheet = Sheet(replace(setting, length_s=setting.length_s - spared_s), Random(f"{name}/{seed}"))
    GENERATORS[name](sheet)
    if not sheet.steps:
        raise UsageError(f"{name} found no room for a single fault in {setting.length_s:g} s: give it longer")
    steps, end = _ending(sheet) if setting.liveness else (sheet.steps, Quiet(setting.within_s))
    return Plan(
        seed=seed,
        topology=setting.topology_name,
        engine=setting.engine,
        length_s=setting.length_s,
        steps=tuple(_in_order(steps)),
        end=end,
        generator=name,
        loads=setting.loads,
    )


def _scatter(sheet: Sheet, count: int, weights: Mapping[str, float]) -> None:
    for _ in range(count):
        _try(sheet, partial(_anywhere, sheet, weights))


def _try(sheet: Sheet, draw: Callable[[], bool]) -> None:
    """Until it fits beside the others, or does not seem to."""
    for _ in range(_TRIES):
        if draw():
            return


def _anywhere(sheet: Sheet, weights: Mapping[str, float]) -> bool:
    offer, for_s = sheet.offer(), sheet.length()
    on_event = bool(sheet.steps) and bool(sheet.setting.topology.vips) and sheet.random.random() < _EVENT_SHARE
    start = sheet.event(for_s) if on_event else sheet.moment(for_s)
    return sheet.add(offer, sheet.aims(offer, weights), start, for_s)


def _aimed(sheet: Sheet, begin_s: float, length_s: float, weights: Mapping[str, float]) -> bool:
    offer = sheet.offer()
    for_s = sheet.random.uniform(SHORTEST_S, max(SHORTEST_S, min(LONGEST_S, length_s)))
    return sheet.add(offer, sheet.aims(offer, weights), sheet.moment(for_s, begin_s, begin_s + length_s), for_s)


def _in_burst(sheet: Sheet, begin_s: float, burst_s: float) -> bool:
    offer = sheet.offer()
    for_s = sheet.random.uniform(SHORTEST_S, max(SHORTEST_S, burst_s * 0.75))
    return sheet.add(offer, sheet.aims(offer, NAMED_ONLY), sheet.moment(for_s, begin_s, begin_s + burst_s), for_s)


def _in_order(steps: list[Step]) -> list[Step]:
    ordered = sorted(steps, key=lambda step: step.earliest_s)
    return [
        Step(str(number), one.fault, one.aims, one.start, one.for_s, one.parameters)
        for number, one in enumerate(ordered, start=1)
    ]


def _ending(sheet: Sheet) -> tuple[list[Step], Liveness]:
    """A smallest majority that is healed; all others break at the end, and stay so."""
    topology, random = sheet.setting.topology, sheet.random
    order = random.sample(topology.node_names, len(topology.nodes))
    healed: list[str] = []
    for name in order:
        if not topology.has_quorum(healed):
            healed.append(name)
    rest = [name for name in topology.node_names if name not in healed]
    offers = [one for one in sheet.setting.offers if one.name in _LASTING]
    if not rest or not offers:
        what = "every vote is needed for a majority" if not rest else f"none of {', '.join(_LASTING)} is chosen"
        raise UsageError(f"nothing can stay broken for good: {what}")
    offer = random.choice(offers)
    last_s = round(sheet.setting.length_s + SETTLING_S, 1)
    lasting = Step("rest", offer.name, (",".join(rest),), AtMoment(last_s), None, sheet.parameters(offer, SHORTEST_S))
    return [*sheet.steps, lasting], Liveness(
        tuple(sorted(healed, key=topology.node_names.index)), sheet.setting.within_s
    )
