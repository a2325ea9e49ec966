"""Work in the background, of which no error is lost."""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import TypeVar

from .ports import Log

Result = TypeVar("Result")


class Tasks:
    """The background work of one part of a daemon: it is kept from being forgotten, and what it raises is logged.

    asyncio keeps no task that nobody else keeps, and tells of its error when it is thrown away, if ever.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: set[asyncio.Task[object]] = set()

    def start(self, what: str, work: Coroutine[object, object, Result]) -> "asyncio.Task[Result]":
        """Begin it in the running loop; ``what`` names it in the log. Whoever wants its result awaits the task."""
        task = asyncio.get_running_loop().create_task(work, name=what)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def start_later(self, delay_s: float, what: str, work: Callable[[], Coroutine[object, object, object]]) -> None:
        """Begin what ``work`` makes after some time."""
        asyncio.get_running_loop().call_later(delay_s, lambda: self.start(what, work()))

    def _ended(self, task: "asyncio.Task[Result]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            place = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
            self._log("warning", what=task.get_name(), message=said)
