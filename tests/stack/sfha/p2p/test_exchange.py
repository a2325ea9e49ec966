"""Client and server over loopback: signed requests are answered, and strangers are told nothing at all."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.stack.sfha.p2p.client import Caller, OneKey
from harness.stack.sfha.p2p.core import BURST, MAX_BODY_BYTES, Door, Request, key_of_pair, nonce_for, sign
from harness.stack.sfha.p2p.http import MAC, NONCE, NOT_FOUND, SENDER, TIME
from harness.stack.sfha.p2p.server import CONNECTIONS_PER_CALLER, READ_TIMEOUT_S, Body, Server

KEY = key_of_pair(b"k" * 32)
LIFE = "l" * 16


@dataclass
class Place:
    """A server on loopback, and what its handlers were asked."""

    server: Server
    port: int
    asked: list[tuple[str, Body]]

    async def again(self, life: str) -> None:
        """A new start of the server, at the same port."""
        door = Door(lambda sender, _address: (KEY,) if sender == "n1" else (), life)
        server = Server("n2", door, lambda _sender, path: path != "/forbidden", lambda *_args, **_fields: None)
        server.routes |= self.server.routes
        self.server = server
        await server.start("127.0.0.1", self.port)

    async def raw(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    asked: list[tuple[str, Body]] = []

    async def echo(sender: str, body: Body) -> tuple[int, Body]:
        asked.append((sender, body))
        return 200, {"echo": body}

    async def odd(_sender: str, body: Body) -> tuple[int, Body]:
        return 200, {"x": body["missing"]}

    async def broken(_sender: str, _body: Body) -> tuple[int, Body]:
        raise RuntimeError("out of order")

    door = Door(lambda sender, _address: (KEY,) if sender == "n1" else (), LIFE)
    server = Server("n2", door, lambda _sender, path: path != "/forbidden", lambda *_args, **_fields: None)
    server.routes |= {("POST", "/echo"): echo, ("GET", "/ping"): echo, ("POST", "/forbidden"): echo}
    server.routes |= {("POST", "/odd"): odd, ("POST", "/broken"): broken}
    place = Place(server, await server.start("127.0.0.1", 0), asked)
    yield place
    server.close()


async def test_a_member_is_answered(place: Place) -> None:
    caller = Caller("n1", OneKey(KEY))
    answer = await caller.call("n2", "127.0.0.1", "/echo", {"a": [1]}, port=place.port)
    assert (answer.ok, answer.body) == (True, {"echo": {"a": [1]}})
    assert (await caller.call("n2", "127.0.0.1", "/ping", port=place.port)).ok
    assert [sender for sender, _ in place.asked] == ["n1", "n1"]


@dataclass
class TwoKeys:
    """As for a peer that may have been upgraded."""

    found: list[bytes]

    def of(self, _to: str) -> tuple[bytes, ...]:
        return b"new", KEY

    def answered(self, _to: str, key: bytes) -> None:
        self.found.append(key)


async def test_a_peer_of_before_is_asked_as_before_and_once(place: Place) -> None:
    keys = TwoKeys([])
    answer = await Caller("n1", keys).call("n2", "127.0.0.1", "/echo", {"a": 1}, port=place.port)
    assert (answer.ok, answer.body) == (True, {"echo": {"a": 1}})
    assert (len(place.asked), keys.found) == (1, [KEY])


async def test_trouble_is_told_to_members_in_one_line(place: Place) -> None:
    caller = Caller("n1", OneKey(KEY))
    odd = await caller.call("n2", "127.0.0.1", "/odd", {}, port=place.port)
    assert odd.status == 400
    broken = await caller.call("n2", "127.0.0.1", "/broken", {}, port=place.port)
    assert broken.status == 500
    assert broken.error == "/broken: RuntimeError: out of order"


@pytest.mark.parametrize(
    ("caller", "to", "path"),
    [
        (Caller("n1", OneKey(b"other")), "n2", "/echo"),
        (Caller("n9", OneKey(KEY)), "n2", "/echo"),
        (Caller("n1", OneKey(KEY)), "n3", "/echo"),
        (Caller("n1", OneKey(KEY)), "n2", "/nowhere"),
        (Caller("n1", OneKey(KEY)), "n2", "/forbidden"),
    ],
)
async def test_everybody_else_sees_the_same_nothing(place: Place, caller: Caller, to: str, path: str) -> None:
    answer = await caller.call(to, "127.0.0.1", path, {"a": 1}, port=place.port)
    assert (answer.status, answer.body) == (404, {})
    assert not place.asked


async def test_a_server_that_starts_again_is_asked_again_and_hears_no_recording(place: Place) -> None:
    caller = Caller("n1", OneKey(KEY))
    assert (await caller.call("n2", "127.0.0.1", "/echo", {"a": 1}, port=place.port)).ok
    nonce = nonce_for("00ff", LIFE)
    content = b'{"a": 2}'
    request = Request("POST", "/echo", "n1", "n2", int(time.time()), nonce, content)
    head = [f"{SENDER}: n1", f"{TIME}: {request.at_s}", f"{NONCE}: {nonce}", f"{MAC}: {sign(KEY, request)}"]
    lines = ["POST /echo HTTP/1.1", *head, f"Content-Length: {len(content)}", "", ""]
    recorded = "\r\n".join(lines).encode() + content
    assert (await place.raw(recorded)).startswith(b"HTTP/1.1 200 ")
    assert await place.raw(recorded) == NOT_FOUND
    place.server.close()
    await place.again("m" * 16)
    before = len(place.asked)
    assert b"200 OK" not in await place.raw(recorded)
    assert len(place.asked) == before
    assert (await caller.call("n2", "127.0.0.1", "/echo", {"a": 3}, port=place.port)).body == {"echo": {"a": 3}}


async def test_slow_callers_shut_out_neither_others_nor_each_other(place: Place) -> None:
    """Many connections that say nothing, from another address: whoever speaks is answered, from there as well."""
    slow = [await asyncio.open_connection("127.0.0.1", place.port, local_addr=("127.0.0.2", 0)) for _ in range(50)]
    for address in ("127.0.0.1", "127.0.0.2"):
        answer = await Caller("n1", OneKey(KEY), address).call("n2", "127.0.0.1", "/ping", port=place.port)
        assert answer.ok, f"from {address}: {answer.error}"
    most = CONNECTIONS_PER_CALLER
    open_ = 0
    for reader, writer in slow:
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(reader.read(1), 0.01)
            writer.close()
            continue
        open_ += 1
    assert open_ <= most


async def test_a_flood_of_connections_is_turned_away_in_passing(place: Place) -> None:
    """More connections than a caller may make in its time: nearly all are closed, and others are answered meanwhile."""
    loop, flood = asyncio.get_running_loop(), [socket.socket() for _ in range(3 * int(BURST))]

    async def until_closed(one: socket.socket) -> None:
        one.setblocking(False)
        one.bind(("127.0.0.3", 0))
        with suppress(ConnectionResetError):
            await loop.sock_connect(one, ("127.0.0.1", place.port))
            await loop.sock_recv(one, 1)

    connections = [asyncio.create_task(until_closed(one)) for one in flood]
    assert (await Caller("n1", OneKey(KEY), "127.0.0.1").call("n2", "127.0.0.1", "/ping", port=place.port)).ok
    _, waiting = await asyncio.wait(connections, timeout=READ_TIMEOUT_S / 2)
    assert len(waiting) <= CONNECTIONS_PER_CALLER
    for task in waiting:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
    for one in flood:
        one.close()


async def test_nobody_there_is_an_answer_too(place: Place) -> None:
    place.server.close()
    answer = await Caller("n1", OneKey(KEY)).call("n2", "127.0.0.1", "/ping", port=place.port, timeout_s=1)
    assert "not reachable" in str(answer.error)


async def test_a_silent_peer_costs_its_time_and_no_more() -> None:
    callers: list[asyncio.StreamWriter] = []  # a connection that nobody knows is closed
    silent = await asyncio.start_server(lambda _, writer: callers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    answer = await Caller("n1", OneKey(KEY)).call("n2", "127.0.0.1", "/ping", port=port, timeout_s=0.05)
    assert str(answer.error) == "no answer within 0.05 s"
    silent.close()


HEADS = st.sampled_from(
    [
        b"",
        b"GET /ping HTTP/1.1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: " + str(MAX_BODY_BYTES + 1).encode() + b"\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET " + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nx-sfha-node: n1\r\nx-sfha-time: 99999999999999999999\r\nx-sfha-mac: \xff\r\n\r\n",
    ]
)


@given(HEADS, st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_learns_nothing_and_breaks_nothing(head: bytes, tail: bytes) -> None:
    async def body() -> None:
        door = Door(lambda _sender, _address: (KEY,), LIFE)
        server = Server("n2", door, lambda _sender, _path: True, lambda *_args, **_fields: None)
        port = await server.start("127.0.0.1", 0)
        place = Place(server, port, [])
        with suppress(ConnectionError):  # it may hang up on us
            assert await place.raw(head + tail) in (NOT_FOUND, b"")
        server.close()

    asyncio.run(body())


def test_a_404_says_nothing() -> None:
    assert json.dumps(NOT_FOUND.decode()) == json.dumps(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
