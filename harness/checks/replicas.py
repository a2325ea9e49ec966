"""Checks of services that run as several replicas: as many as are wanted, and never two of what may run once.

Replicas say themselves when they run (:class:`ReplicaRan`), again and again; they are no part of what is under test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.declared import Seconds, check
from harness.checks.intervals import Interval
from harness.checks.story import clock_of, duration, end_s, fault_windows, is_whole
from harness.checks.verdict import MAX_FINDINGS, Finding, Verdict, holds, unknown, violated
from harness.events import HarnessFailed, ReplicaRan
from harness.history import History

QUIET_S = 1.0
"""Who has said nothing for so long does not run; a busy machine lets a note wait for less."""


@dataclass(frozen=True, slots=True)
class _Life:
    """One stretch of time in which a replica ran, by its first and its last word."""

    replica: str
    node: str
    first: ReplicaRan
    last: ReplicaRan


@check
def never_twice(history: History, service: str) -> Verdict:
    """No replica of it runs between two moments at which another one ran; two of one name on two nodes are two.

    One that was frozen and goes on after another one has begun counts: it may do anything in the moment it has.
    """
    name = "never_twice"
    lives = _lives(history, service)
    if not lives:
        return unknown(name, f"no replica of {service} ever ran")
    clock = clock_of(history)
    wrong = [
        Finding(
            text=f"{second.replica} on {second.node} ran at {clock.at(second.first.t_s)}, and {first.replica} on "
            f"{first.node} until {clock.at(first.last.t_s)}",
            from_s=second.first.t_s,
            until_s=min(first.last.t_s, second.last.t_s),
            nodes=(first.node, second.node),
            events=(first.first, second.first, first.last),
        )
        for position, first in enumerate(lives)
        for second in lives[position + 1 :]
        if (second.replica, second.node) != (first.replica, first.node) and second.first.t_s <= first.last.t_s
    ]
    if wrong:
        return violated(name, f"{service} ran twice", wrong[:MAX_FINDINGS])
    nodes = ", ".join(sorted({one.node for one in lives}))
    return holds(name, f"{service} never ran twice ({len({one.replica for one in lives})} replicas, on {nodes})")


@check
def replicas_as_desired(history: History, service: str, wanted: int, within_s: Seconds, surge: int = 1) -> Verdict:
    """Once there were as many as wanted, there are never fewer but for ``within_s`` after a fault was injected, and
    never more than with ``surge`` but for ``within_s`` after one was healed; in the end there are exactly as many.

    Of a run that is not whole, the end is the last word of any replica: nobody may have taken their notes after it.
    """
    name = "replicas_as_desired"
    lives = _lives(history, service)
    if not lives:
        return unknown(name, f"no replica of {service} ever ran")
    until_s = end_s(history)
    if not is_whole(history) or history.of(HarnessFailed):
        until_s = min(until_s, max(one.last.t_s for one in lives))
    steps = _counts(lives, until_s)
    reached = next((step.start_s for step, many in steps if many >= wanted), None)
    if reached is None:
        return unknown(name, f"there were never {wanted} replicas of {service}")
    clock, windows = clock_of(history), fault_windows(history)
    # Who is killed has spoken for the last time a moment before.
    excused_few = [Interval(one.injected_s - QUIET_S, one.injected_s + within_s) for one in windows]
    excused_many = [Interval(one.healed_s, one.healed_s + within_s) for one in windows if one.healed_s is not None]
    wrong: list[Finding] = []
    for step, many in steps:
        excused = excused_few if many < wanted else excused_many
        if step.end_s <= reached or wanted <= many <= wanted + surge:
            continue
        left = _outside(Interval(max(step.start_s, reached), step.end_s), excused)
        wrong += [_finding(f"{many} replicas ran instead of {wanted}", one, clock.at(one.start_s)) for one in left]
    last = sum(one.last.t_s >= until_s - QUIET_S for one in lives)
    if last != wanted:
        wrong.append(_finding(f"{last} replicas ran instead of {wanted}", Interval(until_s, until_s), "the end"))
    if wrong:
        return violated(name, f"{service}: {wrong[0].text}", wrong[:MAX_FINDINGS])
    return holds(name, f"{service} had its {wanted} replicas, or had them again within {duration(within_s)}")


def _finding(text: str, when: Interval, where: str) -> Finding:
    return Finding(text=f"{text} for {duration(when.length_s)} from {where}", from_s=when.start_s, until_s=when.end_s)


def _lives(history: History, service: str) -> list[_Life]:
    """Stretches in which replicas ran, by their beginnings; silence longer than ``QUIET_S`` ends one."""
    open_: dict[tuple[str, str], _Life] = {}
    found: list[_Life] = []
    for event in history.of(ReplicaRan):
        if event.service != service:
            continue
        key = (event.replica, event.node)
        before = open_.get(key)
        if before is not None and event.t_s - before.last.t_s <= QUIET_S:
            open_[key] = _Life(event.replica, event.node, before.first, event)
            continue
        if before is not None:
            found.append(before)
        open_[key] = _Life(event.replica, event.node, event, event)
    return sorted([*found, *open_.values()], key=lambda one: one.first.t_s)


def _counts(lives: Sequence[_Life], until_s: float) -> list[tuple[Interval, int]]:
    """How many ran, from change to change. A replica counts until its last word."""
    changes = sorted([(one.first.t_s, 1) for one in lives] + [(one.last.t_s, -1) for one in lives])
    found: list[tuple[Interval, int]] = []
    many = 0
    for (at_s, by), (next_s, _) in zip(changes, [*changes[1:], (until_s, 0)], strict=True):
        many += by
        if next_s > at_s and at_s < until_s - QUIET_S:
            found.append((Interval(at_s, min(next_s, until_s - QUIET_S)), many))
    return found


def _outside(of: Interval, excused: Sequence[Interval]) -> list[Interval]:
    left = [of]
    for cut in excused:
        left = [
            part
            for one in left
            for part in (
                Interval(one.start_s, min(one.end_s, cut.start_s)),
                Interval(max(one.start_s, cut.end_s), one.end_s),
            )
            if part.start_s < part.end_s
        ]
    return left
