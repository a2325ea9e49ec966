"""What generators draw: targets, parameters, times; all from one seeded stream, within each fault's own limits."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from harness.plans.offers import SETTLING_S, AimKind, Amount, Footprint, Offer, footprint
from harness.plans.plan import AtMoment, EventName, LoadOf, OnEvent, Step, Value
from harness.topology import Topology

SHORTEST_S = 1.0
LONGEST_S = 15.0
LEAD_S = 1.0
"""Before the first fault, so that there is something to break."""
_TIMES_PER_STEP = 4.0
"""A fault that comes and goes does so this often while it lasts, or it might not be seen at all."""
_WIDE = 50.0
EVENTS: tuple[EventName, ...] = ("holder-lost", "holder-moved", "node-returns", "quorum-lost")
ROLE_WEIGHTS: Mapping[str, float] = {"holder": 4.0, "follower": 2.0, "any": 1.0, "named": 1.0}
FAMILY_WEIGHTS: Mapping[str, float] = {"process": 4.0, "network": 4.0, "names": 0.5, "resources": 0.5}
"""What silences nodes or wires is drawn more often than what hardly disturbs a cluster."""
NAMED_ONLY: Mapping[str, float] = {"named": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a plan is drawn for."""

    topology: Topology
    topology_name: str
    engine: str
    offers: tuple[Offer, ...]
    """The faults to choose from."""
    length_s: float
    within_s: float
    """How soon all has to be well after the end."""
    loads: tuple[LoadOf, ...] = ()
    liveness: bool = False

    @property
    def drawable(self) -> tuple[Offer, ...]:
        """Those that chance can aim here."""
        return tuple(one for one in self.offers if one.drawable and _has_targets(one, self.topology))


@dataclass(slots=True)
class Sheet:
    """A plan while it is drawn: steps are taken where they spoil no other's proof."""

    setting: Setting
    random: Random
    steps: list[Step] = field(default_factory=list)
    _taken: list[tuple[float, float, Footprint]] = field(default_factory=list)

    def add(self, offer: Offer, aims: Sequence[str], start: AtMoment | OnEvent, for_s: float) -> bool:
        """Take a step, unless it would be there together with one that it spoils, or end too late."""
        for_s = round(for_s, 1)
        last_s = start.at_s if isinstance(start, AtMoment) else start.until_s
        first_s = start.at_s if isinstance(start, AtMoment) else start.from_s
        over_s = last_s + for_s
        mine = footprint(offer, aims, self.setting.topology)
        if over_s > self.setting.length_s or for_s < SHORTEST_S or self._spoilt(first_s, over_s, mine):
            return False
        self._taken.append((first_s, over_s, mine))
        self.steps.append(
            Step(
                name=str(len(self.steps) + 1),
                fault=offer.name,
                aims=tuple(aims),
                start=start,
                for_s=for_s,
                parameters=self.parameters(offer, for_s),
            )
        )
        return True

    def _spoilt(self, first_s: float, over_s: float, mine: Footprint) -> bool:
        return any(
            first_s < until_s + SETTLING_S and from_s < over_s + SETTLING_S and mine.spoils(other)
            for from_s, until_s, other in self._taken
        )

    def offer(self) -> Offer:
        """A fault: a family first, then one of it, so that many cuts do not drown the rest."""
        families = sorted({one.family for one in self.setting.drawable})
        (family,) = self.random.choices(families, [FAMILY_WEIGHTS.get(one, 1.0) for one in families])
        return self.random.choice([one for one in self.setting.drawable if one.family == family])

    def aims(self, offer: Offer, weights: Mapping[str, float] = ROLE_WEIGHTS) -> tuple[str, ...]:
        """Whom to hit, each aim by itself; two ends are never the same."""
        if offer.variadic:
            return self._groups()
        found: list[str] = []
        for kind in offer.aims:
            word = self._word(kind, weights)
            while word in found:
                word = self._word(kind, weights)
            found.append(word)
        return tuple(found)

    def _groups(self) -> tuple[str, ...]:
        names = self.random.sample(self.setting.topology.node_names, len(self.setting.topology.node_names))
        at = self.random.randrange(1, len(names))
        return ",".join(sorted(names[:at])), ",".join(sorted(names[at:]))

    def _word(self, kind: AimKind, weights: Mapping[str, float]) -> str:
        topology, random = self.setting.topology, self.random
        if kind == "endpoint":
            return random.choice(topology.endpoints)
        if kind == "vip":
            return random.choice(topology.vips).name
        has_vip = bool(topology.vips)
        roles = {role: weight for role, weight in weights.items() if has_vip or role in ("any", "named")}
        (role,) = random.choices(list(roles), list(roles.values()))
        if role in ("holder", "follower"):
            return f"{role}:{random.choice(topology.vips).name}"
        if role == "any":
            return "any"
        return random.choice(topology.site_names if kind == "sites" else topology.node_names)

    def parameters(self, offer: Offer, for_s: float) -> dict[str, Value]:
        """How much of it, within the fault's limits; what takes time takes no more than the step has."""
        found: dict[str, Value] = {}
        for one in offer.options:
            found[one.name] = self._amount(one, for_s) if isinstance(one, Amount) else self.random.choice(one.words)
        return found

    def _amount(self, one: Amount, for_s: float) -> Value:
        low, high = one.at_least, one.at_most
        if one.unit == "s":
            high = max(low, min(high, for_s / _TIMES_PER_STEP))
        if low > 0 and high / low >= _WIDE:  # over orders of magnitude each is as likely as the next
            value = math.exp(self.random.uniform(math.log(low), math.log(high)))
        else:
            value = self.random.uniform(low, high)
        value = round(value) if one.whole else float(f"{value:.2g}")
        return min(max(value, math.ceil(low) if one.whole else low), math.floor(high) if one.whole else high)

    def length(self, longest_s: float = LONGEST_S) -> float:
        """How long a fault lasts."""
        return self.random.uniform(SHORTEST_S, max(SHORTEST_S, min(longest_s, self.setting.length_s / 3)))

    def moment(self, for_s: float, from_s: float = LEAD_S, until_s: float | None = None) -> AtMoment:
        """When it begins, so that it is over in time."""
        last_s = (self.setting.length_s if until_s is None else until_s) - for_s
        return AtMoment(round(self.random.uniform(from_s, max(from_s, last_s)), 1))

    def event(self, for_s: float) -> OnEvent:
        """An event to wait for, over some part of the plan."""
        moment = self.moment(for_s).at_s
        last_s = max(moment, self.setting.length_s - for_s)
        until_s = min(last_s, moment + self.setting.length_s / 4)
        return OnEvent(self.random.choice(EVENTS), moment, round(until_s - 0.05, 1) if until_s > moment else moment)


def _has_targets(offer: Offer, topology: Topology) -> bool:
    """Whether there is one for each aim: two ends are never the same."""
    if offer.variadic or not offer.aims:
        return len(topology.nodes) > 1
    there_are: dict[AimKind, int] = {
        "nodes": len(topology.nodes),
        "sites": len(topology.sites),
        "endpoint": len(topology.endpoints),
        "vip": len(topology.vips),
    }
    return all(offer.aims.count(kind) <= there_are.get(kind, 0) for kind in offer.aims)
