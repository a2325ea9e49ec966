"""The way into a node with a kernel of its own: connections to the agent in it (guest.py)."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.clock import now_s
from harness.engines.engine import ClockOffset
from harness.engines.uml.asked import CONNECT_S, connect, first_frame, request_frame
from harness.engines.uml.clocks import NodeClock, Reading
from harness.engines.uml.guest.watch import CLOCK, QUESTION
from harness.engines.uml.guest.wire import (
    CHUNK_BYTES,
    ERRORS,
    INPUT,
    INPUT_ENDS,
    OUTPUT,
    RESULT,
    STARTED,
    Frames,
    decode,
    frame,
)
from harness.errors import EngineError

_DYING_S = 2.0
_EXCHANGES = 12
GONE_AFTER_S = 5.0


class PowerLost(Exception):
    """The node ended before it had answered."""

    def __init__(self, *, started: bool) -> None:
        super().__init__("the node lost its power")
        self.started = started


@dataclass(slots=True)
class Answer:
    """What the agent sent back."""

    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    result: dict[str, Any] = field(default_factory=dict)
    started: bool = False


def read_clock(pid: int) -> ClockOffset:
    """Compare the clock of a node with ours. EngineError when it does not answer."""
    clock = NodeClock()
    try:
        with connect(pid) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request_frame({"do": "watch", "protocols": []}))
            for number in range(_EXCHANGES):
                asked_s = now_s()
                connection.sendall(frame(INPUT, QUESTION.pack(number)))
                _, said_s = CLOCK.unpack(first_frame(connection, INPUT))
                clock.feed(Reading(asked_s, said_s, now_s()))
    except OSError as error:
        raise EngineError(f"the agent in the node does not answer: {error}") from error
    low_s, high_s = clock.difference_s(now_s())
    return ClockOffset((low_s + high_s) / 2, (high_s - low_s) / 2)


async def ask(
    pid: int,
    request: Mapping[str, object],
    content: bytes | None = None,
    *,
    timeout_s: float,
    connect_within_s: float = CONNECT_S,
) -> Answer:
    """Ask the agent for something and wait for its answer. ``content`` is sent along.

    Raises TimeoutError, when what was asked for has been ended, and PowerLost.
    """
    async with _connected(pid, connect_within_s) as connection, _end_of(pid) as end:
        answer = Answer()
        exchange = asyncio.ensure_future(_exchange(connection, request, content, answer))
        try:
            done, _ = await asyncio.wait({exchange, end}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if exchange in done:
                try:
                    exchange.result()
                    return answer
                except OSError:
                    # The agent never ends a connection by itself: either the node has ended, or the agent alone.
                    await asyncio.wait({end}, timeout=GONE_AFTER_S)
                    if not end.done():
                        raise EngineError("the agent in the node has ended") from None
            if end.done():
                raise PowerLost(started=answer.started)
            await _hang_up(connection)
            raise TimeoutError
        finally:
            exchange.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await exchange


async def _exchange(
    connection: socket.socket, request: Mapping[str, object], content: bytes | None, answer: Answer
) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, request_frame(request))
    if content is not None:
        for begin in range(0, len(content), CHUNK_BYTES):
            await loop.sock_sendall(connection, frame(INPUT, content[begin : begin + CHUNK_BYTES]))
        await loop.sock_sendall(connection, frame(INPUT_ENDS))
    frames = Frames()
    while data := await loop.sock_recv(connection, CHUNK_BYTES):
        for kind, piece in frames.feed(data):
            if kind == OUTPUT:
                answer.output += piece
            elif kind == ERRORS:
                answer.errors += piece
            elif kind == STARTED:
                answer.started = True
            elif kind == RESULT:
                answer.result = decode(piece)
                return
    raise ConnectionError("the agent has gone")


@asynccontextmanager
async def _connected(pid: int, within_s: float) -> AsyncIterator[socket.socket]:
    opening = asyncio.ensure_future(asyncio.to_thread(connect, pid, within_s))
    try:
        connection = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_result)
        raise
    with connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _close_result(opening: "asyncio.Future[socket.socket]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


@asynccontextmanager
async def _end_of(pid: int) -> AsyncIterator["asyncio.Future[None]"]:
    """Done when the process has ended: its network does not say so, it falls silent."""
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        end.set_result(None)
        yield end
        return

    def ended() -> None:
        loop.remove_reader(descriptor)
        if not end.done():
            end.set_result(None)

    loop.add_reader(descriptor, ended)
    try:
        yield end
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def _hang_up(connection: socket.socket) -> None:
    """Have the agent end what we asked for, and wait until it has."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_DYING_S):
            while await loop.sock_recv(connection, CHUNK_BYTES):
                pass
