"""Where the edge asks for verdicts: a small HTTP server on loopback, and the files for when it is dead."""

import asyncio
import re
import time
from contextlib import suppress
from pathlib import Path

from ..routing.core import ALL_DOWN, HELD_INTERVALS
from .core import Key, Rotation
from .telling import Telling

MOST_HEAD_BYTES = 8192
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NO = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
DOWN = ".down"
_HEADER = re.compile(
    rb"^x-(service|backend|version|interval-ms):[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)


class Oracle:
    """Tells the edge of rotations: ``publish`` may be called at any time, listening begins with ``listen``."""

    def __init__(self, folder: Path) -> None:
        self.telling = Telling()
        self._files = VerdictFiles(folder)
        self._held: dict[Key, set[Question]] = {}
        self._server: asyncio.Server | None = None
        self._questions: set[Question] = set()

    async def listen(self, host: str, port: int) -> None:
        """Answer from now on. Raises OSError."""
        self._files.write(self.telling.rotation)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Question(self), host, port, backlog=4096)

    def publish(self, rotation: Rotation) -> None:
        """There may be news. Before ``listen`` the files of an earlier life stand."""
        if rotation == self.telling.rotation:
            return
        if self._server is not None:
            self._files.write(rotation)
        for key in self.telling.changed(rotation, time.monotonic()):
            for question in list(self._held.get(key, ())):
                question.answer()

    def close(self) -> None:
        """Listen no more. The files stay: the edge goes on by them."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for question in list(self._questions):
            question.abort()

    def begun(self, question: "Question") -> None:
        """A connection."""
        self._questions.add(question)

    def ended(self, question: "Question") -> None:
        """It is gone."""
        self._questions.discard(question)

    def hold(self, question: "Question", key: Key) -> None:
        """It waits for news."""
        self._held.setdefault(key, set()).add(question)

    def let_go(self, question: "Question", key: Key) -> None:
        """It no longer waits."""
        self._held[key].discard(question)
        self.telling.closed(key)


class Question(asyncio.Protocol):
    """A connection of the edge: one question after the other."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._key: Key | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._oracle.begun(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_longer_held()
        self._oracle.ended(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._key is None:
            self._next()

    def answer(self) -> None:
        """The question that is held gets the verdict as it is now."""
        key = self._key
        assert key is not None
        self._no_longer_held()
        self._say(YES if self._oracle.telling.in_use(key) else NO)
        self._next()

    def abort(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        while b"\r\n\r\n" in self._received and self._key is None:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._asked({name.lower(): value.decode("latin-1") for name, value in _HEADER.findall(head)})
        if len(self._received) > MOST_HEAD_BYTES:
            self._say(BAD)
            self.abort()

    def _asked(self, headers: dict[bytes, str]) -> None:
        key = (headers.get(b"service", ""), headers.get(b"backend", ""))
        telling = self._oracle.telling
        given = headers.get(b"interval-ms", "")
        interval_s = int(given) / 1000 if given.isascii() and given.isdigit() and len(given) < 7 else 0.0
        if not telling.asked(key, headers.get(b"version", ""), interval_s, time.monotonic()):
            self._say(YES if telling.in_use(key) else NO)
            return
        self._key = key
        self._oracle.hold(self, key)
        self._timer = asyncio.get_running_loop().call_later(HELD_INTERVALS * interval_s, self.answer)

    def _no_longer_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._key is not None:
            self._oracle.let_go(self, self._key)
            self._key = None

    def _say(self, words: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(words)


class VerdictFiles:
    """``SERVICE/HOST:PORT.down`` and ``SERVICE/all.down``: what the edge goes by when nobody answers it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, rotation: Rotation) -> None:
        """Make the folder say this. Raises OSError."""
        wanted = {Path(service, f"{address}{DOWN}") for service, address in rotation.out}
        wanted |= {Path(service, ALL_DOWN) for service in rotation.empty}
        self._folder.mkdir(parents=True, exist_ok=True)
        there = {path.relative_to(self._folder) for path in self._folder.glob(f"*/*{DOWN}")}
        for path in sorted(wanted - there):
            (self._folder / path).parent.mkdir(exist_ok=True)
            (self._folder / path).touch()
        for path in sorted(there - wanted):
            (self._folder / path).unlink(missing_ok=True)
            with suppress(OSError):  # not empty
                (self._folder / path).parent.rmdir()
