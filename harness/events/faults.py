"""Faults, from the first word to the proof that they are gone; and the plans that bring them about."""

from typing import Any

from msgspec import field

from harness.events.event import Event


class FaultInjected(Event, frozen=True, kw_only=True):
    """A fault is about to be injected (journalled before it acts)."""

    fault_id: str
    fault: str
    targets: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    """What it was told besides whom to hit. Missing in histories of before."""


class FaultEffective(Event, frozen=True, kw_only=True):
    """The call that injects returned at ``t_s``; seen from outside, the fault bites."""

    fault_id: str
    call_s: float
    evidence: str


class FaultWithoutEffect(Event, frozen=True, kw_only=True):
    """A fault that could not be shown to bite: the run is inconclusive."""

    fault_id: str
    evidence: str


class FaultHealing(Event, frozen=True, kw_only=True):
    """The fault is about to be lifted: from here on its effect may be gone, and is not yet shown to be."""

    fault_id: str


class FaultHealed(Event, frozen=True, kw_only=True):
    """The fault was lifted at ``t_s``, and its effect is gone as seen from outside."""

    fault_id: str
    call_s: float
    evidence: str


class PlanBegun(Event, frozen=True, kw_only=True):
    """A plan of faults begins: its own moments count from here. See :mod:`harness.plans.plan`."""

    plan: dict[str, Any]


class StepBegun(Event, frozen=True, kw_only=True):
    """A step of a plan is in effect: its fault bites, seen from outside (or an operator has done it).

    ``due_s`` is when it was to begin, by the clock or by what was waited for; ``call_s`` when it was begun. ``aims``
    are the roles of its plan as they were at that moment.
    """

    step: str
    due_s: float
    call_s: float
    aims: tuple[str, ...]
    targets: tuple[str, ...]


class StepEnded(Event, frozen=True, kw_only=True):
    """A step of a plan is over, its fault healed, seen from outside."""

    step: str


class StepMissed(Event, frozen=True, kw_only=True):
    """A step of a plan that was never begun: there was nobody to hit, or what it waits for did not happen."""

    step: str
    due_s: float
    reason: str
