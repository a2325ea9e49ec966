"""What a plan must not have: steps that are there at once, and take each other's proof away."""

from collections.abc import Mapping

from harness.plans.offers import Offer, footprint
from harness.plans.plan import Plan
from harness.topology import Topology


def overlapping_spoilers(plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> tuple[tuple[str, str], ...]:
    """Pairs of steps that may be there at once, and take each other's proof away."""
    found = []
    for place, one in enumerate(plan.steps):
        for other in plan.steps[place + 1 :]:
            at_once = one.earliest_s < other.over_s and other.earliest_s < one.over_s
            prints = [footprint(offers[step.fault], step.aims, topology) for step in (one, other)]
            if at_once and prints[0].spoils(prints[1]):
                found.append((one.name, other.name))
    return tuple(found)
