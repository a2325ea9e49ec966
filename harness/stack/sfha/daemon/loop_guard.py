"""Watches that nothing keeps the lease's loop from its work: whatever blocks there, blocks renewals and votes.

What counts is the time that a callback took, less the time that threads of this process were ready to run and the
kernel gave their processors to others, or the host of a virtual machine took them away: on a busy machine that is
nobody's fault here, be it the loop's own thread that waited or the one that had the interpreter meanwhile. Waiting for
a disk, a lock or a peer counts in full, as computing does.
"""

import _thread
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from .kernel_accounts import OthersWait, OwnWait, Stolen
from .whereabouts import Whereabouts

SLOW_S = 0.02
LOOK_EVERY_S = 0.2
"""Whatever blocks for longer, and so may cost a lease, is seen while it does; of shorter times, some. Four times as
often would cost a tenth of all that an idle daemon does."""
LOOKS_PER_ACCOUNT = 5
ACCOUNTS_KEPT = 3
"""The newest may have been taken while a callback was running: it tells nothing of what was before."""
ANOTHER = "another thread, or a stop"
"""Who kept the interpreter when the loop wanted it."""
NOT_SEEN = "-"


@dataclass(frozen=True, slots=True)
class Slow:
    """A callback that kept the loop: ``blocked_s`` of ``wall_s`` were not the kernel's or the host's doing.

    ``where``: what was going on in the middle of it, or ``NOT_SEEN``.
    """

    name: str
    wall_s: float
    blocked_s: float
    where: str = NOT_SEEN


class LoopGuard:
    """Told by the loop's selector when the loop leaves it and comes back."""

    def __init__(
        self,
        waited_s: Callable[[], float] | None = None,
        others_waited_s: Callable[[], float] | None = None,
        stolen_s: Callable[[], float] | None = None,
    ) -> None:
        """Seconds since a fixed moment: how long this thread has waited for a processor, how long all others together,
        and how long the host has run others instead of this machine."""
        self._waited_s = waited_s or OwnWait()
        self._others_waited_s = others_waited_s or OthersWait()
        self._stolen_s = stolen_s or Stolen()
        self._accounts: deque[tuple[float, float]] = deque(maxlen=ACCOUNTS_KEPT)
        """When was looked at how long others had waited or been preferred, and for how long that was by then."""
        self.take_account()
        self._waited_before_s = self._waited_s()
        self._name, self._name_took_s = "", 0.0
        self.busy_since_s: float | None = None
        """Since when the loop has been at work; None while it waits for work. Set by the selector."""
        self._whereabouts = Whereabouts()
        self._seen: tuple[float, str] | None = None
        """When the loop was last seen at something long, and where."""
        self._report: Callable[[Slow], None] = lambda _slow: None
        self.longest: Slow | None = None
        """By what it blocked; of those that took longer than SLOW_S."""
        self.count = 0
        """How many blocked for longer than SLOW_S."""

    def watch(self, report: Callable[[Slow], None]) -> None:
        """From now on, and as if nothing had been before: a daemon that starts reads its programs, and leads nobody."""
        self._report, self.longest, self.count = report, None, 0

    def take_account(self) -> None:
        """Note for how long others have waited so far, and the host has preferred others."""
        self._accounts.append((monotonic(), self._others_waited_s() + self._stolen_s()))

    def keep_looking(self) -> None:
        """Have a thread do so from now on: the kernel may take its time, and the loop is not to wait for that."""

        def look() -> None:
            looks = 0
            while True:
                wanted_s = monotonic() + LOOK_EVERY_S
                sleep(LOOK_EVERY_S)
                self.look(monotonic() - wanted_s)
                looks += 1
                if looks % LOOKS_PER_ACCOUNT == 0:
                    self.take_account()

        _thread.start_new_thread(look, ())

    def look(self, late_s: float = 0.0) -> None:
        """Note where the loop is, if it has been at it for long, or if this look itself was kept for long."""
        now_s, since_s = monotonic(), self.busy_since_s
        if since_s is not None and now_s - since_s > SLOW_S:
            self._seen = (now_s, self._whereabouts())
        elif late_s > SLOW_S:
            self._seen = (now_s, f"everything stood still; then {self._whereabouts()}")

    def begins(self, since_s: float) -> None:
        """A turn of callbacks is about to run, which is counted from ``since_s`` on: note what the kernel has cost."""
        self._waited_before_s = self._waited_s()
        self._name, self._name_took_s = "", 0.0
        late_s = monotonic() - since_s
        if late_s > SLOW_S / 4:
            self._name, self._name_took_s = ANOTHER, late_s

    def turn_ended(self, wall_s: float) -> None:
        """The turn took longer than SLOW_S; where one callback is known to be most of it, that one is to blame."""
        name = self._name
        if self._name_took_s <= wall_s / 2:
            name = "many callbacks" + (f", {name} for {self._name_took_s * 1000:.0f} ms" if name else "")
        self.ended(name, wall_s)

    def ended(self, name: str, wall_s: float) -> None:
        """This took longer than SLOW_S.

        What the kernel has cost is known since the last turn began, which may be long before: rather too little is
        called blocking than too much.
        """
        began_s = monotonic() - wall_s
        waited_s, others_s = self._waited_s(), self._others_waited_s() + self._stolen_s()
        accounts = list(self._accounts)
        before_s = next((sum_s for at_s, sum_s in reversed(accounts) if at_s <= began_s), accounts[0][1])
        blocked_s = max(0.0, wall_s - (waited_s - self._waited_before_s) - max(0.0, others_s - before_s))
        self._waited_before_s = waited_s
        self._accounts.append((monotonic(), others_s))
        seen, self._seen = self._seen, None
        slow = Slow(name, wall_s, blocked_s, seen[1] if seen is not None and seen[0] >= began_s else NOT_SEEN)
        if self.longest is None or blocked_s > self.longest.blocked_s:
            self.longest = slow
        if blocked_s > SLOW_S:
            self.count += 1
            self._report(slow)

    def status(self) -> dict[str, object]:
        """For `sfha status --json`."""
        longest = self.longest
        return {
            "slow_callbacks": self.count,
            "longest_callback": longest and longest.name,
            "longest_blocked_ms": round(longest.blocked_s * 1000, 1) if longest else 0.0,
            "longest_wall_ms": round(longest.wall_s * 1000, 1) if longest else 0.0,
            "longest_seen_at": longest and longest.where,
        }

    def measured(self, callback: Callable[..., object], *arguments: object) -> None:
        """Run a callback of the loop and remember it if it takes long."""
        began_s = monotonic()
        try:
            callback(*arguments)
        finally:
            took_s = monotonic() - began_s
            if took_s > SLOW_S / 4 and took_s > self._name_took_s:
                self._name, self._name_took_s = name_of(callback), took_s


def name_of(callback: Callable[..., Any]) -> str:
    """What a person calls it: the coroutine of a task, else the function."""
    owner = getattr(callback, "__self__", None)
    coroutine = getattr(owner, "get_coro", None)
    if coroutine is not None:
        callback = coroutine()
    named = getattr(callback, "func", callback)
    return str(getattr(named, "__qualname__", None) or type(named).__qualname__)
