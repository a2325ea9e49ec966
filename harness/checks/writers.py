"""Checks of services that must never run twice, by what they write to a place outside of the cluster."""

from itertools import pairwise

from harness.checks.declared import Seconds, check
from harness.checks.story import clock_of, cut_short, duration, in_hand_until_s
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import ServiceWrote
from harness.history import History

RESOLUTION_S = 0.001
"""Lines of two connections that are read in one go may be stamped in the wrong order, this much apart at most."""


@check
def one_writer(history: History, service: str) -> Verdict:
    """No two nodes write in turns: the one has written for the last time before the other writes for the first.

    A connection stands for one run of the service on one node.
    """
    name = "one_writer"
    runs = _runs(history, service)
    if not runs:
        return unknown(name, f"{service} never wrote anything")
    findings = [
        _both(history, first, second)
        for position, first in enumerate(runs)
        for second in runs[position + 1 :]
        if second[0].node != first[0].node and second[0].t_s < first[-1].t_s - RESOLUTION_S
    ]
    if findings:
        return violated(name, f"{service} ran on two nodes at a time", findings)
    nodes = ", ".join(sorted({run[0].node for run in runs}))
    return holds(name, f"{service} never ran on two nodes at a time ({len(runs)} runs, on {nodes})")


def _runs(history: History, service: str) -> list[list[ServiceWrote]]:
    """The writes of each connection, by the time of the first."""
    runs: dict[int, list[ServiceWrote]] = {}
    for event in history.of(ServiceWrote):
        if event.service == service:
            runs.setdefault(event.connection, []).append(event)
    return list(runs.values())


def _both(history: History, first: list[ServiceWrote], second: list[ServiceWrote]) -> Finding:
    clock = clock_of(history)
    until_s = min(first[-1].t_s, second[-1].t_s)
    return Finding(
        text=f"{second[0].node} began to write at {clock.at(second[0].t_s)}, and {first[0].node} still wrote at "
        f"{clock.at(first[-1].t_s)}",
        from_s=second[0].t_s,
        until_s=max(until_s, second[0].t_s),
        nodes=(first[0].node, second[0].node),
        events=(first[0], second[0], first[-1]),
    )


@check
def writing_gap_at_most(history: History, service: str, limit_s: Seconds) -> Verdict:
    """The service is never silent for longer than ``limit_s``, from its first write to the end of the scenario."""
    name = "writing_gap_at_most"
    writes = [event for event in history.of(ServiceWrote) if event.service == service]
    if len(writes) < 2:
        return unknown(name, f"{service} wrote {len(writes)} times")
    clock, until_s = clock_of(history), in_hand_until_s(history)
    before, after = max(pairwise(writes), key=lambda both: both[1].t_s - both[0].t_s)
    gap_s = after.t_s - before.t_s
    text = f"silent from {clock.at(before.t_s)} ({before.node}) until {clock.at(after.t_s)} ({after.node})"
    if until_s - writes[-1].t_s > gap_s and not cut_short(history):
        before = after = writes[-1]
        gap_s = until_s - before.t_s
        text = f"silent from {clock.at(before.t_s)} ({before.node}) to the end"
    summary = f"{service} was silent for {duration(gap_s)} at most"
    finding = Finding(
        text=text,
        from_s=before.t_s,
        until_s=before.t_s + gap_s,
        nodes=tuple(dict.fromkeys((before.node, after.node))),
        events=tuple(dict.fromkeys((before, after))),
    )
    if gap_s > limit_s:
        return violated(name, f"{summary}, more than {duration(limit_s)}", [finding])
    return holds(name, summary, [finding])
