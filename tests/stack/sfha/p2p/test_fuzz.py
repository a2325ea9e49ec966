"""The P2P server under anything that may come over the wire: it answers 404 or nothing, lives on, and keeps its key."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.stack.sfha.p2p.core import Door, Request, key_of_cluster, nonce_for, sign
from harness.stack.sfha.p2p.http import MAC, NONCE, NOT_FOUND, SENDER, TIME
from harness.stack.sfha.p2p.server import Server

AUTHKEY = b"k" * 128
KEY = key_of_cluster(AUTHKEY)
LIFE = "l" * 16
ROUTES = ("/register", "/full-config", "/remove-peer", "/leave", "/vip-sync", "/api/node/evict", "/state", "/ping")
PATIENCE_S = 5.0
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Outcome:
    """What came of one connection."""

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, object]]] = []
        self.logged: list[str] = []


async def served(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]],
) -> tuple[bytes, Outcome]:
    """One connection to a server with every route, then a genuine request that must still be answered."""
    import time

    outcome = Outcome()
    door = Door(lambda sender, _address: (KEY,) if sender == "n2" else (), LIFE)
    server = Server(
        "n1", door, lambda _sender, _path: True, lambda *words, **more: outcome.logged.append(f"{words}{more}")
    )

    async def handler(sender: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        outcome.called.append((sender, body))
        return 200, {"name": str(body["name"])}

    for path in ROUTES:
        server.routes["POST", path] = server.routes["GET", path] = handler
    port = await server.start("127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = await asyncio.wait_for(talk(reader, writer), PATIENCE_S)
        writer.close()
        before = len(outcome.called)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(signed(b'{"name": "x"}', at_s=int(time.time()), nonce="still-alive"))
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert len(outcome.called) == before + 1
        outcome.called.pop()
    finally:
        server.close()
    return said, outcome


def signed(
    body: bytes, *, at_s: int, nonce: str, method: str = "POST", path: str = "/register", mac: str = ""
) -> bytes:
    nonce = nonce_for(nonce, LIFE)
    mac = mac or sign(KEY, Request(method, path, "n2", "n1", at_s, nonce, body))
    lines = [f"{method} {path} HTTP/1.1", f"{SENDER}: n2", f"{TIME}: {at_s}", f"{NONCE}: {nonce}", f"{MAC}: {mac}"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def saying(data: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        try:
            writer.write(data)
            writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""

    return talk


def assert_learnt_nothing(said: bytes, outcome: Outcome) -> None:
    assert said in (b"", NOT_FOUND)
    assert outcome.called == []
    for shown in (said.decode("latin-1"), *outcome.logged):
        assert KEY.hex() not in shown
        assert AUTHKEY.decode() not in shown


@FEW
@given(st.binary(max_size=4096))
def test_any_bytes(data: bytes) -> None:
    said, outcome = asyncio.run(served(saying(data)))
    assert_learnt_nothing(said, outcome)


WORDS = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)


@FEW
@given(
    st.sampled_from(["GET", "POST", "PUT", "get"]) | WORDS,
    st.sampled_from(ROUTES) | WORDS,
    st.dictionaries(st.sampled_from([SENDER, TIME, NONCE, MAC, "Content-Length", "Transfer-Encoding"]) | WORDS, WORDS),
    st.binary(max_size=200),
)
def test_anything_that_looks_like_http(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    said, outcome = asyncio.run(served(saying("\r\n".join(lines).encode("latin-1") + body)))
    assert_learnt_nothing(said, outcome)


@FEW
@given(st.data())
def test_a_genuine_request_changed_anywhere_is_worth_nothing(data: st.DataObject) -> None:
    import time

    genuine = signed(b'{"action": "register", "name": "n9"}', at_s=int(time.time()), nonce="n" * 16)
    place = data.draw(st.integers(0, len(genuine) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != genuine[place]))
    said, outcome = asyncio.run(served(saying(genuine[:place] + bytes([other]) + genuine[place + 1 :])))
    if outcome.called:
        # Only what is not part of the meaning may differ: the protocol's version, the case of a name, a blank.
        assert outcome.called == [("n2", {"action": "register", "name": "n9"})]
    else:
        assert_learnt_nothing(said, outcome)


@FEW
@given(st.integers(-(10**9), 10**9).filter(lambda off_s: abs(off_s) > 61))
def test_a_request_from_another_time_is_refused(off_s: int) -> None:
    import time

    said, outcome = asyncio.run(served(saying(signed(b"{}", at_s=max(0, int(time.time()) + off_s), nonce="old"))))
    assert_learnt_nothing(said, outcome)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@FEW
@given(JSON, st.sampled_from(ROUTES))
def test_a_member_that_sends_nonsense_gets_an_error_and_no_more(body: object, path: str) -> None:
    import time

    data = signed(json.dumps(body).encode(), at_s=int(time.time()), nonce="nonsense", path=path)
    said, outcome = asyncio.run(served(saying(data)))
    assert said.split(b" ")[1] in (b"200", b"400", b"404")
    assert b"Traceback" not in said
    assert KEY.hex().encode() not in said
    assert len(outcome.called) <= 1
