"""Connections to who is silent are ended, again and again; those to others are left alone."""

import asyncio
import shutil
import socket
from collections.abc import Iterator

import pytest

from harness.stack.multisite.edge.cutting import Cutter, SocketsOfThisMachine
from harness.wait import until

WITHIN_S = 5.0


class Ends:
    """Notes whose connections are to be ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.stopped = 0
        self.hold: asyncio.Event | None = None

    async def end(self, address: str) -> None:
        self.ended.append(address)
        if self.hold is not None:
            await self.hold.wait()

    def stop(self) -> None:
        self.stopped += 1
        if self.hold is not None:
            self.hold.set()


async def _until(ends: Ends, *ended: str) -> None:
    async def seen() -> bool:
        return ends.ended[: len(ended)] == list(ended)

    await until(seen, within_s=WITHIN_S, every_s=0.01, what=f"{ended} after {ends.ended}")


async def test_who_is_silent_is_ended_until_he_is_heard() -> None:
    ends = Ends()
    cutter = Cutter(ends)
    running = asyncio.create_task(cutter.run())
    try:
        cutter.now(frozenset({"b:1", "a:1"}))
        await _until(ends, "a:1", "b:1", "a:1", "b:1", "a:1", "b:1")
        cutter.now(frozenset({"a:1"}))
        await _until(ends, *["a:1", "b:1"] * 3, "a:1", "a:1")
        cutter.now(frozenset())
        before = len(ends.ended)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await running
        assert len(ends.ended) == before
    finally:
        running.cancel()


async def test_who_is_heard_again_is_left_alone_from_that_moment() -> None:
    ends = Ends()
    ends.hold = asyncio.Event()
    cutter = Cutter(ends)
    running = asyncio.create_task(cutter.run())
    try:
        cutter.now(frozenset({"a:1", "b:1"}))
        await _until(ends, "a:1")
        cutter.only_of(frozenset({"a:1", "c:1"}))
        assert ends.stopped == 0, "a:1 is still silent"
        cutter.only_of(frozenset())
        assert ends.stopped == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await running
        assert ends.ended == ["a:1"]
    finally:
        running.cancel()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connections to two ports of loopback; each is (ours, its port's)."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        one, other = (socket.create_connection(server.getsockname()) for server in (first, second))
        with one, other:
            yield one, other


async def test_a_real_connection_is_ended_and_no_other(pair: tuple[socket.socket, socket.socket]) -> None:
    if shutil.which("ss") is None:
        pytest.skip("not shown here: there is no ss (package iproute2)")
    said: list[dict[str, object]] = []
    one, other = pair
    sockets = SocketsOfThisMachine(lambda event, **fields: said.append({"event": event, **fields}))
    await sockets.end(f"127.0.0.1:{one.getpeername()[1]}")
    if said:
        pytest.skip(f"not shown here: {said}")
    with pytest.raises(ConnectionAbortedError):
        one.recv(1)
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)


async def test_what_prevents_it_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, object]] = []
    monkeypatch.setenv("PATH", "/nowhere")
    sockets = SocketsOfThisMachine(lambda event, **fields: said.append({"event": event, **fields}))
    for _ in range(3):
        await sockets.end("127.0.0.1:1")
    assert [one["event"] for one in said] == ["connections-not-ended"]
