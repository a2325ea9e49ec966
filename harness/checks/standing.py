"""Checks that every run is judged by, whatever its scenario expects: of the harness itself, and of its subjects."""

from collections.abc import Iterator, Mapping

import numpy as np

from harness.checks.declared import check
from harness.checks.durability import writes_of
from harness.checks.expected import EVERY_ADDRESS, Expected, each_address
from harness.checks.intervals import Interval, Spans, difference, union
from harness.checks.story import clock_of, duration, electorate, end_s, fault_windows
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import (
    AddressAdded,
    Expectation,
    HarnessFailed,
    Json,
    LeftoversSeen,
    MembershipSeen,
    NodeStarted,
    NodeStopped,
    ObserverStalled,
    RunEnded,
    RunStarted,
    SubjectSaid,
    WatchEnded,
    WatchStarted,
)
from harness.history import History
from harness.operations import OK

STANDING_BEFORE_3 = (
    each_address("one_holder"),
    each_address("never_without_quorum"),
    Expected("nothing_lost"),
    Expected("loop_not_blocked", {"limit_s": 0.2}),
    Expected("agree_afterwards"),
)
"""What histories before format 3, which do not say it, are judged by."""
CONFESSING = 2
"""The format of histories from which on the stack says in its log what blocked its loop."""
GRACE_S = 2.0
"""A node that gains or loses power is watched a moment later, or a moment less."""


@check
def fault_bit(history: History) -> Verdict:
    """Every fault that was injected took effect, seen from outside, and was healed."""
    name = "fault_bit"
    if not history:
        return unknown(name, "the history is empty")
    windows = fault_windows(history)
    evidence = []
    for window in windows:
        if window.without_effect is not None:
            evidence.append(
                Finding(text=f"{window.label} had no effect: {window.without_effect}", from_s=window.injected_s)
            )
        elif window.effective_s is None:
            evidence.append(Finding(text=f"{window.label} was never shown to take effect", from_s=window.injected_s))
        elif window.healed_s is None:
            evidence.append(Finding(text=f"{window.label} was never shown to be healed", from_s=window.injected_s))
    if evidence:
        return unknown(name, f"{len(evidence)} of {len(windows)} faults prove nothing", evidence)
    if not windows:
        return holds(name, "the scenario injected no fault")
    return holds(name, f"each of {len(windows)} faults took effect and was healed, as seen from outside")


@check
def nothing_left_behind(history: History) -> Verdict:
    """After the run nothing of it is on the host."""
    name = "nothing_left_behind"
    seen = history.of(LeftoversSeen)
    if not seen:
        return unknown(name, "nobody looked for what the run left behind")
    if seen[-1].leftovers:
        found = [Finding(text=left, events=(seen[-1],)) for left in seen[-1].leftovers]
        return violated(name, f"{len(found)} things were left on the host", found)
    return holds(name, "nothing of the run is left on the host")


@check
def body_passed(history: History) -> Verdict:
    """The scenario went through to its last line."""
    name = "body_passed"
    ended = history.of(RunEnded)
    if not ended:
        return unknown(name, "the run was cut short: it has no end")
    last = ended[-1]
    if last.outcome == "passed":
        return holds(name, "the scenario went through to its last line")
    if last.outcome == "failed":
        return violated(name, last.reason or "the scenario failed")
    return unknown(name, last.reason or "the harness could not tell")


@check
def harness_worked(history: History) -> Verdict:
    """The harness did its own part to the end."""
    name = "harness_worked"
    failures = history.of(HarnessFailed)
    if failures:
        clock = clock_of(history)
        evidence = [
            Finding(text=f"{clock.at(one.t_s)}, {one.doing}: {one.error}", from_s=one.t_s, events=(one,))
            for one in failures
        ]
        return unknown(name, f"{failures[0].doing}: {failures[0].error.splitlines()[-1]}", evidence)
    if not history.of(LeftoversSeen):
        return unknown(name, "the run was not brought to its end")
    return holds(name, "the harness did its part to the end")


@check
def probes_were_watching(history: History) -> Verdict:
    """The addresses of every node were watched while it had power."""
    name = "probes_were_watching"
    people, last_s, clock = electorate(history), end_s(history), clock_of(history)
    if not history.of(WatchStarted):
        return unknown(name, "no observer said that it was watching")
    if not people.nodes:
        return unknown(name, "the history has no topology to say who had to be watched")
    evidence = []
    for node in sorted(people.nodes):
        watched = _watched(history, "addresses", node, last_s)
        for life in _lives(history, node, last_s):
            for gap in difference((life,), watched):
                if gap.length_s > GRACE_S:
                    text = f"{node} was not watched from {clock.at(gap.start_s)} until {clock.at(gap.end_s)}"
                    evidence.append(Finding(text=text, from_s=gap.start_s, until_s=gap.end_s, nodes=(node,)))
    if evidence:
        return unknown(name, "what was not watched may have happened", evidence)
    stalls = [stall.gap_s for stall in history.of(ObserverStalled)]
    stalled = f"; the observer stalled {len(stalls)} times, {duration(max(stalls))} at most" if stalls else ""
    return holds(name, f"all {len(people.nodes)} nodes were watched as long as they had power{stalled}")


def _watched(history: History, what: str, target: str, last_s: float) -> Spans:
    spans: list[Interval] = []
    since_s: float | None = None
    for event in history.of(WatchStarted, WatchEnded):
        if not isinstance(event, WatchStarted | WatchEnded) or (event.what, event.target) != (what, target):
            continue
        if isinstance(event, WatchStarted):
            since_s = event.t_s if since_s is None else since_s
        elif since_s is not None:
            spans.append(Interval(since_s, event.t_s))
            since_s = None
    if since_s is not None:
        spans.append(Interval(since_s, last_s))
    return union(spans)


def _lives(history: History, node: str, last_s: float) -> Iterator[Interval]:
    """When a node had power, each with a moment's grace at its start; without power events, all the time."""
    power = [
        e for e in history.of(NodeStarted, NodeStopped) if isinstance(e, NodeStarted | NodeStopped) and e.node == node
    ]
    if not power:
        yield Interval(history.first_s, last_s)
    since_s: float | None = None
    for event in power:
        if isinstance(event, NodeStarted):
            since_s = event.t_s
        elif since_s is not None:
            yield Interval(since_s, min(event.t_s, last_s))
            since_s = None
    if since_s is not None:
        yield Interval(since_s, last_s)


def standing_expectations(history: History) -> tuple[Expectation, ...]:
    """What every run is judged by: the harness's own conduct, and what its subjects promise of what was seen in it."""
    checks: list[tuple[str, dict[str, Json]]] = [
        ("body_passed", {}),
        ("fault_bit", {}),
        ("probes_were_watching", {}),
        ("nothing_left_behind", {}),
    ]
    of_subjects = _of_subjects(history)
    for address in sorted({event.address for event in history.of(AddressAdded)}):
        checks += [(check, {**given, "address": address}) for check, given in of_subjects if _of_addresses(given)]
    if history.of(HarnessFailed):
        checks.append(("harness_worked", {}))
    checks += [(check, given) for check, given in of_subjects if not _of_addresses(given) and _concerns(check, history)]
    return tuple(Expectation(t_s=history.last_s, check=check, arguments=arguments) for check, arguments in checks)


def _of_subjects(history: History) -> tuple[tuple[str, dict[str, Json]], ...]:
    for started in history.of(RunStarted):
        if started.standing is not None:
            return tuple(started.standing.items())
    return tuple((one.check, one.arguments) for one in STANDING_BEFORE_3)


def _of_addresses(arguments: Mapping[str, Json]) -> bool:
    return arguments.get("address") == EVERY_ADDRESS


def _concerns(check: str, history: History) -> bool:
    """Whether there is anything in a run that the check could judge: where nothing was written, nothing can be lost."""
    match check:
        case "nothing_lost":
            return bool(np.any(writes_of(history).outcome == OK))
        case "loop_not_blocked":
            confesses = any(started.format >= CONFESSING for started in history.of(RunStarted))
            return confesses and bool(history.of(SubjectSaid))
        case "agree_afterwards":
            return bool(history.of(MembershipSeen))
    return True
