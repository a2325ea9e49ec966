"""The check of how soon operations were answered, counted from when each was due."""

import math

import numpy as np

from harness.checks.consistency.operations import Floats, operations_of
from harness.checks.declared import Seconds, Share, check
from harness.checks.story import duration, is_whole
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.history import History
from harness.operations import OK

_TOLD = (0.5, 0.99)


@check
def answered_within(history: History, limit_s: Seconds, share: Share = 0.99, key: str | None = None) -> Verdict:
    """Of the operations that ended "ok", at least this share did so within ``limit_s`` seconds of being due.

    Clients that wait for one answer before they ask again leave out what they would have asked meanwhile; counted
    from its due time, an operation that was held up shows it. ``key`` stands for the objects below it as well.
    Our clients wait for nothing, so one that was sent late was held up by the machine they run on: UNKNOWN.
    """
    name = "answered_within"
    operations = operations_of(history, key)
    answered = operations.take((operations.outcome == OK) & ~np.isnan(operations.due_s))
    if not len(answered):
        return unknown(name, "no operation that was due at a known time was acknowledged")
    since_due_s = np.sort(answered.completed_s - answered.due_s)
    told = ", ".join(f"{place:.0%} within {duration(_quantile(since_due_s, place))}" for place in (*_TOLD, 1.0))
    summary = f"{len(answered)} operations from when they were due: {told}"
    if _quantile(since_due_s, share) <= limit_s:
        return holds(name, summary)
    if _quantile(np.sort(answered.completed_s - answered.invoked_s), share) <= limit_s:
        late_s = float((answered.invoked_s - answered.due_s).max())
        return unknown(name, f"{summary}; the clients themselves were up to {duration(late_s)} late")
    if not is_whole(history):
        return unknown(name, f"{summary}; the run was cut short, and a share of all its operations is promised")
    slowest = answered.row(int(np.argmax(answered.completed_s - answered.due_s)))
    slowest_s = float(since_due_s[-1])
    text = f"operation {slowest.number} of process {slowest.process} took {duration(slowest_s)} from when it was due"
    evidence = Finding(text=text, from_s=slowest.due_s, until_s=slowest.completed_s, events=slowest.events)
    return violated(name, f"{summary}; {share:.0%} within {duration(limit_s)} were promised", [evidence])


def _quantile(seconds: Floats, share: float) -> float:
    """The smallest time within which this share of the (sorted) operations was answered."""
    return float(seconds[max(0, math.ceil(share * len(seconds)) - 1)])
