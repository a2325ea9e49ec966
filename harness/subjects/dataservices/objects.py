"""Clients of an object store (S3) over asyncio streams: sets, whose elements are objects, and registers.

A set is a bucket of its name, an element an object whose content follows from its name; what is listed and not given,
or given with another content, is not there. A register is an object that is put again and again. Requests are signed
by AWS's *Signature Version 4*.
"""

import asyncio
import datetime
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree import ElementTree

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set", "register")
REGISTERS = "registers"
"""Keys of registers begin so: a request does not say of which model it is."""
_REGION = "us-east-1"
_OK, _NOT_FOUND, _FAILS_FROM = range(200, 300), 404, 500
_SIZES_BYTES = (10, 3_000, 70_000)
_GETS_AT_ONCE = 8
_OF_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Who a client is."""

    access: str
    secret: str


def signed(
    method: str, target: str, body: bytes, *, host: str, keys: Keys, at: datetime.datetime
) -> Iterator[tuple[str, str]]:
    """The headers of a request; the query of its target is in the order of its names."""
    stamp, digest = at.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
    scope = f"{stamp[:8]}/{_REGION}/s3/aws4_request"
    told = (("host", host), ("x-amz-content-sha256", digest), ("x-amz-date", stamp))
    names = ";".join(name for name, _ in told)
    path, _, query = target.partition("?")
    canonical = "\n".join((method, path, query, *(f"{name}:{value}" for name, value in told), "", names, digest))
    signature = f"AWS4{keys.secret}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical)}"):
        signature = hmac.digest(signature, part.encode(), "sha256")
    yield from told
    credential = f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}"
    yield "authorization", f"{credential}, SignedHeaders={names}, Signature={signature.hex()}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(value: int) -> bytes:
    """Of the element of a set: its number, and more of it where it is a larger one."""
    text = f"{value}\n".encode()
    return text * (_SIZES_BYTES[value % len(_SIZES_BYTES)] // len(text) + 1)


class ObjectsClient:
    """A client of one server."""

    def __init__(self, route: Route, keys: Keys) -> None:
        self.at_stake = False
        self._route, self._keys = route, keys
        self._connection = _Connection(route, keys)
        self.open, self.close = self._connection.open, self._connection.close

    async def invoke(self, request: Request) -> Json:
        """Put an element, or get all of them; put a register's value, or get it (None: it never had one)."""
        self.at_stake = False
        if request.key.startswith(REGISTERS):
            return await self._register(request)
        if request.function == "read":
            return [*await self._elements(request.key)]
        assert isinstance(request.value, int)
        await self._put(request.key, str(request.value), content_of(request.value))
        return request.value

    async def _register(self, request: Request) -> Json:
        bucket, _, name = request.key.partition("/")
        if request.function == "read":
            status, body = await self._connection.ask("GET", _target(bucket, name or "value"))
            return None if status == _NOT_FOUND else int(_given(status, body))
        await self._put(bucket, name or "value", str(request.value).encode())
        return request.value

    async def _put(self, bucket: str, key: str, body: bytes) -> None:
        self.at_stake = True
        status, said = await self._connection.ask("PUT", _target(bucket, key), body)
        if status == _NOT_FOUND:  # somebody else may make the bucket in the same moment
            await self._connection.ask("PUT", _target(bucket))
            status, said = await self._connection.ask("PUT", _target(bucket, key), body)
        _given(status, said)

    async def _elements(self, bucket: str) -> list[int]:
        """Those that are listed, and given as they were put."""
        listed: list[int] = []
        query = {"list-type": "2"}
        while True:
            status, body = await self._connection.ask("GET", _target(bucket, **query))
            if status == _NOT_FOUND:
                return []
            root = ElementTree.fromstring(_given(status, body))
            listed += [int(one.text or "") for one in root.iterfind(f"{_OF_S3}Contents/{_OF_S3}Key")]
            token = root.findtext(f"{_OF_S3}NextContinuationToken")
            if not token:
                break
            query["continuation-token"] = token
        left = iter(listed)
        found = await asyncio.gather(*(self._given_of(bucket, left) for _ in range(_GETS_AT_ONCE)))
        return sorted(value for some in found for value in some)

    async def _given_of(self, bucket: str, values: Iterator[int]) -> list[int]:
        """Which of these, taken one by one, are given as they were put; by a connection of its own."""
        connection, found = _Connection(self._route, self._keys), []
        try:
            await connection.open()
            for value in values:
                status, body = await connection.ask("GET", _target(bucket, str(value)))
                if status in _OK and body == content_of(value):
                    found.append(value)
        finally:
            connection.close()
        return found


def _target(bucket: str, key: str = "", **query: str) -> str:
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(query.items()))
    return "/" + quote("/".join(filter(None, (bucket, key)))) + (f"?{asked}" if asked else "")


def _given(status: int, body: bytes) -> bytes:
    """Raises Unclear for an error of the server's, after which it may have been done, Refused for any other."""
    if status in _OK:
        return body
    why = f"{status} {body[:120].decode(errors='replace')}"
    raise (Unclear if status >= _FAILS_FROM else Refused)(why)


class _Connection:
    """HTTP/1.1 to one server, one request after the other."""

    def __init__(self, route: Route, keys: Keys) -> None:
        self._host, self._keys = f"{route.address}:{route.port}", keys
        self._stream = Stream(route.address, route.port)
        self.open, self.close = self._stream.open, self._stream.close

    async def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and content of the answer. Raises OSError, EOFError, ValueError."""
        now = datetime.datetime.now(datetime.UTC)
        lines = [f"{method} {target} HTTP/1.1", f"content-length: {len(body)}"]
        lines += [
            f"{name}: {value}" for name, value in signed(method, target, body, host=self._host, keys=self._keys, at=now)
        ]
        await self._stream.send("\r\n".join((*lines, "", "")).encode() + body)
        status = int((await self._line()).split()[1])
        headers: dict[str, str] = {}
        while line := await self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, await self._content(headers)

    async def _content(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "") != "chunked":
            return await self._stream.reader.readexactly(int(headers.get("content-length", "0")))
        found = b""
        while size := int((await self._line()).partition(";")[0], 16):
            found += (await self._stream.reader.readexactly(size + 2))[:-2]
        await self._line()
        return found

    async def _line(self) -> str:
        return (await self._stream.reader.readuntil(b"\r\n"))[:-2].decode()
