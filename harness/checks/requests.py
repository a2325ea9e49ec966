"""Checks of requests through an edge: none is carried out twice, and none is lost but those that a dead backend had.

Requests are numbered by their clients; what backends did with them is in their own notes (:class:`Served`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from harness.checks.consistency.operations import Operations, operations_of
from harness.checks.declared import Seconds, check
from harness.checks.holding import holdings
from harness.checks.intervals import Interval
from harness.checks.story import FaultWindow, clock_of, electorate, fault_windows
from harness.checks.verdict import MAX_FINDINGS, Finding, Verdict, holds, unknown, violated
from harness.events import RunStarted, Served
from harness.history import History
from harness.operations import FAILED, OK, UNKNOWN

METHODS = ("GET", "POST")
NEVER_S = float("inf")


@dataclass(slots=True)
class Notes:
    """What one backend noted of a request."""

    begun_s: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)


def times_begun(by: "Mapping[str, Notes]") -> int:
    """How often backends began a request, all together."""
    return sum(len(notes.begun_s) for notes in by.values())


Noted = Mapping[int, Mapping[str, Notes]]
"""Number of the request -> backend -> its notes."""


@check
def posts_executed_once(history: History) -> Verdict:
    """A POST that was answered well was carried out once, one whose outcome is unknown once at most, any other never.

    Where a power cut takes what was not synced, a note may be gone with it: there a missing one says nothing.
    """
    name = "posts_executed_once"
    posts, noted = _requests(history, "POST"), noted_of(history)
    if len(np.unique(posts.argument)) < len(posts):
        return unknown(name, "some requests have the same number, so nobody can tell whose notes are whose")
    acknowledged = int(np.count_nonzero(posts.outcome == OK))
    if not acknowledged:
        return unknown(name, f"none of {len(posts)} POSTs was answered well")
    if not noted:
        return unknown(name, f"{acknowledged} POSTs were answered well, and no backend's notes were taken")
    notes_may_be_gone = any(run.loses_unsynced_writes for run in history.of(RunStarted))
    wrong: list[Finding] = []
    for row, (number, outcome) in enumerate(zip(posts.argument.tolist(), posts.outcome.tolist(), strict=True)):
        by = noted.get(number, {})
        times = times_begun(by)
        if times > 1:
            wrong.append(_finding(posts, row, f"was carried out {times} times", by))
        elif times == 0 and outcome == OK and not notes_may_be_gone:
            wrong.append(_finding(posts, row, "was answered well, and nobody carried it out", by))
        elif times == 1 and outcome == FAILED:
            wrong.append(_finding(posts, row, "was carried out, and its client was told that it was not", by))
    if wrong:
        return violated(name, f"{len(wrong)} of {len(posts)} POSTs went wrong", wrong[:MAX_FINDINGS])
    return holds(name, f"{acknowledged} POSTs were answered well, each carried out once")


@check
def requests_failed_at_most_in_flight(
    history: History, noticed_within_s: Seconds = 1.0, address: str | None = None
) -> Verdict:
    """Every request is answered well, but for POSTs that were on their way to a backend when a fault came over it.

    That is one that a backend of that fault, or of its site, had noted and not answered, or that nobody noted: lost on
    the way. Nobody can know then whether to ask another one. Once the fault is ``noticed_within_s`` old no POST may be
    sent there any more. A GET can always be asked of another one, so none may fail.

    Where visitors come by a virtual ``address``, whatever was under way when it moved to another edge may fail as well,
    of any method: what the edge before had of it, nobody else knows. So may, for ``noticed_within_s`` more, what was
    sent on a connection to it.
    """
    name = "requests_failed_at_most_in_flight"
    noted, site_of, windows = noted_of(history), electorate(history).site_of, fault_windows(history)
    moved = () if address is None else _moves(history, address, noticed_within_s)
    sent, excused, wrong = 0, 0, list[Finding]()
    for method in METHODS:
        requests = _requests(history, method)
        sent += len(requests)
        for row in np.flatnonzero(requests.outcome != OK).tolist():
            by = noted.get(int(requests.argument[row]), {})
            sent_s = float(requests.invoked_s[row])
            if any(one.overlap(Interval(sent_s, float(requests.completed_s[row]))) for one in moved):
                excused += 1
                continue
            if method == "POST" and requests.outcome[row] == UNKNOWN:
                fresh = [one for one in windows if sent_s <= one.injected_s + noticed_within_s]
                lost = not by and any(one.injected_s - noticed_within_s <= sent_s for one in fresh)
                if lost or any(_in_flight(one, sent_s, by[one], fresh, site_of) for one in by):
                    excused += 1
                    continue
            wrong.append(_finding(requests, row, "was not answered well", by))
    if not sent:
        return unknown(name, "no request was sent")
    if not noted:
        return unknown(name, f"{sent} requests were sent, and no backend's notes were taken")
    if wrong:
        clock = clock_of(history)
        wrong.sort(key=lambda one: one.from_s or 0.0)
        first = clock.at(wrong[0].from_s or 0.0)
        return violated(name, f"{len(wrong)} of {sent} requests failed, the first at {first}", wrong[:MAX_FINDINGS])
    where = "a backend was lost" if address is None else "a backend was lost or the address moved"
    return holds(name, f"of {sent} requests failed {excused}, all on their way when {where}")


def _moves(history: History, address: str, noticed_within_s: float) -> tuple[Interval, ...]:
    """From when a node no longer held the address until connections to it are known to be of no use any more."""
    return tuple(
        Interval(min(first.end_s, then.start_s), max(first.end_s, then.start_s) + noticed_within_s)
        for first, then in pairwise(holdings(history, address))
        if first.node != then.node
    )


def _requests(history: History, method: str) -> Operations:
    operations = operations_of(history, None)
    return operations.take(operations.is_(method))


def noted_of(history: History) -> Noted:
    """What backends noted of every request."""
    found: dict[int, dict[str, Notes]] = {}
    for one in history.of(Served):
        notes = found.setdefault(one.request, {}).setdefault(one.node, Notes())
        (notes.answered_s if one.answered else notes.begun_s).append(one.t_s)
    return found


def _in_flight(
    node: str, sent_s: float, notes: Notes, windows: Sequence[FaultWindow], site_of: Mapping[str, str]
) -> bool:
    """Whether a fault was at work on a backend, or on its site, after the request was sent and before its answer.

    What was sent to a frozen backend is noted by it when it thaws.
    """
    answered_s = min(notes.answered_s, default=NEVER_S)
    return any(
        window.injected_s <= answered_s and sent_s <= (NEVER_S if window.healed_s is None else window.healed_s)
        for window in windows
        if node in window.targets or site_of.get(node) in window.targets
    )


def _finding(requests: Operations, row: int, what: str, by: Mapping[str, Notes]) -> Finding:
    one = requests.row(row)
    where = ", ".join(sorted(by)) or "no backend"
    return Finding(
        text=f"{one.function} {one.argument} (process {one.process}) {what}; noted by {where}",
        from_s=one.invoked_s,
        until_s=one.completed_s,
        nodes=tuple(sorted(by)),
        events=one.events,
    )
