"""The P2P server of a daemon: on the mesh address, for signed callers; anybody else sees a 404.

It shares its loop with the lease, so whatever knocks must cost that next to nothing: connections are taken a few a
turn, and those that are too many for their caller are closed before anything is made for them. Each caller has a share
of its own, so that none can shut out the others; where its share is full, what has lasted longest makes room.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .core import MAX_HEAD_BYTES, Door, Request, sign_answer
from .http import (
    MAC,
    NONCE,
    NOT_FOUND,
    PORT,
    REASONS,
    SENDER,
    TIME,
    TOO_EARLY,
    Message,
    ProtocolError,
    parse_object,
    read_message,
)

READ_TIMEOUT_S = 5.0
CONNECTIONS_PER_CALLER = 8
TAKEN_A_TURN = 4
TAKEN_PER_S, REST_S = 4000, 0.01
"""More connections than this wait in the kernel, or are turned away there."""
WAITING = 256
_AT_ONCE = struct.pack("ii", 1, 0)
"""For SO_LINGER: a connection that is closed is forgotten, and does not wait for its other end."""

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
        self._listening: socket.socket | None = None
        self._reading: dict[str, list[asyncio.Task[None]]] = {}
        """What is being read, by caller, the oldest first; whose request is being carried out is not among them."""
        self._open: set[asyncio.Task[None]] = set()
        self._budget, self._budget_at_s = float(TAKEN_A_TURN), 0.0

    async def start(self, address: str, port: int = PORT) -> int:
        """Listen on the mesh address and nowhere else; returns the port. Raises OSError."""
        self._loop = asyncio.get_running_loop()
        listening = socket.create_server((address, port), backlog=WAITING)
        listening.setblocking(False)
        self._listening = listening
        self._loop.add_reader(listening.fileno(), self._take)
        return int(listening.getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._loop.remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None

    def _take(self) -> None:
        """Take a few of the connections that wait."""
        assert self._listening is not None
        now_s = time.monotonic()
        gained = (now_s - self._budget_at_s) * TAKEN_PER_S
        self._budget, self._budget_at_s = min(self._budget + gained, TAKEN_PER_S * REST_S), now_s
        for _ in range(TAKEN_A_TURN):
            try:
                connection, (address, *_) = self._listening.accept()
            except OSError:  # nobody waits any more, or whoever did has gone
                return
            self._budget -= 1
            self._receive(connection, str(address), now_s)
        if self._budget < 0:
            self._loop.remove_reader(self._listening.fileno())
            self._loop.call_later(REST_S, self._take_again)

    def _take_again(self) -> None:
        if self._listening is not None:
            self._loop.add_reader(self._listening.fileno(), self._take)

    def _receive(self, connection: socket.socket, address: str, now_s: float) -> None:
        caller = self._door.caller(address)
        if not self._door.may_knock(caller, now_s):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            connection.close()
            return
        reading = self._reading.setdefault(caller, [])
        if len(reading) >= CONNECTIONS_PER_CALLER:
            reading.pop(0).cancel()
        connection.setblocking(False)
        task = self._loop.create_task(self._serve(connection, address, caller))
        reading.append(task)
        self._open.add(task)
        task.add_done_callback(lambda done: self._ended(caller, done))

    def _ended(self, caller: str, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        self._read(caller, task)

    def _read(self, caller: str, task: "asyncio.Task[None] | None") -> None:
        """This one makes room for nobody any more, and takes none."""
        reading = self._reading.get(caller, [])
        if task in reading:
            reading.remove(task)
        if not reading:
            self._reading.pop(caller, None)

    async def _serve(self, connection: socket.socket, address: str, caller: str) -> None:
        reader = asyncio.StreamReader(MAX_HEAD_BYTES)
        try:
            transport, protocol = await self._loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader), connection
            )
        except BaseException:
            connection.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            writer.write(await self._answer(reader, address, caller))
            await asyncio.wait_for(writer.drain(), READ_TIMEOUT_S)
        except (OSError, TimeoutError):
            pass
        except asyncio.CancelledError:
            transport.abort()
            raise
        finally:
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, address: str, caller: str) -> bytes:
        try:
            message = await asyncio.wait_for(read_message(reader), READ_TIMEOUT_S)
            self._read(caller, asyncio.current_task())
            request = self._request(message)
            wall_s = time.time()
            key = self._door.admit(request, address, wall_s)
            body = parse_object(message.body) if key is not None else {}
        except (ProtocolError, TimeoutError, OSError):
            self.refused += 1
            return NOT_FOUND
        if key is None and (greeted := self._door.greet(request, address, wall_s)) is not None:
            return _render(greeted, request.nonce, TOO_EARLY, {"life": self._door.life})
        handler = self.routes.get((request.method, request.path))
        if key is None or handler is None or not self._may_call(request.sender, request.path):
            self.refused += 1
            return NOT_FOUND
        status, answer = await self._handle(handler, request, body)
        return _render(key, request.nonce, status, answer)

    def _request(self, message: Message) -> Request:
        method, path, _ = message.first
        headers = message.headers
        at = headers.get(TIME, "")
        return Request(
            method=method,
            path=path,
            sender=headers.get(SENDER, ""),
            to=self._own_name,
            at_s=int(at) if at.isascii() and at.isdigit() and len(at) < 16 else 0,
            nonce=headers.get(NONCE, "")[:64],
            body=message.body,
            mac=headers.get(MAC, ""),
        )

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
