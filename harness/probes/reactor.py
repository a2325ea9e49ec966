"""The observer's event loop: descriptors and timers, nothing else.

Not asyncio: the observer has to start within 100 ms and to react within a fraction of a
millisecond, and needs neither tasks nor transports. It also watches itself: it never sleeps
longer than a tick, so when two rounds are further apart the observer was not scheduled (or
busy), and a time it took in between may be late by as much.
"""

import heapq
import itertools
import os
import select
from collections import deque
from collections.abc import Callable

from harness.clock import now_s

TICK_S = 0.004
STALL_S = 0.005
"""Coming back to the kernel later than this after the last time is a stall; unstalled rounds take TICK_S at most."""


class Reactor:
    """Calls back when a descriptor is ready or a time has come, in one thread."""

    def __init__(self, stalled: Callable[[float, float], None]) -> None:
        """``stalled(t_s, gap_s)`` is called when nothing could be noticed for the ``gap_s`` before ``t_s``."""
        self._stalled = stalled
        self._poll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running = False
        self._handed_over: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.watch(self._wake, self._take_over)

    def watch(self, descriptor: int, ready: Callable[[], None], events: int = select.EPOLLIN) -> None:
        """Call ``ready`` whenever the descriptor has one of the events (or failed)."""
        self._ready[descriptor] = ready
        self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> bool:
        """Stop watching a descriptor, before it is closed; gives whether it was watched."""
        if self._ready.pop(descriptor, None) is None:
            return False
        self._poll.unregister(descriptor)
        return True

    def at(self, t_s: float, call: Callable[[], None]) -> None:
        """Call once, at ``t_s`` of the run clock or as soon after it as possible."""
        heapq.heappush(self._timers, (t_s, next(self._order), call))

    def hand_over(self, call: Callable[[], None]) -> None:
        """From any thread: have something called in the loop's thread."""
        self._handed_over.append(call)
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Serve until :meth:`stop`."""
        self._running = True
        woken_s = now_s()
        while self._running:
            self._sleep(woken_s)
            before_s, woken_s = woken_s, now_s()
            if woken_s - before_s > STALL_S:
                self._stalled(woken_s, woken_s - before_s)
            for descriptor, _ in self._poll.poll(0):
                # A callback may have made another one of this batch pointless.
                if ready := self._ready.get(descriptor):
                    ready()
            self._fire(woken_s)

    def stop(self) -> None:
        """Let :meth:`run` return after the current round."""
        self._running = False

    def _take_over(self) -> None:
        os.eventfd_read(self._wake)
        while self._handed_over:
            self._handed_over.popleft()()

    def _fire(self, until_s: float) -> None:
        while self._timers and self._timers[0][0] <= until_s:
            heapq.heappop(self._timers)[2]()

    def _sleep(self, woken_s: float) -> None:
        wanted_s = woken_s + TICK_S
        if self._timers:
            wanted_s = min(wanted_s, self._timers[0][0])
        # select() takes microseconds where epoll_wait() rounds up to whole milliseconds.
        select.select((self._poll,), (), (), max(0.0, wanted_s - now_s()))
