"""Asking other daemons: one signed request, one signed answer, within a time."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from ...kit.messages import Message, from_json, message
from .core import Request, nonce_for, same, sign, sign_answer
from .http import MAC, NONCE, PORT, SENDER, TIME, TOO_EARLY, ProtocolError, parse_object, read_message

ANSWER_TIMEOUT_S = 10.0
"""How long a peer may take at most; one that hangs delays nobody longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``error`` is None when the peer did what it was asked for."""

    status: int
    body: dict[str, object]
    error: Message | str | None
    genuine: bool = False
    """Whether it is signed by the peer."""

    @property
    def ok(self) -> bool:
        """Whether the peer did it."""
        return self.error is None


class Keys(Protocol):
    """What requests are signed with."""

    def of(self, to: str) -> Sequence[bytes]:
        """The keys to ask a node with, one after the other until it answers: mostly one, none for a stranger."""

    def answered(self, to: str, key: bytes) -> None:
        """The node knows this key."""


@dataclass(frozen=True, slots=True)
class OneKey:
    """The same key whoever is asked: that of a token."""

    key: bytes

    def of(self, _to: str) -> Sequence[bytes]:
        """See Keys."""
        return (self.key,)

    def answered(self, _to: str, _key: bytes) -> None:
        """See Keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls as ``sender``, with its keys, from its mesh address ("" leaves that to the kernel)."""

    sender: str
    keys: Keys
    address: str = ""
    _lives: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)
    """The present life of each node that was called, by name and address: it tells us when it has begun another."""

    async def call(
        self,
        to: str,
        address: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
        port: int = PORT,
    ) -> Answer:
        """Ask the node ``to`` at its mesh address: POST with a body, GET without. Never raises for the peer's sake."""
        try:
            return await asyncio.wait_for(self._ask(to, address, port, path, body), timeout_s)
        except TimeoutError:
            return Answer(0, {}, message("peer.silent", seconds=timeout_s))
        except OSError as error:
            return Answer(0, {}, message("peer.unreachable", reason=error.strerror or str(error)))
        except ProtocolError as error:
            return Answer(0, {}, message("peer.odd", reason=str(error)))

    async def _ask(self, to: str, address: str, port: int, path: str, body: Mapping[str, object] | None) -> Answer:
        refused = Answer(0, {}, message("peer.unknown", name=to))
        for key in self.keys.of(to):
            answer = await self._exchange(to, address, port, path, body, key=key)
            life = answer.body.get("life") if answer.status == TOO_EARLY else None
            if isinstance(life, str):
                self._lives[to, address] = life
                answer = await self._exchange(to, address, port, path, body, key=key)
            if answer.genuine:
                self.keys.answered(to, key)
                return answer
            refused = answer
        return refused

    async def _exchange(
        self, to: str, address: str, port: int, path: str, body: Mapping[str, object] | None, *, key: bytes
    ) -> Answer:
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        method = "GET" if body is None else "POST"
        nonce = nonce_for(os.urandom(16).hex(), self._lives.get((to, address), ""))
        request = Request(method, path, self.sender, to, int(time.time()), nonce, content)
        own = (self.address, 0) if self.address else None
        reader, writer = await asyncio.open_connection(address, port, local_addr=own)
        try:
            lines = [
                f"{method} {path} HTTP/1.1",
                f"Host: {address}",
                f"{SENDER}: {self.sender}",
                f"{TIME}: {request.at_s}",
                f"{NONCE}: {request.nonce}",
                f"{MAC}: {sign(key, request)}",
                f"Content-Length: {len(content)}",
            ]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)
            await writer.drain()
            received = await read_message(reader)
        finally:
            with suppress(OSError, RuntimeError):
                writer.close()
        word = received.first[1]
        status = int(word) if word.isascii() and word.isdigit() else 0
        if not same(sign_answer(key, request.nonce, status, received.body), received.headers.get(MAC, "")):
            return Answer(status, {}, message("peer.stranger"))
        found = parse_object(received.body)
        error = None if status < 300 else from_json(found.get("error", f"HTTP {status}"))
        return Answer(status, found, error, genuine=True)


def not_done(answers: Mapping[str, Answer]) -> list[Message]:
    """A line for each that did not do what it was asked for."""
    failed = {name: answer.error for name, answer in answers.items() if answer.error is not None}
    return [message("peer.failed", name=name, why=why) for name, why in failed.items()]


class Peers:
    """The other daemons, by name: what parts of the daemon use to tell all of them something."""

    def __init__(self, caller: Caller, addresses: Callable[[], Mapping[str, str]]) -> None:
        """``addresses()`` gives the present peers: name to mesh address."""
        self._caller, self._addresses = caller, addresses

    async def call(
        self, name: str, path: str, body: Mapping[str, object] | None = None, *, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> Answer:
        """Ask one peer."""
        address = self._addresses().get(name)
        if address is None:
            return Answer(0, {}, message("peer.unknown", name=name))
        return await self._caller.call(name, address, path, body, timeout_s=timeout_s)

    def at(self, addresses: Mapping[str, str]) -> "Peers":
        """The same, for nodes that are no peers (any more), at these addresses."""
        return Peers(self._caller, lambda: addresses)

    async def broadcast(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        to: Iterable[str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> dict[str, Answer]:
        """Ask all peers (or those named) at the same time; what each of them answered, by name."""
        names = list(self._addresses()) if to is None else list(to)
        answers = await asyncio.gather(*(self.call(name, path, body, timeout_s=timeout_s) for name in names))
        return dict(zip(names, answers, strict=True))
