"""Work that may block, in threads of its own: the lease's loop waits for nothing but what it is told."""

import _thread
import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class OwnThreads(ThreadPoolExecutor):
    """For ``asyncio.to_thread`` and name look-ups: a thread for each piece of work, and none is waited for at the end.

    A pool of a few would be full as soon as a few hang, a disk or a resolver that does not answer, and then everything
    else would hang with them, the daemon's end included.

    The threads are begun by another one: whoever begins a thread waits while anybody on the host moves a process from
    one control group to another, as each container that starts does (clone(2) takes the kernel's lock for that).
    """

    def __init__(self) -> None:
        super().__init__()
        self._given: SimpleQueue[tuple[Future[Any], Callable[[], None]] | None] = SimpleQueue()
        _thread.start_new_thread(self._begin, ())

    def _begin(self) -> None:
        while (given := self._given.get()) is not None:
            future, work = given
            try:
                # Not threading's: that one waits until the thread has begun, which on a busy machine takes its time.
                _thread.start_new_thread(work, ())
            except RuntimeError as error:  # there are too many
                future.set_exception(error)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Have it begun at once."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        self._given.put((future, work))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Whatever hangs ends with the process."""
        self._given.put(None)


async def elsewhere(within_s: float, work: Callable[..., Result], *arguments: Any) -> Result:
    """What the work gives; TimeoutError where it takes longer, and then its outcome counts for nothing."""
    return await asyncio.wait_for(asyncio.to_thread(work, *arguments), within_s)
