"""A check of what the subject admits: that something kept its loop from renewing leases and giving votes."""

from harness.checks.declared import Seconds, check
from harness.checks.story import clock_of, duration, fault_windows
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import SubjectSaid
from harness.history import History

SLOW = "slow-callback"
FROZEN_BY = frozenset({"freeze", "suspend", "slow"})


@check
def loop_not_blocked(history: History, limit_s: Seconds = 0.05) -> Verdict:
    """No callback blocks a daemon's loop for longer than ``limit_s``.

    The daemon leaves out the time that its thread was ready and the kernel gave the processor to others, so that a busy
    host makes no right run wrong. What it says of a time at which a fault froze it is no fault of its own.
    """
    name = "loop_not_blocked"
    said = history.of(SubjectSaid)
    if not said:
        return unknown(name, "no node's log was taken")
    frozen = [window for window in fault_windows(history) if window.fault in FROZEN_BY]
    clock, wrong, longest_s = clock_of(history), [], 0.0
    for event in said:
        blocked_ms, wall_ms = event.fields.get("blocked_ms"), event.fields.get("wall_ms")
        if event.event != SLOW or not isinstance(blocked_ms, int | float) or not isinstance(wall_ms, int | float):
            continue
        began_s = event.t_s - wall_ms / 1000
        if any(
            event.node in window.targets
            and window.injected_s <= event.t_s
            and (window.healed_s is None or began_s <= window.healed_s)
            for window in frozen
        ):
            continue
        longest_s = max(longest_s, blocked_ms / 1000)
        if blocked_ms / 1000 > limit_s:
            text = f"{event.node}: {event.fields.get('name')} for {duration(blocked_ms / 1000)} at {clock.at(began_s)}"
            wrong.append(Finding(text=text, from_s=began_s, until_s=event.t_s, nodes=(event.node,), events=(event,)))
    if wrong:
        return violated(name, f"a daemon's loop was blocked {len(wrong)} times for over {duration(limit_s)}", wrong)
    most = f", {duration(longest_s)} at most" if longest_s else ""
    return holds(name, f"no callback blocked a daemon's loop for over {duration(limit_s)}{most}")
