"""One backend, asked over a connection that is kept: a GET a look, as cheap as it can be, since there are many.

HTTP/1.1 by RFC 9112: the status counts; a body of known length is read, after any other the connection is closed.
"""

import asyncio
import os
import re
from contextlib import suppress
from urllib.parse import urlsplit

from ..inventory.entries import address_of
from ..inventory.seen import SILENT
from ..inventory.snapshot import Backend
from .core import Outcome

MOST_HEAD_BYTES = 32_768
MOST_BODY_BYTES = 262_144
_STATUS = re.compile(rb"^HTTP/1\.[01] ([0-9]{3})[ \r]")


class Asked:
    """Where a backend is asked. One question at a time."""

    def __init__(self, backend: Backend) -> None:
        url = urlsplit(backend.health)
        self._host, self._port = (url.hostname, url.port or 80) if url.hostname else (backend.host, backend.port)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        where = address_of(self._host, self._port)
        self._request = f"GET {path} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: multisite\r\nAccept: */*\r\n\r\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def look(self, timeout_s: float) -> tuple[Outcome, str]:
        """Ask once; how it ended, and why if not well. Never raises for what a backend does."""
        kept = self._streams is not None
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
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].transport.abort()
            self._streams = None

    async def _exchange(self) -> tuple[Outcome, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=MOST_HEAD_BYTES)
        reader, writer = self._streams
        writer.write(self._request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError(f"more than {MOST_HEAD_BYTES} bytes before the body") from error
        except asyncio.IncompleteReadError as error:
            raise EOFError("closed without an answer" if not error.partial else "closed within an answer") from error
        status = _STATUS.match(head)
        if not status:
            raise ValueError(repr(head[:40])[1:])
        code = int(status[1])
        await self._finish(head.lower(), reader, code)
        return (Outcome.answered, "") if 200 <= code < 300 else (Outcome.refused, f"status {code}")

    async def _finish(self, head: bytes, reader: asyncio.StreamReader, code: int) -> None:
        length = re.search(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", head)
        size_bytes = 0 if code == 204 else int(length[1]) if length else MOST_BODY_BYTES + 1
        if size_bytes > MOST_BODY_BYTES or b"\r\nconnection: close\r\n" in head or head.startswith(b"http/1.0"):
            self.close()
        elif size_bytes:
            try:
                await reader.readexactly(size_bytes)
            except asyncio.IncompleteReadError:
                self.close()


def _plain(error: Exception) -> str:
    # asyncio puts "Connect call failed ('10.0.0.1', 80)" where the system's word for it would be.
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
