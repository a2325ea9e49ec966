"""A visitor: HTTP/1.1 over one kept connection, every request with a number that the backends note (RFC 9112)."""

import re

from harness.events import Json
from harness.workloads.client import Refused, Stream, Unclear
from harness.workloads.generators import Request
from harness.workloads.load import ModelName, Route

MODELS: tuple[ModelName, ...] = ("requests",)
NUMBER_HEADER = "X-Request"
NOT_DONE = 503
"""What the platform answers where nobody has been asked."""
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3})\b")
_LENGTH = re.compile(rb"^content-length: *([0-9]+) *\r?$", re.IGNORECASE | re.MULTILINE)


class HttpClient:
    """One connection to the edge. The domain that is visited is the key of the object."""

    def __init__(self, route: Route) -> None:
        self._stream = Stream(route.address, route.port)
        self.at_stake = False

    async def open(self) -> None:
        """Connect. Raises OSError."""
        await self._stream.open()

    async def invoke(self, request: Request) -> Json:
        """Visit. 200 is well; after anything else a POST may have been done, unless it is said that nobody was asked.

        Raises Refused, Unclear, or what ends a connection.
        """
        self.at_stake = request.function == "POST"
        await self._stream.send(
            f"{request.function} / HTTP/1.1\r\nHost: {request.key}\r\n{NUMBER_HEADER}: {request.value}\r\n"
            f"Content-Length: 0\r\n\r\n".encode()
        )
        status = await self._answered()
        if status == 200:
            return request.value
        if status == NOT_DONE or not self.at_stake:
            raise Refused(f"answered {status}")
        raise Unclear(f"answered {status}")

    def close(self) -> None:
        """Drop the connection."""
        self._stream.close()

    async def _answered(self) -> int:
        """The status of an answer, which is read to its end."""
        head = await self._stream.reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or length is None:
            raise ValueError(f"not an answer that says its length: {head[:80]!r}")
        await self._stream.reader.readexactly(int(length[1]))
        return int(status[1])
