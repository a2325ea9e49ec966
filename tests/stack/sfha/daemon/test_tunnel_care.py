"""The tunnel is looked after, and the lease's loop never waits for that, however long WireGuard or names take."""

import asyncio
import itertools
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.daemon import tunnel_care
from harness.stack.sfha.daemon.tunnel_care import INTERFACE_EVERY_S, LAST_PAUSE_S, TunnelCare, TunnelRepair
from harness.stack.sfha.mesh.address_book import EndpointBook
from harness.stack.sfha.mesh.core import Condition
from tests.stack.waiting import eventually

WELL = Condition(there=True, up=True, addresses=frozenset({"10.90.0.1"}), mtu=1420)
HANGS_S = 20.0
QUICK_S = 0.02
NAMED = MeshNode(2, "n2", "10.90.0.2", 1, "b=", "n2.ha.test:51820")
PLAIN = MeshNode(3, "n3", "10.90.0.3", 1, "c=", "192.0.2.3:51820")
MESH = Mesh("secret=", MeshNode(1, "n1", "10.90.0.1"), 24, (NAMED, PLAIN))


class Tunnel:
    """An interface that can break, and be brought up unless that ``fails``."""

    def __init__(self, now: Condition) -> None:
        self.now, self.fails, self.ups = now, "", 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.logged: list[str] = []
        self.care = TunnelRepair(self.bring_up, lambda event, **_: self.logged.append(event), lambda _: self.now)

    def bring_up(self, _mesh: Mesh) -> None:
        self.ups += 1
        assert self.may_end.wait(HANGS_S)
        if self.fails:
            raise OSError(self.fails)
        self.now = WELL


class Silent:
    """A node that hears nobody."""

    def heard_s_ago(self, _peer: int) -> float | None:
        return None


class Wg:
    """Stands for the program: notes what it is told, and hangs where it is told to."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.may_end.set()
        self.commands: list[tuple[str, ...]] = []

    def run(self, command: Sequence[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        self.commands.append(tuple(command))
        assert self.may_end.wait(HANGS_S)
        return subprocess.CompletedProcess(command, 0, "private=\tpublic=\t51820\toff\n", "")

    def endpoints_set(self) -> list[str]:
        words = [word for command in self.commands if command[:2] == ("wg", "set") for word in (*command, "")]
        return [following for word, following in itertools.pairwise(words) if word == "endpoint"]


@pytest.fixture
def wg(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wg]:
    fake = Wg()
    monkeypatch.setattr(subprocess, "run", fake.run)
    yield fake
    fake.may_end.set()


@pytest.fixture
def resolving() -> Iterator[threading.Event]:
    """Set: names are looked up; else the look-up hangs."""
    event = threading.Event()
    yield event
    event.set()


Look = Callable[[], float]


@pytest.fixture
def look(wg: Wg, resolving: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Look, list[str]]:
    """Looks once, as the loop does; how long that kept it. And the events that were logged."""

    def find(_host: str, port: int) -> str:
        assert resolving.wait(HANGS_S)
        return f"192.0.2.2:{port}"

    monkeypatch.setattr(tunnel_care, "NAMES_AGAIN_S", 0.01)
    events: list[str] = []
    node: Any = Silent()
    book = EndpointBook(tmp_path / "endpoints.json", find)
    tunnel = Tunnel(WELL)
    care = TunnelCare(
        node, lambda event, **_: events.append(event), lambda: MESH, tunnel.care, silent_after_s=0.1, book=book
    )

    def once() -> float:
        began_s = time.thread_time(), time.monotonic()
        care.look()
        return min(time.thread_time() - began_s[0], time.monotonic() - began_s[1])

    return once, events


def test_a_hanging_program_keeps_no_loop(wg: Wg, look: tuple[Look, list[str]]) -> None:
    once, _ = look
    wg.may_end.clear()
    took_s = [once() for _ in range(50)]
    assert max(took_s) < QUICK_S
    assert eventually(lambda: len(wg.commands) == 1)
    once()
    assert len(wg.commands) <= 1, "a look that hangs is not followed by others"


def test_names_that_hang_cost_their_own_peer_only(
    wg: Wg, look: tuple[Look, list[str]], resolving: threading.Event
) -> None:
    once, events = look
    assert eventually(lambda: once() < QUICK_S and "192.0.2.3:51820" in wg.endpoints_set())
    assert eventually(lambda: "endpoint-unresolved" in events)
    assert not any("ha.test" in word for command in wg.commands for word in command)
    resolving.set()
    assert eventually(lambda: once() < QUICK_S and "192.0.2.2:51820" in wg.endpoints_set())
    assert not any("ha.test" in word for command in wg.commands for word in command)


def test_an_interface_that_is_well_is_left_alone() -> None:
    tunnel = Tunnel(WELL)
    assert tunnel.care.see_to(MESH, 100.0)
    assert (tunnel.ups, tunnel.logged) == (0, [])


@pytest.mark.parametrize(
    "broken",
    [Condition(), Condition(there=True), Condition(True, True), Condition(True, True, frozenset({"10.9.9.9"}))],
)
def test_down_bare_and_gone_are_repaired_once_and_told(broken: Condition) -> None:
    tunnel = Tunnel(WELL)
    assert tunnel.care.see_to(MESH, 100.0)
    tunnel.now = broken
    for now_s in (100.0 + INTERFACE_EVERY_S, 100.0 + 2 * INTERFACE_EVERY_S):
        assert tunnel.care.see_to(MESH, now_s)
    assert (tunnel.ups, tunnel.logged) == (1, ["tunnel-repaired"])


def test_what_cannot_be_repaired_is_said_once_and_tried_again_ever_more_rarely() -> None:
    tunnel = Tunnel(WELL)
    assert tunnel.care.see_to(MESH, 0.0)
    tunnel.now, tunnel.fails = Condition(), "port taken"
    tried = [tenths / 10 for tenths in range(10, 2000) if _is_tried(tunnel, tenths / 10)]
    pauses_s = [round(later - earlier, 1) for earlier, later in itertools.pairwise(tried)]
    assert pauses_s == [*(2.0, 4.0, 8.0, 16.0), *[LAST_PAUSE_S] * (len(pauses_s) - 4)]
    assert tunnel.logged == ["warning"]
    tunnel.fails = ""
    assert tunnel.care.see_to(MESH, 300.0)
    assert tunnel.logged == ["warning", "tunnel-repaired"]
    tunnel.now = Condition()
    assert tunnel.care.see_to(MESH, 300.0 + INTERFACE_EVERY_S)
    assert tunnel.ups == len(tried) + 2, "what is well is looked at as often as before"


def _is_tried(tunnel: Tunnel, now_s: float) -> bool:
    before = tunnel.ups
    assert not tunnel.care.see_to(MESH, now_s)
    return tunnel.ups > before


async def test_a_tunnel_that_is_given_up_stays_away_and_a_repair_under_way_is_over_before(
    wg: Wg, tmp_path: Path
) -> None:
    """Else a node that leaves would have its tunnel back, and nobody to take it down."""
    tunnel, node = Tunnel(Condition()), cast("Any", Silent())
    tunnel.may_end.clear()
    book = EndpointBook(tmp_path / "endpoints.json", lambda _host, _port: "")
    care = TunnelCare(node, lambda *_a, **_k: None, lambda: MESH, tunnel.care, silent_after_s=0.1, book=book)
    care.look()
    assert await asyncio.to_thread(eventually, lambda: tunnel.ups == 1)
    ending = asyncio.ensure_future(care.end())
    await asyncio.sleep(0)
    assert not ending.done()
    tunnel.may_end.set()
    await ending
    assert tunnel.now is WELL
    tunnel.now = Condition()
    care.look()
    await care.end()
    assert (tunnel.ups, tunnel.logged) == (1, ["tunnel-repaired"])
