"""Work that may block, in threads of its own: the lease's loop waits for nothing but what it is told."""

import _thread
import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
READY = 4


class OwnThreads(ThreadPoolExecutor):
    """For ``asyncio.to_thread`` and name look-ups: a thread for each piece of work, and none is waited for at the end.

    A pool of a few would be full as soon as a few hang, a disk or a resolver that does not answer, and then everything
    else would hang with them, the daemon's end included. So there are as many as there ever was work at a time.

    A few are there from the start, and none ends: whoever begins a thread has the interpreter and waits, while anybody
    on the host moves a process from one control group to another, as each container that starts does (clone(2)).
    """

    def __init__(self) -> None:
        super().__init__()
        self._given: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = _thread.allocate_lock()
        self._free = 0
        """Threads that have nothing to do, less work that waits for one."""
        for _ in range(READY):
            self._begin()

    def _begin(self) -> None:
        # Not threading's: that one waits until the thread has begun, which on a busy machine takes its time.
        _thread.start_new_thread(self._work, ())
        with self._lock:
            self._free += 1

    def _work(self) -> None:
        while (work := self._given.get()) is not None:
            work()
            with self._lock:
                self._free += 1
        self._given.put(None)  # for the next one

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Begin at once."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        with self._lock:
            self._free -= 1
            all_are_busy = self._free < 0
        self._given.put(work)
        if all_are_busy:
            with suppress(RuntimeError):  # there cannot be more: it waits for one of those that there are
                self._begin()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Whatever hangs ends with the process."""
        self._given.put(None)


async def elsewhere(within_s: float, work: Callable[..., Result], *arguments: Any) -> Result:
    """What the work gives; TimeoutError where it takes longer, and then its outcome counts for nothing."""
    return await asyncio.wait_for(asyncio.to_thread(work, *arguments), within_s)
