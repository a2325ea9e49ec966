"""How the agent in a node and the harness talk: frames of a kind, a length and content; values as bytes."""

import _socket
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HEADER = struct.Struct("!cI")
REQUEST, INPUT, INPUT_ENDS, SIZE = b"q", b"i", b"e", b"w"
STARTED, OUTPUT, ERRORS, RESULT = b"p", b"o", b"r", b"x"
CHUNK_BYTES = 1 << 16


def encode(value: "Any") -> bytes:
    """None, numbers, texts, lists of such and dictionaries by text, as bytes."""
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i%d;" % value
    if isinstance(value, str):
        text = value.encode(errors="surrogateescape")
        return b"s%d;" % len(text) + text
    if isinstance(value, (list, tuple)):
        return b"l%d;" % len(value) + b"".join(map(encode, value))
    pieces = b"".join(encode(name) + encode(one) for name, one in value.items())
    return b"d%d;" % len(value) + pieces


def decode(data: bytes) -> "Any":
    """The value that was encoded."""
    return _decoded(data, 0)[0]


def _decoded(data: bytes, at: int) -> "tuple[Any, int]":
    kind = data[at : at + 1]
    if kind == b"n":
        return None, at + 1
    end = data.index(b";", at)
    number, at = int(data[at + 1 : end]), end + 1
    if kind == b"i":
        return number, at
    if kind == b"s":
        return data[at : at + number].decode(errors="surrogateescape"), at + number
    found = []
    for _ in range(number if kind == b"l" else 2 * number):
        value, at = _decoded(data, at)
        found.append(value)
    return (found if kind == b"l" else dict(zip(found[::2], found[1::2], strict=True))), at


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """One frame, ready to be sent."""
    return HEADER.pack(kind, len(content)) + content


class Frames:
    """Takes apart what is received."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> "Iterator[tuple[bytes, bytes]]":
        """The frames that are complete now."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + length:
                return
            content = bytes(self._buffer[HEADER.size : HEADER.size + length])
            del self._buffer[: HEADER.size + length]
            yield kind, content


class Incoming:
    """What the other side sends."""

    def __init__(self, connection: _socket.socket) -> None:
        self.connection = connection
        self._frames = Frames()
        self._waiting: list[tuple[bytes, bytes]] = []

    def receive(self) -> list[tuple[bytes, bytes]]:
        """What is complete after one more look. ConnectionError when the other side has gone."""
        if self._waiting:
            found, self._waiting = self._waiting, []
            return found
        data = self.connection.recv(CHUNK_BYTES)
        if not data:
            raise ConnectionError("the other side has gone")
        return list(self._frames.feed(data))

    def next(self) -> tuple[bytes, bytes]:
        """The next frame, waited for."""
        while not self._waiting:
            self._waiting = self.receive()
        return self._waiting.pop(0)

    def pending(self) -> bool:
        """Whether frames were received that nobody has looked at."""
        return bool(self._waiting)

    def everything(self, into: int) -> None:
        """Write all input that is sent into a file."""
        while (one := self.next())[0] == INPUT:
            left = memoryview(one[1])
            while left:
                left = left[os.write(into, left) :]
