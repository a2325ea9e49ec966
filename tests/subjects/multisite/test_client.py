"""A visitor against a real backend, and against servers that answer as edges do when something is wrong."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.subjects.multisite import web_server
from harness.subjects.multisite.client import HttpClient
from harness.wait import until
from harness.workloads.client import CONNECTION_ENDED, Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Route
from tests.stack.multisite.places import free_ports


def visit(method: str, number: int = 7) -> Request:
    return Request(function=method, key="api.test", route=0, value=number)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[HttpClient]:
    """A client of a server that gives this answer to whatever it is asked, and then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = HttpClient(Route(address="127.0.0.1", port=server.sockets[0].getsockname()[1]))
    async with server:
        await client.open()
        yield client
        client.close()


async def test_a_backend_notes_what_its_visitors_numbered(tmp_path: Path) -> None:
    log = tmp_path / "web.jsonl"
    (port,) = free_ports(1)
    server = await asyncio.create_subprocess_exec(sys.executable, web_server.__file__, str(port), str(log))
    client = HttpClient(Route(address="127.0.0.1", port=port))

    async def connected() -> bool:
        try:
            await client.open()
        except OSError:
            return False
        return True

    async def noted_all() -> bool:
        return len(log.read_text().splitlines()) == 4

    try:
        await until(connected, within_s=10, every_s=0.05, what="the server listens")
        assert await client.invoke(visit("POST", 1)) == 1
        assert await client.invoke(visit("GET", 2)) == 2
        await until(noted_all, within_s=10, every_s=0.01, what="its last note is written")
    finally:
        client.close()
        server.kill()
        await server.wait()
    noted = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["request"], one["method"], one["answered"]) for one in noted] == [
        (1, "POST", False),
        (1, "POST", True),
        (2, "GET", False),
        (2, "GET", True),
    ]


@pytest.mark.parametrize(
    ("method", "answer", "error"),
    [
        ("GET", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Refused),
        ("POST", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Unclear),
        ("POST", b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 11\r\n\r\nno backend\n", Refused),
        ("POST", b"HTTP/1.1 200 OK\r\n\r\n", ValueError),
        ("POST", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", EOFError),
        ("GET", b"", EOFError),
        ("GET", b"SSH-2.0-x\r\n\r\n", ValueError),
    ],
)
async def test_what_an_answer_means(method: str, answer: bytes, error: type[Exception]) -> None:
    async with answering(answer) as client:
        with pytest.raises(error) as raised:
            await client.invoke(visit(method))
    assert isinstance(raised.value, (Refused, *CONNECTION_ENDED))
    assert client.at_stake is (method == "POST")
