"""As much of HTTP/1.1 (RFC 9112) as two daemons need: one request and one answer a connection."""

import asyncio
import json
from dataclasses import dataclass

from .core import MAX_BODY_BYTES, MAX_HEAD_BYTES

PORT = 7777
SENDER, TIME, NONCE, MAC = "x-sfha-node", "x-sfha-time", "x-sfha-nonce", "x-sfha-mac"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_EARLY = 425
"""A genuine request that does not name the life of the receiver: the answer does."""
REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    404: "Not Found",
    409: "Conflict",
    TOO_EARLY: "Too Early",
    500: "Failed",
}


class ProtocolError(Exception):
    """What came is not HTTP as spoken here."""


@dataclass(frozen=True, slots=True)
class Message:
    """The first line's three words, the headers (names in lower case) and the body."""

    first: tuple[str, str, str]
    headers: dict[str, str]
    body: bytes


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Read one request or answer. Raises ProtocolError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ProtocolError("no head") from error
    if len(head) > MAX_HEAD_BYTES:
        raise ProtocolError("head too long")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) != 3:
        raise ProtocolError("no first line")
    headers: dict[str, str] = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise ProtocolError("bad header")
        headers[name.lower()] = value.strip()
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit() and len(length) <= 9):
        raise ProtocolError("bad length")
    if int(length) > MAX_BODY_BYTES:
        raise ProtocolError("body too long")
    try:
        body = await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise ProtocolError("body cut off") from error
    return Message((words[0], words[1], words[2]), headers, body)


def parse_object(body: bytes) -> dict[str, object]:
    """The JSON object of a body; an empty body is an empty object. Raises ProtocolError."""
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if not isinstance(value, dict):
        raise ProtocolError("not an object")
    return value
