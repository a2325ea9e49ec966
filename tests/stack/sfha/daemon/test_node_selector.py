"""A selector that serves one descriptor and one deadline itself, and leaves everything else to asyncio."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field

import pytest

from harness.stack.sfha.daemon import node_selector
from harness.stack.sfha.daemon.node_selector import NodeSelector

WITHIN_S = 5.0


@dataclass
class Toy:
    """Notes what it is called for; every answer is another second's work away."""

    link: socket.socket
    wake_in_s: float = 1000.0
    broken: bool = False
    came: list[bytes] = field(default_factory=list)
    woken_s: list[float] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._due_s = time.monotonic() + self.wake_in_s

    def due_s(self) -> float:
        return self._due_s

    def readable(self) -> None:
        self.came.append(self.link.recv(100))
        self.happened.set()
        if self.broken:
            raise ValueError("broken")

    def wake(self) -> None:
        self.woken_s.append(time.monotonic())
        self.happened.set()
        if self.broken:
            raise ValueError("broken")
        self._due_s = time.monotonic() + self.wake_in_s

    def failed(self, error: Exception) -> None:
        self.errors.append(error)


class Silent(Toy):
    """Has nothing for asyncio."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard = threading.Semaphore(0)

    def readable(self) -> None:
        self.link.recv(100)
        self.heard.release()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    here.setblocking(False)
    with here, there:
        yield here, there


def run(body: Callable[[NodeSelector], Coroutine[object, object, None]]) -> None:
    async def in_time(selector: NodeSelector) -> None:
        await asyncio.wait_for(body(selector), WITHIN_S)

    node_selector.run(in_time)


def test_datagrams_are_served_while_asyncio_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    async def body(selector: NodeSelector) -> None:
        toy = Toy(pair[0])
        selector.serve(pair[0].fileno(), toy)
        for number in range(3):
            pair[1].send(b"%d" % number)
            toy.happened.clear()
            await toy.happened.wait()
        assert toy.came == [b"0", b"1", b"2"]

    run(body)


def test_what_gives_asyncio_nothing_to_do_does_not_wake_it(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    async def body(selector: NodeSelector) -> None:
        original = selector.select

        def counted(timeout: float | None = None) -> node_selector.Found:
            nonlocal turns
            turns += 1
            return original(timeout)

        monkeypatch.setattr(selector, "select", counted)
        toy, loop, over = Silent(pair[0]), asyncio.get_running_loop(), asyncio.Event()
        selector.serve(pair[0].fileno(), toy)

        def speak() -> None:
            for _ in range(50):
                pair[1].send(b"datagram")
                toy.heard.acquire()
            loop.call_soon_threadsafe(over.set)

        threading.Thread(target=speak).start()
        await over.wait()

    run(body)
    assert turns < 10


def test_the_deadline_is_served_in_time_and_not_before(pair: tuple[socket.socket, socket.socket]) -> None:
    async def body(selector: NodeSelector) -> None:
        toy = Toy(pair[0], wake_in_s=0.02)
        first_due_s = toy.due_s()
        selector.serve(pair[0].fileno(), toy)
        while len(toy.woken_s) < 3:
            toy.happened.clear()
            await toy.happened.wait()
        assert toy.woken_s[0] >= first_due_s
        assert all(later - sooner >= toy.wake_in_s for sooner, later in zip(toy.woken_s, toy.woken_s[1:], strict=False))

    run(body)


def test_asyncio_has_its_timers_its_threads_and_its_descriptors(pair: tuple[socket.socket, socket.socket]) -> None:
    async def body(selector: NodeSelector) -> None:
        selector.serve(pair[0].fileno(), Toy(pair[0]))
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.001)
        called = asyncio.Event()
        threading.Thread(target=lambda: loop.call_soon_threadsafe(called.set)).start()
        await called.wait()
        left, right = socket.socketpair()
        with left, right:
            reader, writer = await asyncio.open_connection(sock=left)
            right.send(b"line\n")
            assert await reader.readline() == b"line\n"
            writer.close()
        assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()

    run(body)


def test_what_raises_is_reported_and_everything_goes_on(pair: tuple[socket.socket, socket.socket]) -> None:
    async def body(selector: NodeSelector) -> None:
        toy = Toy(pair[0], broken=True)
        selector.serve(pair[0].fileno(), toy)
        pair[1].send(b"first")
        await toy.happened.wait()
        toy.happened.clear()
        pair[1].send(b"second")
        await toy.happened.wait()
        assert len(toy.errors) >= 1
        assert toy.came == [b"first", b"second"]

    run(body)


def test_a_deadline_that_always_raises_does_not_take_the_processor(pair: tuple[socket.socket, socket.socket]) -> None:
    async def body(selector: NodeSelector) -> None:
        toy = Toy(pair[0], wake_in_s=0.0, broken=True)
        selector.serve(pair[0].fileno(), toy)
        while len(toy.woken_s) < 4:
            toy.happened.clear()
            await toy.happened.wait()
        pauses_s = [later - sooner for sooner, later in zip(toy.woken_s, toy.woken_s[1:], strict=False)]
        assert min(pauses_s) >= node_selector.REST_S

    run(body)
