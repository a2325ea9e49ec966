"""The check of how soon operations were answered, counted from when each was due."""

import math

from harness.checks.story import duration
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import Completed, Invoked
from harness.history import History

_TOLD = (0.5, 0.99)


def answered_within(history: History, limit_s: float, share: float = 0.99, key: str | None = None) -> Verdict:
    """Of the operations that ended "ok", at least this share did so within ``limit_s`` seconds of being due.

    Clients that wait for one answer before they ask again leave out what they would have asked meanwhile; counted
    from its due time, an operation that was held up shows it. ``key`` stands for the objects below it as well.
    """
    name = "answered_within"
    completed = {(event.process, event.operation): event for event in history.of(Completed)}
    found: list[tuple[float, Invoked, Completed]] = []
    for event in history.of(Invoked):
        ended = completed.get((event.process, event.operation))
        wanted = key is None or event.key == key or event.key.startswith(f"{key}/")
        if wanted and event.due_s is not None and ended is not None and ended.outcome == "ok":
            found.append((ended.t_s - event.due_s, event, ended))
    if not found:
        return unknown(name, "no operation that was due at a known time was acknowledged")
    found.sort(key=lambda one: one[0])
    told = ", ".join(f"{place:.0%} within {duration(_quantile(found, place))}" for place in (*_TOLD, 1.0))
    summary = f"{len(found)} operations from when they were due: {told}"
    if _quantile(found, share) <= limit_s:
        return holds(name, summary)
    slowest_s, invoked, ended = found[-1]
    text = f"operation {invoked.operation} of process {invoked.process} took {duration(slowest_s)} from when it was due"
    evidence = Finding(text=text, from_s=invoked.due_s, until_s=ended.t_s, events=(invoked, ended))
    return violated(name, f"{summary}; {share:.0%} within {duration(limit_s)} were promised", [evidence])


def _quantile(found: list[tuple[float, Invoked, Completed]], share: float) -> float:
    """The smallest time within which this share of the (sorted) operations was answered."""
    return found[max(0, math.ceil(share * len(found)) - 1)][0]
