"""The P2P server of a daemon: on the mesh address, for signed callers; anybody else sees a 404."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .core import MAX_HEAD_BYTES, Door, Request, sign_answer
from .http import MAC, NONCE, NOT_FOUND, PORT, REASONS, SENDER, TIME, ProtocolError, parse_object, read_message

READ_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 64

Body = dict[str, object]
Handler = Callable[[str, Body], Awaitable[tuple[int, Body]]]
"""Given who asks and what, gives status and answer. Runs only for callers that were let in."""
MayCall = Callable[[str, str], bool]


class Server:
    """Serves ``routes`` (method and path to handler), which parts of the daemon add to."""

    def __init__(self, own_name: str, door: Door, may_call: MayCall, log: Callable[..., None]) -> None:
        """``may_call(sender, path)`` narrows what a sender may ask for (a join token is no member)."""
        self.routes: dict[tuple[str, str], Handler] = {}
        self.refused = 0
        self._own_name, self._door, self._may_call, self._log = own_name, door, may_call, log
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self, address: str, port: int = PORT) -> int:
        """Listen on the mesh address and nowhere else; returns the port. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, address, port, limit=MAX_HEAD_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        try:
            if self._open >= MAX_CONNECTIONS or not self._door.may_knock(address, time.monotonic()):
                return
            self._open += 1
            try:
                writer.write(await self._answer(reader, address))
                await asyncio.wait_for(writer.drain(), READ_TIMEOUT_S)
            finally:
                self._open -= 1
        except (OSError, TimeoutError):
            pass
        finally:
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, address: str) -> bytes:
        try:
            message = await asyncio.wait_for(read_message(reader), READ_TIMEOUT_S)
            method, path, _ = message.first
            headers = message.headers
            at = headers.get(TIME, "")
            request = Request(
                method=method,
                path=path,
                sender=headers.get(SENDER, ""),
                to=self._own_name,
                at_s=int(at) if at.isascii() and at.isdigit() and len(at) < 16 else 0,
                nonce=headers.get(NONCE, "")[:64],
                body=message.body,
                mac=headers.get(MAC, ""),
            )
            key = self._door.admit(request, address, time.time())
            body = parse_object(message.body) if key is not None else {}
        except (ProtocolError, TimeoutError, OSError):
            self.refused += 1
            return NOT_FOUND
        handler = self.routes.get((method, path))
        if key is None or handler is None or not self._may_call(request.sender, path):
            self.refused += 1
            return NOT_FOUND
        status, answer = await self._handle(handler, request, body)
        return _render(key, request.nonce, status, answer)

    async def _handle(self, handler: Handler, request: Request, body: Body) -> tuple[int, Body]:
        try:
            return await handler(request.sender, body)
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"error": f"{request.path}: the request is not understood ({type(error).__name__}: {error})"}
        except Exception as error:
            self._log("warning", what=f"p2p {request.path}", message=f"{type(error).__name__}: {error}")
            return 500, {"error": f"{request.path}: {type(error).__name__}: {error}"}


def _render(key: bytes, nonce: str, status: int, answer: Body) -> bytes:
    body = json.dumps(answer, separators=(",", ":")).encode()
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"{MAC}: {sign_answer(key, nonce, status, body)}",
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
