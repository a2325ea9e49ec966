"""Clients of NATS JetStream by its protocol (docs.nats.io/reference/reference-protocols/nats-protocol): sets.

A set is a stream of three replicas, an element a message with a subject of its own. It is added once the stream has
acknowledged it; which elements there are is asked of whoever leads the stream, as all its subjects.
"""

import json
from collections.abc import Mapping
from typing import Any

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger", "set")
_CONNECT = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
_INBOX = "answers"
_NOBODY = b"NATS/1.0 503"
_NO_SUCH_STREAM = 10059
_REPLICAS = 3


class NobodyAnswers(Exception):
    """No server is there for this subject, and nothing took what was sent to it."""


class NatsClient:
    """A client of one server."""

    def __init__(self, route: Route) -> None:
        self.at_stake = False
        self._stream = Stream(route.address, route.port)
        self._asked = 0
        self.close = self._stream.close

    async def open(self) -> None:
        """Connect. Raises OSError."""
        await self._stream.open()
        subscribe = f"SUB {_INBOX}.* 1\r\n"
        await self._stream.send(f"CONNECT {json.dumps(_CONNECT)}\r\n{subscribe}PING\r\n".encode())
        while not (line := await self._line()).startswith(b"PONG"):
            if line.startswith(b"-ERR"):
                raise ConnectionError(line.decode(errors="replace"))

    async def invoke(self, request: Request) -> Json:
        """Add an element, or read all of them."""
        self.at_stake = False
        if request.function == "read":
            return await self._elements(request.key)
        try:
            await self._add(request)
        except NobodyAnswers:
            self.at_stake = False
            await self._make(request.key)
            try:
                await self._add(request)
            except NobodyAnswers as error:
                raise Refused(f"there is no stream {request.key}") from error
        return request.value

    async def _add(self, request: Request) -> None:
        self.at_stake = True
        _checked(await self._ask(f"{request.key}.{request.value}", b"x"))

    async def _make(self, key: str) -> None:
        """Somebody else may do so in the same moment, in the same way."""
        wanted = {"name": key, "subjects": [f"{key}.*"], "num_replicas": _REPLICAS, "storage": "file"}
        try:
            _checked(await self._ask(f"$JS.API.STREAM.CREATE.{key}", json.dumps(wanted).encode()))
        except NobodyAnswers as error:
            raise Refused("JetStream is not there yet") from error

    async def _elements(self, key: str) -> Json:
        found: list[int] = []
        while True:
            asked = {"subjects_filter": f"{key}.*", "offset": len(found)}
            try:
                told = await self._ask(f"$JS.API.STREAM.INFO.{key}", json.dumps(asked).encode())
            except NobodyAnswers as error:
                raise Refused("JetStream is not there yet") from error
            if told.get("error", {}).get("err_code") == _NO_SUCH_STREAM:
                return []
            state = _checked(told)["state"]
            page = state.get("subjects") or {}
            found += [int(subject.removeprefix(f"{key}.")) for subject in page]
            if not page or len(found) >= state.get("num_subjects", 0):
                return [*sorted(found)]

    async def _ask(self, subject: str, payload: bytes) -> dict[str, Any]:
        """Publish, and wait for the answer to that. Raises NobodyAnswers."""
        self._asked += 1
        inbox = f"{_INBOX}.{self._asked}"
        await self._stream.send(f"PUB {subject} {inbox} {len(payload)}\r\n".encode() + payload + b"\r\n")
        while True:
            line = await self._line()
            kind, *words = line.decode().split()
            if kind == "PING":
                await self._stream.send(b"PONG\r\n")
            elif kind == "-ERR":
                raise Unclear(line.decode(errors="replace"))
            elif kind in ("MSG", "HMSG"):
                body = (await self._stream.reader.readexactly(int(words[-1]) + 2))[:-2]
                headers = body[: int(words[-2])] if kind == "HMSG" else b""
                if words[0] != inbox:
                    continue
                if headers.startswith(_NOBODY):
                    raise NobodyAnswers(subject)
                answer: dict[str, Any] = json.loads(body[len(headers) :])
                return answer

    async def _line(self) -> bytes:
        return await self._stream.reader.readuntil(b"\r\n")


def _checked(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises Unclear for an error: what was published may be stored all the same."""
    if "error" in told:
        raise Unclear(str(told["error"]))
    return told
