"""Whether a plan can be performed on a topology: it hits nothing else, within limits, and ends as it says."""

from collections.abc import Iterator, Mapping

from harness.errors import UsageError
from harness.near import meant
from harness.plans.offers import Offer, nodes_meant, unknown_words
from harness.plans.plan import Liveness, OnEvent, Plan, Step
from harness.topology import Topology


def require_sound(plan: Plan, topology: Topology, offers: Mapping[str, Offer], source: str = "plan") -> None:
    """Raise UsageError with everything that is wrong, a line each."""
    if problems := tuple(problems_of(plan, topology, offers)):
        raise UsageError("\n".join(f"{source}: {one}" for one in problems))


def problems_of(plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> Iterator[str]:
    """What is wrong with a plan, in the order of its parts."""
    names = [*(one.name for one in plan.steps), *(one.name for one in plan.operations)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two steps are called {name}: each needs a name of its own"
    for step in plan.steps:
        yield from (f"step {step.name}: {problem}" for problem in _of_step(step, plan, topology, offers))
    for operation in plan.operations:
        if operation.node not in topology.node_names:
            nodes = ", ".join(topology.node_names) + meant(operation.node, topology.node_names)
            yield f"operation {operation.name}: there is no node {operation.node}; there are {nodes}"
        if operation.at_s + operation.for_s > plan.length_s:
            yield f"operation {operation.name}: it ends after the plan, which lasts {plan.length_s:g} s"
    yield from _of_end(plan, topology, offers)


def _of_step(step: Step, plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> Iterator[str]:
    offer = offers.get(step.fault)
    if offer is None:
        yield f"there is no fault {step.fault}; there are {', '.join(offers)}{meant(step.fault, offers)}"
        return
    yield from _of_aims(step, offer, topology)
    options = {one.name: one for one in offer.options}
    for name, value in step.parameters.items():
        if name not in options:
            yield f"{step.fault} takes no {name}; it takes {', '.join(options) or 'nothing'}{meant(name, options)}"
        elif not options[name].allows(value):
            yield f"{name} is {value!r}, which {step.fault} does not allow"
    if isinstance(step.start, OnEvent) and step.start.until_s < step.start.from_s:
        yield "it stops waiting before it begins to"
    if step.latest_s > plan.length_s or (step.for_s is not None and step.over_s > plan.length_s + 1e-9):
        yield f"it ends after the plan, which lasts {plan.length_s:g} s"


def _of_aims(step: Step, offer: Offer, topology: Topology) -> Iterator[str]:
    wanted = len(offer.aims)
    if len(step.aims) < wanted or (len(step.aims) > wanted and not offer.variadic):
        yield f"{step.fault} takes {wanted} aims, and has {len(step.aims)}"
        return
    for place, words in enumerate(step.aims):
        kind = offer.aims[min(place, wanted - 1)]
        for word in unknown_words(kind, words, topology):
            known = (*topology.node_names, *topology.site_names, *(client.name for client in topology.clients))
            nothing = f"{word!r} is nothing of the topology {topology.name} that {step.fault} could be aimed at"
            yield nothing + meant(word, known)


def _of_end(plan: Plan, topology: Topology, offers: Mapping[str, Offer]) -> Iterator[str]:
    lasting = [step for step in plan.steps if step.for_s is None]
    if not isinstance(plan.end, Liveness):
        yield from (
            f"step {step.name}: it stays for good, and the plan ends with everything healed" for step in lasting
        )
        return
    strange = [name for name in plan.end.healed if name not in topology.node_names]
    if strange:
        yield f"the end: {', '.join(strange)} are no nodes of the topology"
        return
    if not topology.has_quorum(plan.end.healed):
        yield f"the end: {', '.join(plan.end.healed) or 'nobody'} have no majority of the votes"
    for step in lasting:
        offer = offers.get(step.fault)
        named = offer is not None and offer.aims == ("nodes",)
        touched = nodes_meant(",".join(step.aims), topology) & set(plan.end.healed) if named else {"it"}
        if touched:
            yield f"step {step.name}: it stays for good, and may hit more than the nodes that stay broken"
