"""Checks that every run is judged by, whatever its scenario expects: of the harness itself, and of the product."""

from collections.abc import Iterator

import numpy as np

from harness.checks.durability import writes_of
from harness.checks.intervals import Interval, Spans, difference, union
from harness.checks.story import clock_of, duration, electorate, end_s, fault_windows
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import (
    AddressAdded,
    Expectation,
    HarnessFailed,
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

CONFESSING = 2
"""The format of histories from which on the stack says in its log what blocked its loop."""
BLOCKED_S = 0.2
"""Beside other clusters the kernel makes anybody wait who starts a program or touches new memory, 50 to 100 ms at
worst; names, disks and programs that are waited for take longer. Scenarios that run alone ask for 50 ms."""
GRACE_S = 2.0
"""A node that gains or loses power is watched a moment later, or a moment less."""


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
    """What every run is judged by: the harness's own conduct, and what concerns what was seen in it."""
    t_s = history.last_s
    checks: list[tuple[str, dict[str, str]]] = [
        ("body_passed", {}),
        ("fault_bit", {}),
        ("probes_were_watching", {}),
        ("nothing_left_behind", {}),
    ]
    for address in sorted({event.address for event in history.of(AddressAdded)}):
        checks += [("one_holder", {"address": address}), ("never_without_quorum", {"address": address})]
    if np.any(writes_of(history).outcome == OK):
        checks.append(("nothing_lost", {}))
    if history.of(SubjectSaid) and any(started.format >= CONFESSING for started in history.of(RunStarted)):
        checks.append(("loop_not_blocked", {"limit_s": BLOCKED_S}))
    if history.of(HarnessFailed):
        checks.append(("harness_worked", {}))
    if history.of(MembershipSeen):
        checks.append(("agree_afterwards", {}))
    return tuple(Expectation(t_s=t_s, check=check, arguments=dict(arguments)) for check, arguments in checks)
