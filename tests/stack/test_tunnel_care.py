"""The lease's loop never waits for WireGuard or for names, however long those take."""

import itertools
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.stack import tunnel_care
from harness.stack.config import Mesh, MeshNode
from harness.stack.mesh.endpoints import EndpointBook
from harness.stack.tunnel_care import TunnelCare
from tests.stack.waiting import eventually

HANGS_S = 20.0
QUICK_S = 0.02
NAMED = MeshNode(2, "n2", "10.90.0.2", 1, "b=", "n2.ha.test:51820")
PLAIN = MeshNode(3, "n3", "10.90.0.3", 1, "c=", "192.0.2.3:51820")
MESH = Mesh("secret=", MeshNode(1, "n1", "10.90.0.1"), 24, (NAMED, PLAIN))


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
    care = TunnelCare(node, lambda event, **_: events.append(event), lambda: MESH, silent_after_s=0.1, book=book)

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
