"""How a client of NATS tells what happened from what a server says, which is known beforehand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from harness.events import Json
from harness.subjects.nats.client import NatsClient
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Route

NOBODY = b"NATS/1.0 503\r\n\r\n"
ADDED = b'{"stream":"ledger","seq":1}'


class Server:
    """Answers each message with the next of these, as one with headers where it begins as they do."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[str] = []
        self._answers = [*answers]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x"}\r\n')
        while line := await reader.readline():
            kind, *words = line.decode().split()
            if kind == "PING":
                writer.write(b"PONG\r\n")
            elif kind == "PUB":
                subject, inbox, size = words
                await reader.readexactly(int(size) + 2)
                self.asked.append(subject)
                answer = self._answers.pop(0)
                head = f"HMSG {inbox} 1 {len(answer)}" if answer.startswith(b"NATS") else f"MSG {inbox} 1"
                # What is late of an earlier question is not its answer.
                writer.write(b"PING\r\nMSG answers.0 1 2\r\n{}\r\n")
                writer.write(f"{head} {len(answer)}\r\n".encode() + answer + b"\r\n")
        writer.close()


@asynccontextmanager
async def connected(*answers: bytes) -> AsyncIterator[tuple[NatsClient, Server]]:
    served = Server(*answers)
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    client = NatsClient(Route(address="127.0.0.1", port=listening.sockets[0].getsockname()[1]))
    await client.open()
    try:
        yield client, served
    finally:
        client.close()
        listening.close()


def asked(function: str, value: Json = None) -> Request:
    return Request(function=function, key="ledger", route=0, value=value)


async def test_an_element_is_a_message_with_a_subject_of_its_own() -> None:
    async with connected(ADDED) as (client, server):
        assert await client.invoke(asked("write", 7)) == 7
        assert client.at_stake
        assert server.asked == ["ledger.7"]


async def test_a_stream_that_is_not_there_is_made_once() -> None:
    async with connected(NOBODY, b'{"type":"created"}', ADDED) as (client, server):
        assert await client.invoke(asked("write", 7)) == 7
        assert server.asked == ["ledger.7", "$JS.API.STREAM.CREATE.ledger", "ledger.7"]


@pytest.mark.parametrize("answers", [(NOBODY, NOBODY), (NOBODY, b"{}", NOBODY)])
async def test_where_nobody_is_there_nothing_happened(answers: Sequence[bytes]) -> None:
    async with connected(*answers) as (client, _):
        with pytest.raises(Refused):
            await client.invoke(asked("write", 7))


async def test_after_an_error_nobody_knows() -> None:
    async with connected(b'{"error":{"code":503,"description":"no leader"}}') as (client, _):
        with pytest.raises(Unclear, match="no leader"):
            await client.invoke(asked("write", 7))
        assert client.at_stake


async def test_all_pages_of_elements_are_read() -> None:
    pages = (
        b'{"state":{"num_subjects":3,"subjects":{"ledger.3":1,"ledger.1":1}}}',
        b'{"state":{"num_subjects":3,"subjects":{"ledger.2":1}}}',
    )
    async with connected(*pages) as (client, _):
        assert await client.invoke(asked("read")) == [1, 2, 3]
    async with connected(b'{"error":{"code":404,"err_code":10059,"description":"stream not found"}}') as (client, _):
        assert await client.invoke(asked("read")) == []
