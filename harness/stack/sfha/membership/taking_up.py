"""Whether the Corosync that runs has the list of nodes that its file has; when to look, and to have it read the file.

A reload that another node asks for reaches those in one ring with it, at that moment, and no others: who was cut off,
or frozen, between writing its file and that moment keeps the former list. Its ring and that of the others then form
anew again and again. So each node sees to its own Corosync. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ...kit.messages import Message, message
from .nodelist import Nodelist

GRACE_S = 2.0
"""Who changes the cluster has it read on all nodes, within milliseconds mostly: that is waited for. Whoever waits
for a peer that does not answer takes longer, and what is read before that does no harm."""
FIRST_PAUSE_S, LAST_PAUSE_S, PAUSE_GROWTH = 5.0, 300.0, 2.0
"""Between two reloads; where they do not help they become ever rarer."""
HELPLESS_AFTER = 3
"""So many reloads without effect are no coincidence."""
LOOK_AT_MOST_EVERY_S = 1.0
"""However often the ring forms anew."""
LOOK_AT_LEAST_EVERY_S = 60.0
"""For what no event tells of: a file that was written by hand, a list that was changed in Corosync's map."""


class Step(Enum):
    """What is to be done."""

    RELOAD = "reload"
    """Have Corosync read its file."""
    TELL_BEHIND = "behind"
    """It should have done so by now, and has not."""
    TELL_HELPLESS = "helpless"
    """It has been told several times, and it does not help."""
    TELL_CAUGHT_UP = "caught-up"
    """It was behind, and is not any more."""


@dataclass(frozen=True, slots=True)
class Behind:
    """How the running Corosync differs from its file, since when, and what was done about it."""

    since_s: float
    reloads: int
    helpless: bool
    """Whether that does not help."""
    refused: bool
    """Whether it could not take the file up when it read it last."""
    lacks: tuple[str, ...]
    has_still: tuple[str, ...]


class TakingUp:
    """Told when something happens and what a look has found; says when to look, and what to do."""

    def __init__(self, now_s: float) -> None:
        self.due_s = now_s + GRACE_S
        """When to look."""
        self.behind: Behind | None = None
        """None while all is well, or while it may become well by itself."""
        self._looked_s: float | None = None
        self._written_s: float | None = None
        self._formed_s: float | None = None
        self._differs_since_s: float | None = None
        self._reloaded_s: float | None = None
        self._reloads, self._helpless = 0, False

    def written(self, now_s: float) -> None:
        """The file has been written anew: whoever had it written is about to have it read."""
        self._reloads, self._helpless = 0, False
        self._written_s = self._differs_since_s = now_s
        self.due_s = min(self.due_s, now_s + GRACE_S)

    def ring_formed(self, now_s: float) -> None:
        """Corosync reports another membership."""
        self._formed_s = now_s
        soonest_s = now_s if self._looked_s is None else max(now_s, self._looked_s + LOOK_AT_MOST_EVERY_S)
        self.due_s = min(self.due_s, soonest_s)

    def looked(self, file: Nodelist | None, running: Nodelist | None, at_s: float) -> tuple[Step, ...]:
        """What the file had, and the running Corosync, at that time; None where that is not known, or not sfha's."""
        self._looked_s = at_s
        if self._written_s is not None and self._written_s >= at_s:  # that is not what the file says by now
            self.due_s = self._written_s + GRACE_S
            return ()
        formed_since = self._formed_s is not None and self._formed_s >= at_s
        self.due_s = at_s + (LOOK_AT_MOST_EVERY_S if formed_since else LOOK_AT_LEAST_EVERY_S)
        if file is None or running is None:
            return ()
        if file == running:
            was_behind, self.behind = self.behind is not None, None
            self._differs_since_s, self._reloads, self._helpless = None, 0, False
            return (Step.TELL_CAUGHT_UP,) if was_behind else ()
        return self._differ(file, running, at_s)

    def _differ(self, file: Nodelist, running: Nodelist, now_s: float) -> tuple[Step, ...]:
        since_s = now_s if self._differs_since_s is None else self._differs_since_s
        self._differs_since_s = since_s
        steps: list[Step] = []
        if self._reloads >= HELPLESS_AFTER and not self._helpless:
            self._helpless = True
            steps.append(Step.TELL_HELPLESS)
        if now_s >= self._next_reload_s(since_s):
            steps += [Step.RELOAD] if self.behind is not None else [Step.TELL_BEHIND, Step.RELOAD]
            self._reloads, self._reloaded_s = self._reloads + 1, now_s
            self.due_s = now_s + GRACE_S
        else:
            self.due_s = min(self.due_s, self._next_reload_s(since_s))
        if steps or self.behind is not None:
            differs = _difference(file, running)
            self.behind = Behind(since_s, self._reloads, self._helpless, running.half_read, *differs)
        return tuple(steps)

    def _next_reload_s(self, differs_since_s: float) -> float:
        at_s = differs_since_s + GRACE_S
        if self._reloaded_s is None:
            return at_s
        pause_s = FIRST_PAUSE_S * PAUSE_GROWTH ** max(0, self._reloads - 1)
        return max(at_s, self._reloaded_s + min(pause_s, LAST_PAUSE_S))


def _difference(file: Nodelist, running: Nodelist) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lacks = [str(one) for one in sorted(file.nodes - running.nodes)]
    has_still = [str(one) for one in sorted(running.nodes - file.nodes)]
    if file.two_node != running.two_node:
        (lacks if file.two_node else has_still).append("two_node")
    return tuple(lacks), tuple(has_still)


def complaint(status: object) -> Message | None:
    """What is wrong, as a daemon's status tells it; None where nothing is."""
    if not isinstance(status, Mapping):
        return None
    names: dict[str, str] = {}
    for key in ("lacks", "has_still"):
        found = status.get(key)
        names[key] = ", ".join(map(str, found)) if isinstance(found, list) and found else "-"
    reloads = status.get("reloads", 0)
    if status.get("refused"):
        return message("corosync.refused", reloads=reloads)
    return message("corosync.stays-behind" if status.get("helpless") else "corosync.behind", reloads=reloads, **names)
