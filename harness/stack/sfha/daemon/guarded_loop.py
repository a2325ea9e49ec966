"""asyncio's loop, in which a callback that takes long is known by its name.

Its selector does much by itself; so it is told when that gave asyncio something to do, and hands over to it.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    from .node_selector import NodeSelector

Given = TypeVarTuple("Given")


class GuardedLoop(asyncio.SelectorEventLoop):
    """Has everything that is called by it measured; how long a whole turn took, the selector knows."""

    def __init__(self, selector: "NodeSelector") -> None:
        self._measured, self._waiting = selector.guard.measured, selector  # before asyncio begins to read
        super().__init__(selector)

    def call_soon(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """asyncio's own."""
        self._waiting.has_work = True
        return super().call_soon(self._measured, callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """asyncio's own."""
        return super().call_soon_threadsafe(self._measured, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """asyncio's own."""
        self._waiting.has_work = True
        return super().call_at(when, self._measured, callback, *args, context=context)

    def _add_reader(
        self, fd: "FileDescriptorLike", callback: Callable[[*Given], object], *args: *Given
    ) -> asyncio.Handle:
        """Of asyncio's own transports as well, which do not use ``add_reader``."""
        handle: asyncio.Handle = super()._add_reader(fd, self._measured, callback, *args)  # type: ignore[misc]
        return handle
