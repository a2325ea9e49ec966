"""Looking at real things: a port, an HTTP server, a command."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from harness.stack.sfha.health.probes import look


@dataclass(frozen=True)
class Check:
    """What is looked at."""

    type: str
    target: str
    timeout_s: float = 2.0


@asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[int]:
    callers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)  # a connection that nobody knows is closed
        if answer:
            await reader.readline()
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.0 302 Found\r\n\r\n", None),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answered 503 Service Unavailable"),
        (b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP"),
    ],
)
async def test_http(answer: bytes, error: str | None) -> None:
    async with serving(answer) as port:
        said = await look(Check("http", f"http://127.0.0.1:{port}/health?deep=1"))
    assert said is None if error is None else error in str(said)


async def test_one_that_does_not_answer_takes_no_longer_than_it_may() -> None:
    async with serving(b"") as port:
        assert "no answer within 0.1 s" in str(await look(Check("http", f"http://127.0.0.1:{port}/", 0.1)))


async def test_tcp() -> None:
    async with serving(b"x") as port:
        assert await look(Check("tcp", f"127.0.0.1:{port}")) is None
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        free = closed.getsockname()[1]
        assert "127.0.0.1" in str(await look(Check("tcp", f"127.0.0.1:{free}")))


async def test_command() -> None:
    assert await look(Check("command", "true")) is None
    said = await look(Check("command", "sh -c 'echo it is broken >&2; exit 3'"))
    assert said is not None
    assert said.endswith("exit code 3: it is broken")
    assert "no answer within 0.1 s" in str(await look(Check("command", "sleep 100", 0.1)))
    assert "No such file" in str(await look(Check("command", "/nonexistent/check")))
