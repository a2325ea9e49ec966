"""How a visitor tells what happened from what a balancer answers: over a socket, word for word."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from harness.subjects.dataservices.notes import API_HOST, FRONT_HOST, NotesClient
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Route

Answering = Callable[[str, str], tuple[int, str] | None]
"""Method with path, and host -> status and body; None: hangs up."""


@asynccontextmanager
async def visitor(answering: Answering) -> AsyncIterator[NotesClient]:
    """Of a balancer that answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with_what: tuple[int, str] | None = (0, "")
        while with_what is not None and not reader.at_eof():
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except asyncio.IncompleteReadError:
                break
            first, host = head.split("\r\n")[:2]
            with_what = answering(first.removesuffix(" HTTP/1.1"), host.removeprefix("Host: "))
            if with_what is not None:
                status, body = with_what
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        client = NotesClient(Route(address="127.0.0.1", port=server.sockets[0].getsockname()[1]))
        await client.open()
        yield client
        client.close()


WRITE = Request(function="write", key="board", route=0, value=7)
READ = Request(function="read", key="board", route=0)


def answers(put: tuple[int, str] | None, page: tuple[int, str] | None) -> Answering:
    """To a note, and to who looks at the page."""

    def answer(asked: str, host: str) -> tuple[int, str] | None:
        assert (asked, host) in (("PUT /notes/board/7", API_HOST), ("GET /board", FRONT_HOST))
        return put if host == API_HOST else page

    return answer


async def test_a_note_is_acknowledged_once_it_is_on_a_page() -> None:
    async with visitor(answers((200, "{}"), (200, "<ul><li>6</li>\n<li>7</li></ul>"))) as client:
        assert [await client.invoke(WRITE) for _ in range(2)] == [7, 7]
        assert client.at_stake


@pytest.mark.parametrize(
    ("put", "page"),
    [
        ((503, "no server"), (200, "<li>7</li>")),
        ((504, ""), (200, "<li>7</li>")),
        ((200, "{}"), (503, "cannot be read")),
        ((200, "{}"), (200, "<li>77</li>")),
    ],
)
async def test_anything_else_may_have_been_done(put: tuple[int, str], page: tuple[int, str]) -> None:
    async with visitor(answers(put, page)) as client:
        with pytest.raises(Unclear):
            await client.invoke(WRITE)
        assert client.at_stake


async def test_who_hangs_up_leaves_it_open() -> None:
    async with visitor(answers(None, None)) as client:
        with pytest.raises(EOFError):
            await client.invoke(WRITE)
        assert client.at_stake


@pytest.mark.parametrize(
    ("body", "found"),
    [('{"by": "s1", "notes": ["10", "9"], "reads": null}', [9, 10]), ('{"by": "s1", "notes": [], "reads": 3}', [])],
)
async def test_a_board_is_read(body: str, found: list[int]) -> None:
    async with visitor(lambda asked, host: (200, body)) as client:
        assert await client.invoke(READ) == found
        assert not client.at_stake


async def test_a_board_that_cannot_be_read_is_not_an_empty_one() -> None:
    async with visitor(lambda asked, host: (503, '{"why": "no"}')) as client:
        with pytest.raises(Refused):
            await client.invoke(READ)
