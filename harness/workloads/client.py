"""What carries out operations, one at a time; and what it says when it cannot.

All clients are written by hand over asyncio streams: a library that retries, pools or hides whether a request was
sent would blur just what a history has to tell.
"""

import asyncio
from typing import Protocol

from harness.events import Json
from harness.workloads.generators import Request


class Refused(Exception):
    """The store said that it did not, and never will, do this."""


class Unclear(Exception):
    """The store answered with an error after which the operation may or may not have taken effect."""


CONNECTION_ENDED = (OSError, EOFError, TimeoutError, Unclear, ValueError, LookupError)
"""After any of these a client is to be closed: an answer may still be on its way."""


class Client(Protocol):
    """One connection to one member of a store; not to be used by two at a time. It never retries.

    ``at_stake``: the operation under way, or the last one, may have changed something, for a request
    that changes something was sent. As long as it is False, whatever goes wrong, nothing has happened.
    """

    at_stake: bool

    async def open(self) -> None:
        """Connect. Raises OSError; nothing has been asked of the store then."""

    async def invoke(self, request: Request) -> Json:
        """Carry out an operation and give its answer. Raises Refused, or one of CONNECTION_ENDED."""

    def close(self) -> None:
        """Drop the connection at once, whatever is still to be sent. Idempotent."""


class Stream:
    """A TCP connection that can be opened once and closed at any time."""

    def __init__(self, address: str, port: int) -> None:
        self._address, self._port = address, port
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect. Raises OSError."""
        self.reader, self._writer = await asyncio.open_connection(self._address, self._port)

    async def send(self, data: bytes) -> None:
        """Send everything. Raises OSError."""
        if self._writer is None:
            raise ConnectionError("the connection is not open")
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Drop the connection at once. Idempotent."""
        if self._writer is not None:
            self._writer.transport.abort()
