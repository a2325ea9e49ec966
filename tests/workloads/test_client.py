"""Clients against scripted servers: what is refused, what may have happened, and what cannot have."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.errors import UsageError
from harness.events import Json
from harness.subjects.found import subject_called
from harness.workloads.client import Client, Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Load, ModelName, Route


@asynccontextmanager
async def _client(
    store: str, *answers: bytes, model: ModelName = "ledger", serializable: bool = False
) -> AsyncIterator[tuple[Client, list[bytes]]]:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            asked.append(await reader.read(65536))
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    route = Route(address="127.0.0.1", port=server.sockets[0].getsockname()[1], serializable=serializable)
    load = Load(model=model, key="x", store=store, routes=(route,), rate_per_s=1.0, timeout_s=1.0)
    client = subject_called(load.store).client(load.model, route)
    await client.open()
    try:
        yield client, asked
    finally:
        client.close()
        server.close()


def _http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def _ok(**fields: Any) -> bytes:
    return _http(200, json.dumps(fields).encode())


def _request(function: str, value: Json = None) -> Request:
    return Request(function=function, key="x", route=0, value=value)


WRITE = _request("write", 1)
ONE = {"key": "eC8x", "value": "MQ==", "mod_revision": "7"}  # x/1 = 1


@pytest.mark.parametrize(
    ("store", "answer"),
    [
        ("redis", b"-READONLY You can't write against a read only replica.\r\n"),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n"),
        ("etcd", _http(429, b'{"error":"etcdserver: too many requests","code":8}')),
    ],
)
async def test_a_refusal_is_definite(store: str, answer: bytes) -> None:
    async with _client(store, answer) as (client, _):
        with pytest.raises(Refused):
            await client.invoke(WRITE)


@pytest.mark.parametrize(
    ("store", "answer"),
    [
        ("redis", b"-ERR something else\r\n"),
        ("etcd", _http(503, b'{"error":"etcdserver: request timed out","code":14}')),
        ("etcd", _http(502, b"<html>bad gateway</html>")),
    ],
)
async def test_any_other_error_leaves_the_outcome_open(store: str, answer: bytes) -> None:
    async with _client(store, answer) as (client, _):
        with pytest.raises(Unclear):
            await client.invoke(WRITE)
        assert client.at_stake


@pytest.mark.parametrize("store", ["redis", "etcd"])
async def test_a_connection_lost_before_the_answer_is_an_end_of_file(store: str) -> None:
    async with _client(store, b"") as (client, _):
        with pytest.raises((EOFError, ConnectionError)):
            await client.invoke(WRITE)
        assert client.at_stake


@pytest.mark.parametrize("store", ["redis", "etcd"])
async def test_a_read_that_fails_has_changed_nothing(store: str) -> None:
    async with _client(store, b"", model="set") as (client, _):
        with pytest.raises((EOFError, ConnectionError)):
            await client.invoke(_request("read"))
        assert not client.at_stake


async def test_a_client_that_was_never_connected_says_so() -> None:
    route = Route(address="127.0.0.1", port=1)
    load = Load(model="set", key="x", store="redis", routes=(route,), rate_per_s=1.0, timeout_s=1.0)
    client = subject_called(load.store).client(load.model, route)
    client.close()
    with pytest.raises(ConnectionError):
        await client.invoke(_request("read"))


async def test_a_chunked_answer_in_pages_is_read_whole_at_one_revision() -> None:
    first = b'{"header":{"revision":"41"},"kvs":[{"key":"eC8x"}],"more":true}'  # x/1
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    second = _ok(header={"revision": "43"}, kvs=[{"key": "eC8y"}])  # x/2
    async with _client("etcd", chunked % (first[:5], len(first) - 5, first[5:]), second) as (client, asked):
        assert await client.invoke(_request("read")) == [1, 2]
    assert b'"revision": "41"' in asked[1]


async def test_a_redis_set_is_read_whole() -> None:
    async with _client("redis", b"*2\r\n$2\r\n12\r\n$1\r\n7\r\n") as (client, _):
        assert await client.invoke(_request("read")) == [7, 12]


@pytest.mark.parametrize(
    ("model", "request_", "before"),
    [
        ("register", _request("cas", [None, 1]), ()),
        ("register", _request("cas", [3, 1]), ()),
        ("list", _request("append", 1), (_ok(),)),
        ("queue", _request("dequeue"), (_ok(kvs=[ONE]),)),
        ("bank", _request("transfer", {"from": 0, "to": 1, "amount": 5}), (_ok(),)),
    ],
)
async def test_a_lost_comparison_has_failed_and_silence_after_it_was_sent_is_open(
    model: ModelName, request_: Request, before: tuple[bytes, ...]
) -> None:
    async with _client("etcd", *before, _ok(), model=model) as (client, _):
        with pytest.raises(Refused):
            await client.invoke(request_)
    async with _client("etcd", *before, b"", model=model) as (client, _):
        with pytest.raises((EOFError, ConnectionError)):
            await client.invoke(request_)
        assert client.at_stake


@pytest.mark.parametrize(
    ("model", "request_"),
    [
        ("list", _request("append", 1)),
        ("queue", _request("dequeue")),
        ("bank", _request("transfer", {"from": 0, "to": 1, "amount": 5})),
    ],
)
async def test_silence_before_anything_was_to_be_changed_is_no_doubt(model: ModelName, request_: Request) -> None:
    async with _client("etcd", b"", model=model) as (client, _):
        with pytest.raises((EOFError, ConnectionError)):
            await client.invoke(request_)
        assert not client.at_stake


async def test_an_account_is_never_overdrawn() -> None:
    async with _client("etcd", _ok(), model="bank") as (client, asked):
        with pytest.raises(Refused, match="account 0 holds 100 only"):
            await client.invoke(_request("transfer", {"from": 0, "to": 1, "amount": 101}))
    assert len(asked) == 1


@pytest.mark.parametrize("model", ["register", "set", "list", "bank"])
async def test_only_who_asks_for_it_is_answered_from_a_members_own_copy(model: ModelName) -> None:
    for own_copy in (False, True):
        answer = _ok(header={"revision": "1"})
        async with _client("etcd", answer, model=model, serializable=own_copy) as (client, asked):
            await client.invoke(_request("read"))
        assert (b'"serializable": true' in asked[0]) is own_copy


async def test_redis_has_no_queues_here() -> None:
    with pytest.raises(UsageError, match="clients of Redis know ledger and set, no queue"):
        async with _client("redis", model="queue"):
            pass
