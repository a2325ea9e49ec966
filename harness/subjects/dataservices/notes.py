"""A visitor of the API and the front: writes a note by the one, and looks for it on a page of the other."""

import re

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("ledger",)
API_HOST, FRONT_HOST = "platform-api.keyservices.internal", "platform.keyservices.internal"
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3})\b")
_LENGTH = re.compile(rb"^content-length: *([0-9]+) *\r?$", re.IGNORECASE | re.MULTILINE)
_NOTES = re.compile(r'"notes": \[([^]]*)\]')


class NotesClient:
    """One connection to a balancer, or to the API of a server. A board is the key of the object."""

    def __init__(self, route: Route) -> None:
        self._stream = Stream(route.address, route.port)
        self.close = self._stream.close
        self.at_stake = False

    async def open(self) -> None:
        """Connect. Raises OSError."""
        await self._stream.open()

    async def invoke(self, request: Request) -> Json:
        """Write a note, which is acknowledged once it is on a page; or read a board.

        What is not answered with 200 may have been done all the same: a balancer asks again by itself.
        """
        self.at_stake = request.function != "read"
        if not self.at_stake:
            status, body = await self._asked("GET", API_HOST, f"/notes/{request.key}")
            found = _NOTES.search(body)
            if status != 200 or found is None:
                raise Refused(f"answered {status}: {body[:200]}")
            return [*sorted(int(one.strip(' "')) for one in found[1].split(",") if one.strip())]
        await self._well("PUT", API_HOST, f"/notes/{request.key}/{request.value}")
        page = await self._well("GET", FRONT_HOST, f"/{request.key}")
        if f"<li>{request.value}</li>" not in page:
            raise Unclear("it is not on the page")
        return request.value

    async def _well(self, method: str, host: str, path: str) -> str:
        status, body = await self._asked(method, host, path)
        if status != 200:
            raise Unclear(f"{method} {host} answered {status}")
        return body

    async def _asked(self, method: str, host: str, path: str) -> tuple[int, str]:
        await self._stream.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
        head = await self._stream.reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or length is None:
            raise ValueError(f"not an answer that says its length: {head[:80]!r}")
        return int(status[1]), (await self._stream.reader.readexactly(int(length[1]))).decode()
