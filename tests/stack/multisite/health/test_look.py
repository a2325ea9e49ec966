"""Looks at real servers that behave and misbehave."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.stack.multisite.edge.cutting import SocketsOfThisMachine
from harness.stack.multisite.health.core import Outcome
from harness.stack.multisite.health.look import Asked
from harness.stack.multisite.inventory.seen import SILENT
from harness.stack.multisite.inventory.snapshot import Backend
from harness.wait import until
from tests.stack.multisite.places import free_ports

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def server(*answers: bytes | None) -> AsyncIterator[tuple[Asked, list[int]]]:
    """Answers the first request with the first, and so on, the last again and again; None: never."""
    connections: list[int] = []
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writers.append(writer)
        while True:
            try:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            answer = answers[min(len(asked), len(answers)) - 1]
            if answer is not None:
                writer.write(answer.removesuffix(b"CLOSE"))
                if answer.endswith(b"CLOSE"):
                    writer.close()
                    return

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    one = Asked(Backend("api", "dijon", "127.0.0.1", port, "/health?x=1", 0, 1))
    try:
        yield one, connections
        assert not asked or asked[0].startswith(b"GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    finally:
        one.close()
        listening.close()
        for writer in writers:
            writer.close()


async def test_one_connection_serves_many_looks() -> None:
    async with server(OK) as (one, connections):
        for _ in range(5):
            assert await one.look(5) == (Outcome.answered, "")
        assert len(connections) == 1


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Outcome.answered, ""),
        (b"HTTP/1.0 200 OK\r\n\r\nold", Outcome.answered, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", Outcome.answered, ""),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Outcome.refused, "status 500"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", Outcome.refused, "status 302"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Outcome.refused, "no HTTP: 'SSH-2.0-OpenSSH\\r\\n\\r\\n'"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", Outcome.refused, "no HTTP: more than 32768"),
        (b"CLOSE", Outcome.refused, "closed without an answer"),
        (b"HTTP/1.1 2CLOSE", Outcome.refused, "closed within an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalfCLOSE", Outcome.answered, ""),
        (None, Outcome.silence, "no answer within 0.2 s"),
    ],
)
async def test_each_end_is_called_what_it_is(answer: bytes | None, outcome: Outcome, detail: str) -> None:
    async with server(answer) as (one, _):
        for _ in range(2):  # the second by a new connection, where the first could not be kept
            ended, why = await one.look(0.2 if answer is None else 10)
            assert ended is outcome
            assert why.startswith(detail)


async def test_who_was_silent_is_said_to_be_when_we_end_his_connection() -> None:
    if shutil.which("ss") is None:
        pytest.skip("not shown here: there is no ss (package iproute2)")
    said: list[str] = []
    sockets = SocketsOfThisMachine(lambda event, **_fields: said.append(event))
    async with server(None) as (one, connections):
        looking = asyncio.create_task(one.look(10))

        async def asked() -> bool:
            return bool(connections)

        await until(asked, within_s=5, every_s=0.01, what="it is being asked")
        await sockets.end(f"127.0.0.1:{one._port}")
        if said:
            looking.cancel()
            pytest.skip("not shown here: connections cannot be ended")
        # The kept connection is ended: it is asked again, and that one is ended as well.
        while not looking.done():
            await sockets.end(f"127.0.0.1:{one._port}")
            await asyncio.wait((looking,), timeout=0.05)
        assert looking.result() == (Outcome.silence, SILENT)


async def test_nobody_listens() -> None:
    one = Asked(Backend("api", "dijon", "127.0.0.1", free_ports(1)[0], "/", 0, 1))
    assert await one.look(10) == (Outcome.refused, "Connection refused")


async def test_a_kept_connection_that_was_closed_is_no_refusal() -> None:
    async with server(OK, b"CLOSE", OK) as (one, connections):
        assert (await one.look(10))[0] is Outcome.answered
        assert (await one.look(10))[0] is Outcome.answered
        assert len(connections) == 2


async def test_a_connection_with_more_on_it_than_was_asked_for_is_not_asked_again() -> None:
    async with server(OK + b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", OK) as (one, connections):
        for _ in range(3):
            assert await one.look(10) == (Outcome.answered, "")
        assert len(connections) == 2


async def test_health_may_be_asked_elsewhere() -> None:
    port = free_ports(1)[0]

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", port)
    one = Asked(Backend("api", "dijon", "192.0.2.1", 80, f"http://127.0.0.1:{port}/up", 0, 1))
    assert (await one.look(10))[0] is Outcome.answered
    one.close()
    listening.close()
