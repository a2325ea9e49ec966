"""Clients of whatever speaks Redis's protocol (RESP2, redis.io/docs/latest/develop/reference/protocol-spec): sets."""

from typing import Any

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set")


class RespClient:
    """A client of one server; an addition is acknowledged once this one server has it."""

    _REFUSALS = ("READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "NOAUTH", "NOPERM", "MOVED", "CLUSTERDOWN")

    def __init__(self, route: Route, password: str = "") -> None:
        self.at_stake = False
        self._password = password
        self._stream = Stream(route.address, route.port)
        self.close = self._stream.close

    async def open(self) -> None:
        """Connect, and log in where that is asked for. Raises OSError."""
        await self._stream.open()
        if self._password:
            try:
                await self._ask("AUTH", self._password)
            except (Refused, Unclear) as error:
                raise ConnectionError(f"may not log in: {error}") from error

    async def invoke(self, request: Request) -> Json:
        """Add an element, or read what this server holds."""
        self.at_stake = request.function != "read"
        if self.at_stake:
            await self._ask("SADD", request.key, str(request.value))
            return request.value
        found = await self._ask("SMEMBERS", request.key)
        return [*sorted(int(value) for value in found)]

    async def _ask(self, *words: str) -> Any:
        parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
        await self._stream.send("".join(parts).encode())
        return await self._reply()

    async def _reply(self) -> Any:
        reader = self._stream.reader
        line = (await reader.readuntil(b"\r\n"))[:-2].decode()
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise Refused(rest) if rest.startswith(self._REFUSALS) else Unclear(rest)
        if kind == "*":
            return [await self._reply() for _ in range(int(rest))]
        if kind == "$":
            return (await reader.readexactly(int(rest) + 2))[:-2].decode() if int(rest) >= 0 else None
        return rest
