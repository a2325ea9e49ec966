"""Stores against scripted servers: what is refused, and what may have happened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.probes.stores import Connection, Refused, StoreName, Unclear, connect


@asynccontextmanager
async def _server(store: StoreName, *answers: bytes) -> AsyncIterator[Connection]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(65536)
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = await connect(store, "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield connection
    finally:
        connection.close()
        server.close()


def _http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    ("store", "answer"),
    [
        ("redis", b"-READONLY You can't write against a read only replica.\r\n"),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n"),
        ("etcd", _http(429, b'{"error":"etcdserver: too many requests","code":8}')),
    ],
)
async def test_a_refusal_is_definite(store: StoreName, answer: bytes) -> None:
    async with _server(store, answer) as connection:
        with pytest.raises(Refused):
            await connection.write(1)


@pytest.mark.parametrize(
    ("store", "answer"),
    [
        ("redis", b"-ERR something else\r\n"),
        ("etcd", _http(503, b'{"error":"etcdserver: request timed out","code":14}')),
        ("etcd", _http(502, b"<html>bad gateway</html>")),
    ],
)
async def test_any_other_error_leaves_the_outcome_open(store: StoreName, answer: bytes) -> None:
    async with _server(store, answer) as connection:
        with pytest.raises(Unclear):
            await connection.write(1)


@pytest.mark.parametrize("store", ["redis", "etcd"])
async def test_a_connection_lost_before_the_answer_is_an_end_of_file(store: StoreName) -> None:
    async with _server(store, b"") as connection:
        with pytest.raises((EOFError, ConnectionError)):
            await connection.write(1)


async def test_a_chunked_answer_in_pages_is_read_whole() -> None:
    first = b'{"kvs":[{"key":"bGVkZ2VyLzE="}],"more":true}'  # ledger/1
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    second = b'{"kvs":[{"key":"bGVkZ2VyLzI="}]}'  # ledger/2
    pages = (chunked % (first[:5], len(first) - 5, first[5:]), _http(200, second))
    async with _server("etcd", *pages) as connection:
        assert await connection.read_all() == [1, 2]


async def test_a_redis_set_is_read_whole() -> None:
    async with _server("redis", b"*2\r\n$1\r\n7\r\n$2\r\n12\r\n") as connection:
        assert await connection.read_all() == [7, 12]
