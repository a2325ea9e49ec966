"""Plans that cover pairs: every fault on every role, in every phase, in the few steps of a covering array. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from random import Random

from covertable import make

from harness.errors import UsageError
from harness.plans.coverage import PHASES, ROLES, Pair, pairs_of, possible
from harness.plans.drawing import LEAD_S, Setting, Sheet
from harness.plans.offers import Offer, by_name
from harness.plans.plan import AtMoment, OnEvent, Plan, Quiet, Step

STEP_S = 3.0
ROW_S = 11.0
"""One row: what brings the phase about, the fault itself, and a calm in which all becomes settled again."""
_PROVOKED_S = 2.0
_DISTURBING = "resolver-dead"
"""There beside another fault it spoils nothing, and is a fault all the same."""
_TAKING_OVER = "kill"
_LEVELS = {"role": ROLES, "phase": PHASES}
Row = Mapping[str, str]


def levels_of(offers: Sequence[Offer]) -> dict[str, tuple[str, ...]]:
    """What is combined: those faults that are aimed at nodes, sites or nothing, and their roles and phases."""
    return {"fault": tuple(one.name for one in offers if _rolled(one)), **_LEVELS}


def wanted_pairs(offers: Sequence[Offer]) -> tuple[Pair, ...]:
    """Every pair that can be had with these faults."""
    known = by_name(offers)
    return tuple(pair for pair in pairs_of(levels_of(offers)) if _fits(dict(pair), known))


def rows(offers: Sequence[Offer], seed: int, seen: Collection[Pair] = ()) -> tuple[Row, ...]:
    """Rows that have every pair; without those that show nothing but what was seen already."""
    known = by_name(offers)
    levels = levels_of(offers)
    if not levels["fault"]:
        raise UsageError("none of the chosen faults is aimed at nodes or sites: there are no pairs to cover")
    constraints = [
        {"operator": "fn", "requires": list(names), "evaluate": lambda row: possible(row) and _fits(row, known)}
        for names in (("role", "phase"), ("fault", "role"), ("fault", "phase"))
    ]
    made: list[Row] = make(levels, salt=str(seed), constraints=constraints)
    found, left = [], {*wanted_pairs(offers)} - {*seen}
    for row in made:
        mine = {((one, row[one]), (other, row[other])) for one, other in combinations(levels, 2)}
        if mine & left:
            found.append(row)
            left -= mine
    return tuple(found)


def plans(setting: Setting, seed: int, seen: Collection[Pair] = ()) -> Iterator[Plan]:
    """Plans of the length of the setting, which together have every pair that was not seen."""
    if not setting.topology.vips:
        raise UsageError("roles are those of who holds an address, and the topology has none")
    per_plan = int((setting.length_s - LEAD_S) // ROW_S)
    if per_plan < 1:
        raise UsageError(f"a plan that covers pairs lasts {LEAD_S + ROW_S:g} s at least")
    known = by_name(setting.offers)
    todo = rows([one for one in setting.offers if one.drawable], seed, seen)
    for number, first in enumerate(range(0, len(todo), per_plan)):
        sheet = Sheet(setting, Random(f"cover/{seed}/{number}"))
        steps = [
            step
            for place, row in enumerate(todo[first : first + per_plan])
            for step in _steps(sheet, row, known[row["fault"]], LEAD_S + place * ROW_S, place + 1)
        ]
        length_s = max(one.over_s for one in steps)
        yield Plan(
            seed=seed,
            topology=setting.topology_name,
            engine=setting.engine,
            length_s=length_s,
            steps=tuple(steps),
            end=Quiet(setting.within_s),
            generator="cover-pairs",
            loads=setting.loads,
        )


def _steps(sheet: Sheet, row: Row, offer: Offer, at_s: float, number: int) -> Iterator[Step]:
    """What brings the phase about, if anything, and the fault of the row."""
    vip = sheet.setting.topology.vips[0].name
    aims = _aims(row["role"], offer, vip)
    parameters = sheet.parameters(offer, STEP_S)
    start: AtMoment | OnEvent = AtMoment(at_s)
    match row["phase"]:
        case "under another fault":
            other = f"follower:{vip}" if row["role"] == "holder" else f"holder:{vip}"
            yield Step(f"{number}-before", _DISTURBING, (other,), AtMoment(at_s), _PROVOKED_S + STEP_S)
            start = AtMoment(at_s + 1.0)
        case "electing":
            yield Step(f"{number}-before", _TAKING_OVER, (f"holder:{vip}",), AtMoment(at_s), _PROVOKED_S)
            start = OnEvent("holder-lost", at_s, at_s + _PROVOKED_S)
        case "recovering":
            yield Step(f"{number}-before", _TAKING_OVER, (f"holder:{vip}",), AtMoment(at_s), _PROVOKED_S)
            start = AtMoment(at_s + _PROVOKED_S + 1.0)
    yield Step(str(number), offer.name, aims, start, STEP_S, parameters)


def _aims(role: str, offer: Offer, vip: str) -> tuple[str, ...]:
    if not offer.aims:
        return ()
    return ("any" if role == "nobody holds" else f"{role}:{vip}",)


def _rolled(offer: Offer) -> bool:
    return offer.drawable and offer.aims in ((), ("nodes",), ("sites",))


def _fits(values: Mapping[str, str], known: Mapping[str, Offer]) -> bool:
    """Whether a fault can have a role: one that is aimed at no node has none, and it cannot wait for one."""
    if "fault" not in values:
        return True
    aimed = bool(known[values["fault"]].aims)
    if "role" in values and (values["role"] == "network") == aimed:
        return False
    return aimed or values.get("phase") != "electing"
