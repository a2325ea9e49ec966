"""One backend, asked over a connection that is kept: a GET a look, as cheap as it can be, since there are many."""

import asyncio
import os
from contextlib import suppress
from urllib.parse import urlsplit

from ..inventory.entries import address_of
from ..inventory.seen import SILENT
from ..inventory.snapshot import Backend
from .answer import Answer, answer_in
from .core import Outcome


class Asked:
    """Where a backend is asked. One question at a time."""

    def __init__(self, backend: Backend) -> None:
        url = urlsplit(backend.health)
        self._host, self._port = (url.hostname, url.port or 80) if url.hostname else (backend.host, backend.port)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        where = address_of(self._host, self._port)
        self._request = f"GET {path} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: multisite\r\nAccept: */*\r\n\r\n".encode()
        self._link: _Link | None = None

    async def look(self, timeout_s: float) -> tuple[Outcome, str]:
        """Ask once; how it ended, and why if not well. Never raises for what a backend does."""
        kept = self._link is not None
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return await self._exchange()
                except (OSError, EOFError, ValueError):
                    # A kept connection may have been closed since: that says nothing of the backend.
                    self.close()
                    if not kept:
                        raise
                    return await self._exchange()
        except TimeoutError:
            self.close()
            return Outcome.silence, f"no answer within {timeout_s:g} s"
        except ConnectionAbortedError:
            # Ended on our side, as connections to those who are silent are (edge.cutting): the system's words for it
            # sound as if the backend had done it.
            self.close()
            return Outcome.silence, SILENT
        except (ConnectionError, EOFError) as error:
            self.close()
            return Outcome.refused, _plain(error)
        except ValueError as error:
            self.close()
            return Outcome.refused, f"no HTTP: {error}"
        except OSError as error:
            # No route, no name: whether it is the way or the backend cannot be told from here.
            self.close()
            return Outcome.silence, _plain(error)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._link is not None:
            self._link.abort()
            self._link = None

    async def _exchange(self) -> tuple[Outcome, str]:
        if self._link is None:
            loop = asyncio.get_running_loop()
            _, self._link = await loop.create_connection(_Link, self._host, self._port)
        code = await self._link.ask(self._request)
        if self._link.spent:
            self.close()
        return (Outcome.answered, "") if 200 <= code < 300 else (Outcome.refused, f"status {code}")


class _Link(asyncio.Protocol):
    """One connection. It is spent once the next answer on it could not be told from what is left of this one."""

    def __init__(self) -> None:
        self.spent = False
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._answer: Answer | None = None
        self._status: asyncio.Future[int] | None = None
        self._ended: Exception | None = None

    async def ask(self, request: bytes) -> int:
        """The status of the answer. Raises OSError, EOFError, and ValueError for what is no HTTP."""
        if self._ended is not None:
            raise self._ended
        assert self._transport is not None
        self._status = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._status
        finally:
            self._status = None

    def abort(self) -> None:
        """End it at once, whatever has not been sent."""
        if self._transport is not None:
            with suppress(OSError):
                self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of an answer. What comes when nothing was asked spoils the connection."""
        if self._status is None or self._status.done():
            self._end(EOFError("it spoke without being asked"))
            return
        self._read += data
        try:
            self._answer = self._answer or answer_in(self._read)
        except ValueError as error:
            self._end(error)
            return
        if self._answer is not None and len(self._read) >= (self._answer.size_bytes or 0):
            self._answered(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side has closed it, or the way to it is gone (``exc``)."""
        if exc is None and self._answer is not None and self._status is not None and not self._status.done():
            self._answered(self._answer)  # without all of its body: the status counts
        self._end(exc or EOFError("closed within an answer" if self._read else "closed without an answer"))

    def _answered(self, answer: Answer) -> None:
        assert self._status is not None
        self.spent = self.spent or len(self._read) != answer.size_bytes
        self._answer = None
        self._read.clear()
        self._status.set_result(answer.status)

    def _end(self, error: Exception) -> None:
        self.spent, self._ended = True, self._ended or error
        if self._status is not None and not self._status.done():
            self._status.set_exception(error)


def _plain(error: Exception) -> str:
    # asyncio puts "Connect call failed ('10.0.0.1', 80)" where the system's word for it would be.
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
