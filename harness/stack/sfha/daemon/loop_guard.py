"""Watches that nothing keeps the lease's loop from its work: whatever blocks there, blocks renewals and votes.

What counts is the time that a callback took, less the time that threads of this process were ready to run and the
kernel gave their processors to others: on a busy machine that is nobody's fault here, be it the loop's own thread that
waited or the one that had the interpreter meanwhile. Waiting for a disk, a lock or a peer counts in full, as computing
does.
"""

import _thread
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

SLOW_S = 0.02
OTHERS_EVERY_S = 1.0
LOOKS_KEPT = 3
"""The newest may have been taken while a callback was running: it tells nothing of what was before."""
ANOTHER = "another thread, or a stop"
"""Who kept the interpreter when the loop wanted it."""
THREADS, OWN = Path("/proc/self/task"), Path("/proc/thread-self/schedstat")
"""Nanoseconds on a processor, nanoseconds waiting for one, and a count (Documentation/scheduler/sched-stats.rst)."""


@dataclass(frozen=True, slots=True)
class Slow:
    """A callback that kept the loop: ``blocked_s`` of ``wall_s`` were not the kernel's doing."""

    name: str
    wall_s: float
    blocked_s: float


class LoopGuard:
    """Told by the loop's selector when the loop leaves it and comes back."""

    def __init__(
        self, waited_s: Callable[[], float] | None = None, others_waited_s: Callable[[], float] | None = None
    ) -> None:
        """For how long this thread has waited for a processor since it began, and all others together."""
        self._waited_s = waited_s or _Schedstat()
        self._others_waited_s = others_waited_s or _Others()
        self._looks: deque[tuple[float, float]] = deque(maxlen=LOOKS_KEPT)
        """When all others were looked at, and for how long they had waited by then."""
        self.look_at_others()
        self._waited_before_s = self._waited_s()
        self._name, self._name_took_s = "", 0.0
        self._report: Callable[[Slow], None] = lambda _slow: None
        self.longest: Slow | None = None
        """By what it blocked; of those that took longer than SLOW_S."""
        self.count = 0
        """How many blocked for longer than SLOW_S."""

    def watch(self, report: Callable[[Slow], None]) -> None:
        """From now on, and as if nothing had been before: a daemon that starts reads its programs, and leads nobody."""
        self._report, self.longest, self.count = report, None, 0

    def look_at_others(self) -> None:
        """Note for how long they have waited so far."""
        self._looks.append((monotonic(), self._others_waited_s()))

    def keep_looking(self) -> None:
        """Have a thread do so from now on: the kernel may take its time, and the loop is not to wait for that."""

        def look() -> None:
            while True:
                sleep(OTHERS_EVERY_S)
                self.look_at_others()

        _thread.start_new_thread(look, ())

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
        waited_s, others_s = self._waited_s(), self._others_waited_s()
        before_s = next((sum_s for at_s, sum_s in reversed(list(self._looks)) if at_s <= began_s), self._looks[0][1])
        blocked_s = max(0.0, wall_s - (waited_s - self._waited_before_s) - max(0.0, others_s - before_s))
        self._waited_before_s = waited_s
        self._looks.append((monotonic(), others_s))
        slow = Slow(name, wall_s, blocked_s)
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


class _Schedstat:
    """This thread's time in the run queue; always 0 where the kernel does not tell."""

    def __init__(self) -> None:
        self._descriptor = -1
        with suppress(OSError):
            self._descriptor = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> float:
        try:
            return int(os.pread(self._descriptor, 128, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


class _Others:
    """The same of all other threads of this process than the one that made this; 0 where the kernel does not tell."""

    def __init__(self) -> None:
        self._own = str(threading.get_native_id())

    def __call__(self) -> float:
        total_ns = 0
        with suppress(OSError):
            for thread in THREADS.iterdir():
                if thread.name != self._own:
                    with suppress(OSError, ValueError, IndexError):  # threads end
                        total_ns += int((thread / "schedstat").read_bytes().split()[1])
        return total_ns / 1e9
