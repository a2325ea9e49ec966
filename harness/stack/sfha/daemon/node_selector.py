"""The selector under asyncio's loop. It looks after the node by itself: one descriptor and one deadline.

Datagrams come and deadlines pass many times a second. By way of asyncio each would cost a handle, a context and a
timer, as much as all the work that follows from it. Everything else is left to asyncio as usual.
"""

import select
import selectors
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from .loop_guard import ANOTHER, SLOW_S, LoopGuard

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

REST_S = 0.05
"""After a wake that raised: what does so whenever it is called must not take all of the processor."""
BOTH = 2
"""Descriptors to wait on: what is served, and all that is asyncio's."""
TIMER_SLACK_S = 0.001
"""asyncio calls what is due within its clock's resolution, too."""

Found = list[tuple[selectors.SelectorKey, int]]


class Served(Protocol):
    """What is looked after: the node. What it raises is handed to ``failed``, and everything goes on."""

    def due_s(self) -> float:
        """When ``wake`` wants to be called (seconds of CLOCK_MONOTONIC)."""

    def readable(self) -> None: ...
    def wake(self) -> None: ...
    def failed(self, error: Exception) -> None: ...


class NodeSelector(selectors.BaseSelector):
    """Until ``serve`` is called, a selector like any other."""

    def __init__(self) -> None:
        self.guard = LoopGuard()
        self._left_s: float | None = None
        """When asyncio was last given something to do."""
        self._others = selectors.EpollSelector()
        self._epoll = select.epoll()
        self._epoll.register(self._others.fileno(), select.EPOLLIN)
        self._descriptor = -1
        self._served: Served | None = None
        self._rests_until_s = 0.0
        self.has_work = False
        """Whether asyncio was given something to do while it waited here. Set by the loop."""

    def serve(self, descriptor: int, served: Served) -> None:
        """From now on."""
        self._descriptor, self._served = descriptor, served
        self._epoll.register(descriptor, select.EPOLLIN)

    def select(self, timeout: float | None = None) -> Found:
        """What asyncio is to know of, within ``timeout`` seconds; nothing where what was served gave it work."""
        now_s = monotonic()
        if self._left_s is not None:
            if now_s - self._left_s > SLOW_S:
                self.guard.turn_ended(now_s - self._left_s)
            self._left_s = None
        served = self._served
        if served is None:
            self.guard.busy_since_s = None
            found = self._others.select(timeout)
            self.guard.busy_since_s = woken_s = monotonic()
            return self._leave(found, woken_s)
        self.has_work = False
        until_s = None if timeout is None else now_s + timeout
        while True:
            found, now_s = self._round(served, now_s, until_s)
            is_due = until_s is not None and now_s >= until_s - TIMER_SLACK_S
            if found or is_due or self.has_work:
                return self._leave(found, now_s)

    def _round(self, served: Served, now_s: float, until_s: float | None) -> tuple[Found, float]:
        """Wait for anything, and serve what is to be served; gives what asyncio is to know of, and when that was."""
        wait_s = max(served.due_s(), self._rests_until_s) - now_s
        if until_s is not None and until_s - now_s < wait_s:
            wait_s = until_s - now_s
        self.guard.busy_since_s = None
        ready = self._epoll.poll(wait_s if wait_s > 0 else 0, BOTH)
        self.guard.busy_since_s = woken_s = monotonic()
        late_s = woken_s - now_s - max(wait_s, 0.0)
        if late_s > SLOW_S:
            self.guard.ended(ANOTHER, late_s)
        others = any(descriptor != self._descriptor for descriptor, _ in ready)
        served_s = self._serve(served, woken_s, readable=len(ready) > others)
        return self._others.select(0) if others else [], served_s

    def _serve(self, served: Served, now_s: float, *, readable: bool) -> float:
        """Have done what there is to do; returns when that was over."""
        if readable:
            began_s = now_s
            try:
                served.readable()
            except Exception as error:
                served.failed(error)
            now_s = monotonic()
            if now_s - began_s > SLOW_S:
                self.guard.ended("datagram", now_s - began_s)
        if served.due_s() <= now_s >= self._rests_until_s:
            began_s = now_s
            try:
                served.wake()
            except Exception as error:
                self._rests_until_s = monotonic() + REST_S
                served.failed(error)
            now_s = monotonic()
            if now_s - began_s > SLOW_S:
                self.guard.ended("wake", now_s - began_s)
        return now_s

    def _leave(self, found: Found, now_s: float) -> Found:
        """Let asyncio have its turn, which is watched."""
        self._left_s = now_s
        self.guard.begins(now_s)
        return found

    def register(self, fileobj: "FileDescriptorLike", events: int, data: object = None) -> selectors.SelectorKey:
        """For asyncio."""
        return self._others.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        """For asyncio."""
        return self._others.unregister(fileobj)

    def modify(self, fileobj: "FileDescriptorLike", events: int, data: object = None) -> selectors.SelectorKey:
        """For asyncio."""
        return self._others.modify(fileobj, events, data)

    def get_map(self) -> "Mapping[FileDescriptorLike, selectors.SelectorKey]":
        """For asyncio."""
        return self._others.get_map()

    def close(self) -> None:
        """For asyncio."""
        self._others.close()
        self._epoll.close()


def run(main: Callable[[NodeSelector], Coroutine[object, object, None]]) -> None:
    """Run ``main`` in a loop of its own, with such a selector."""
    import asyncio

    from .guarded_loop import GuardedLoop

    selector = NodeSelector()
    with asyncio.Runner(loop_factory=lambda: GuardedLoop(selector)) as runner:
        runner.run(main(selector))
