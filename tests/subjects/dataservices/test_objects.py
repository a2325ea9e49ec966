"""How a client of an object store tells what happened from what the store says: over a socket, by HTTP."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from harness.subjects.dataservices.objects import Keys, ObjectsClient, content_of, signed
from harness.workloads.client import Refused, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import Route

KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
Answer = tuple[int, bytes] | None
"""Nothing: it hangs up."""
OF_S3 = "http://s3.amazonaws.com/doc/2006-03-01/"


def test_a_request_is_signed_as_in_an_example_of_aws() -> None:
    """Amazon S3, API Reference: *Authenticating Requests: Using the Authorization Header*, example 4."""
    at = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC)
    told = dict(signed("GET", "/?max-keys=2&prefix=J", b"", host="examplebucket.s3.amazonaws.com", keys=KEYS, at=at))
    assert told["authorization"].endswith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")


class Store:
    """Has buckets and objects; what it answers to some requests is known beforehand."""

    def __init__(self, says: Callable[[str, str], Answer | str] = lambda *_: "as it is") -> None:
        self.has: dict[str, bytes] = {}
        self.buckets: set[str] = set()
        self.asked: list[str] = []
        self._says = says

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while line := (await reader.readline()).decode():
                method, target, _ = line.split()
                size = 0
                while header := (await reader.readline()).decode().strip():
                    name, _, value = header.partition(": ")
                    size = int(value) if name == "content-length" else size
                self.asked.append(f"{method} {target}")
                answer = self._says(method, target)
                body = await reader.readexactly(size)
                said = self._answer(method, target, body) if isinstance(answer, str) else answer
                if said is None:
                    return
                status, content = said
                if status == 200 and "list-type" in target:  # in pieces, as stores may
                    pieces = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
                    writer.write(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)
                else:
                    writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content))
                await writer.drain()
        finally:
            writer.close()

    def _answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        bucket, _, key = target.partition("?")[0].removeprefix("/").partition("/")
        if method == "PUT" and not key:
            self.buckets.add(bucket)
            return 200, b""
        if bucket not in self.buckets:
            return 404, b"NoSuchBucket"
        if method == "PUT":
            self.has[f"{bucket}/{key}"] = body
            return 200, b""
        if not key:
            listed = "".join(f"<Contents><Key>{one.partition('/')[2]}</Key></Contents>" for one in self.has)
            return 200, f'<ListBucketResult xmlns="{OF_S3}">{listed}</ListBucketResult>'.encode()
        found = self.has.get(f"{bucket}/{key}")
        return (404, b"NoSuchKey") if found is None else (200, found)


@asynccontextmanager
async def client_of(store: Store) -> AsyncIterator[ObjectsClient]:
    """A client of it."""
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    async with server:
        client = ObjectsClient(Route(address="127.0.0.1", port=server.sockets[0].getsockname()[1]), KEYS)
        await client.open()
        try:
            yield client
        finally:
            client.close()


def add(number: int) -> Request:
    """An element of the set."""
    return Request(function="add", key="elements", route=0, value=number)


READ = Request(function="read", key="elements", route=0)


async def test_elements_are_there_once_they_are_given_as_they_were_put() -> None:
    store = Store()
    async with client_of(store) as client:
        assert await client.invoke(READ) == []
        for number in (3, 1, 2):
            assert await client.invoke(add(number)) == number
            assert client.at_stake
        assert await client.invoke(READ) == [1, 2, 3]
        assert not client.at_stake
        store.has["elements/2"] = content_of(1)
        assert await client.invoke(READ) == [1, 3]
    assert store.asked.count("PUT /elements") == 1


async def test_what_is_listed_and_not_given_is_not_there() -> None:
    lost = Store(
        lambda method, target: (500, b"no volume") if (method, target) == ("GET", "/elements/1") else "as it is"
    )
    async with client_of(lost) as client:
        for number in (1, 2):
            await client.invoke(add(number))
        assert await client.invoke(READ) == [2]


@pytest.mark.parametrize(
    ("answer", "error"), [((500, b"x"), Unclear), ((503, b"x"), Unclear), ((403, b"x"), Refused), (None, EOFError)]
)
async def test_what_may_have_been_done_is_told_from_what_was_not(answer: Answer, error: type[Exception]) -> None:
    async with client_of(Store(lambda *_: answer)) as client:
        with pytest.raises(error):
            await client.invoke(add(1))
        assert client.at_stake


async def test_a_register_has_the_value_that_was_put_last() -> None:
    async with client_of(Store()) as client:
        read = Request(function="read", key="registers", route=0)
        assert await client.invoke(read) is None
        for value in (5, 7):
            await client.invoke(Request(function="write", key="registers", route=0, value=value))
        assert await client.invoke(read) == 7
