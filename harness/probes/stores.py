"""Replicated stores as the ledger's clients see them: write a value, read everything.

What matters is telling *refused* (nothing happened, and the store or the connection said so) from
everything else, which may have happened. Both clients are written by hand over asyncio streams
because a library that retries, pools or hides whether a request was sent would blur just that.
"""

import asyncio
import base64
import json
from typing import Any, Literal, Protocol

KEY = "ledger"
_PREFIX, _PREFIX_END = "ledger/", "ledger0"
_PAGE = 5000
_HTTP_OK = 200

StoreName = Literal["etcd", "redis"]


class Refused(Exception):
    """The store said that it did not, and never will, do this."""


class Unclear(Exception):
    """The store answered with an error after which the write may or may not have happened."""


class Connection(Protocol):
    """One connection to one member of a store; not to be used by two at a time.

    Everything raises Refused, Unclear, OSError or EOFError; after any of the last three it is to be closed.
    """

    async def write(self, value: int) -> None:
        """Write a value; returns when the store has acknowledged it."""

    async def read_all(self) -> list[int]:
        """Every value the member holds, up to date with what was acknowledged before."""

    def close(self) -> None:
        """Drop the connection."""


async def connect(store: StoreName, address: str, port: int) -> Connection:
    """A fresh connection. Raises OSError; nothing has been asked of the store then."""
    reader, writer = await asyncio.open_connection(address, port)
    return Etcd(reader, writer) if store == "etcd" else Redis(reader, writer)


class Etcd:
    """etcd v3 by its JSON gateway: every value is a key of its own, so no write can hide another.

    https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
    """

    # gRPC codes of answers given before anything is proposed: bad request, not allowed, full, who are you.
    _REFUSALS = frozenset({3, 7, 8, 16})

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, value: int) -> None:
        """Put the value's key; acknowledged once a majority has it."""
        await self._post("/v3/kv/put", {"key": _encode(f"{_PREFIX}{value}"), "value": _encode(str(value))})

    async def read_all(self) -> list[int]:
        """A linearizable read: the member first catches up with the leader, then answers from its own copy."""
        values: list[int] = []
        start = _encode(_PREFIX)
        while True:
            request = {"key": start, "range_end": _encode(_PREFIX_END), "limit": _PAGE, "keys_only": True}
            found = await self._post("/v3/kv/range", request)
            keys = [base64.b64decode(pair["key"]).decode() for pair in found.get("kvs", ())]
            values += [int(key.removeprefix(_PREFIX)) for key in keys]
            if not found.get("more"):
                return values
            start = _encode(keys[-1] + "\0")

    def close(self) -> None:
        """Drop the connection at once, whatever is still to be sent."""
        self._writer.transport.abort()

    async def _post(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(request).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: store\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._writer.write(head.encode() + b"\r\n\r\n" + body)
        await self._writer.drain()
        status, answer = await self._response()
        try:
            found: dict[str, Any] = json.loads(answer)
        except ValueError as error:
            raise Unclear(f"HTTP {status}: {answer[:100]!r}") from error
        if status == _HTTP_OK:
            return found
        why = f"HTTP {status}: {found.get('error', answer[:100])}"
        raise Refused(why) if found.get("code") in self._REFUSALS else Unclear(why)

    async def _response(self) -> tuple[int, bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if fields.get("transfer-encoding", "").lower() != "chunked":
            return status, await self._reader.readexactly(int(fields.get("content-length", "0")))
        body = b""
        while length := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await self._reader.readexactly(length + 2))[:-2]
        await self._reader.readuntil(b"\r\n")
        return status, body


class Redis:
    """Redis by its own protocol (RESP2): one set that values are added to."""

    _REFUSALS = ("READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "NOAUTH", "NOPERM", "MOVED", "CLUSTERDOWN")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, value: int) -> None:
        """Add the value to the set; acknowledged once this one server has it."""
        await self._ask("SADD", KEY, str(value))

    async def read_all(self) -> list[int]:
        """What this server holds."""
        found = await self._ask("SMEMBERS", KEY)
        return [int(value) for value in found]

    def close(self) -> None:
        """Drop the connection at once, whatever is still to be sent."""
        self._writer.transport.abort()

    async def _ask(self, *words: str) -> Any:
        parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
        self._writer.write("".join(parts).encode())
        await self._writer.drain()
        return await self._reply()

    async def _reply(self) -> Any:
        line = (await self._reader.readuntil(b"\r\n"))[:-2].decode()
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise Refused(rest) if rest.startswith(self._REFUSALS) else Unclear(rest)
        if kind == "*":
            return [await self._reply() for _ in range(int(rest))]
        if kind == "$":
            return (await self._reader.readexactly(int(rest) + 2))[:-2].decode() if int(rest) >= 0 else None
        return rest


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
