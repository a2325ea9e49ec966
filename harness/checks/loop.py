"""A check of what the subject admits: that something kept its loop from renewing leases and giving votes."""

from collections.abc import Iterator, Sequence

from harness.checks.declared import Seconds, check
from harness.checks.story import clock_of, duration, fault_windows
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import SubjectSaid
from harness.history import History

BLOCKED_BESIDE_OTHERS_S = 0.4
"""What every run allows. Beside other clusters the kernel makes anybody wait who starts a program or touches new
memory: mostly 50 to 100 ms, 208 ms once in 423 runs of two clusters side by side, while the other one booted. Names,
disks and programs that are waited for take longer. Scenarios that run alone ask for 50 ms."""
SLOW = "slow-callback"
FROZEN_BY = frozenset({"freeze", "suspend", "slow"})
UNNAMED = "another thread, or a stop"
"""What a daemon calls a time in which its thread did not run, and no callback was under way."""
NOT_SEEN = "-"
"""What it says of where it was if nobody looked in time."""
STARTED = "daemon-started"


@check
def loop_not_blocked(history: History, limit_s: Seconds = 0.05) -> Verdict:
    """No callback blocks a daemon's loop for longer than ``limit_s``.

    The daemon leaves out the time that its thread was ready and the kernel gave the processor to others, or a virtual
    machine's host took it away, so that a busy host makes no right run wrong. What it says of a time at which a fault
    froze it is no fault of its own; times that no callback took are told, for the host can stop whom it likes.
    An older daemon beside a newer one is not judged.
    """
    name = "loop_not_blocked"
    said = history.of(SubjectSaid)
    if not said:
        return unknown(name, "no node's log was taken")
    frozen = [window for window in fault_windows(history) if window.fault in FROZEN_BY]
    clock, wrong, longest_s, stopped_s = clock_of(history), [], 0.0, 0.0
    for event in _by_the_newest(said):
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
        if event.fields.get("name") == UNNAMED:
            stopped_s = max(stopped_s, blocked_ms / 1000)
            continue
        longest_s = max(longest_s, blocked_ms / 1000)
        if blocked_ms / 1000 > limit_s:
            text = f"{event.node}: {event.fields.get('name')} for {duration(blocked_ms / 1000)} at {clock.at(began_s)}"
            if event.fields.get("where", NOT_SEEN) != NOT_SEEN:
                text += f": {event.fields['where']}"
            wrong.append(Finding(text=text, from_s=began_s, until_s=event.t_s, nodes=(event.node,), events=(event,)))
    if wrong:
        return violated(name, f"a daemon's loop was blocked {len(wrong)} times for over {duration(limit_s)}", wrong)
    most = f", {duration(longest_s)} at most" if longest_s else ""
    stops = f"; stopped by something else for {duration(stopped_s)} at most" if stopped_s else ""
    return holds(name, f"no callback blocked a daemon's loop for over {duration(limit_s)}{most}{stops}")


def _by_the_newest(said: Sequence[SubjectSaid]) -> Iterator[SubjectSaid]:
    """What was said, without the words of daemons that name no version at their start where others do."""
    if not any(_tells_its_version(one) for one in said):
        yield from said
        return
    older: set[str] = set()
    for one in sorted(said, key=lambda one: one.t_s):
        if _tells_its_version(one):
            older.discard(one.node)
        elif one.event == STARTED:
            older.add(one.node)
        if one.node not in older:
            yield one


def _tells_its_version(one: SubjectSaid) -> bool:
    return one.event == STARTED and "version" in one.fields
