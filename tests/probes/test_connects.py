"""The connecting client against outages whose length is known because we make them."""

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.events import ConnectTried, ObserverStalled
from harness.fabric.namespaces import call_in
from harness.fabric.nft import Nft
from harness.history import History
from harness.probes.commands import StartConnects
from harness.probes.observer_process import Observer
from harness.wait import until

from .conftest import VIP, Host, Lan, seen

PORT = 8080


@dataclass(frozen=True)
class Span:
    """When something took effect: not before, not after."""

    earliest_s: float
    latest_s: float


class Switchable:
    """A listener in a node, behind an address that can be blocked by one call into the kernel."""

    def __init__(self, node: Host) -> None:
        self._nft = call_in(node.namespace, Nft)
        self._nft.run("add table ip t; add chain ip t in { type filter hook input priority 0; }")
        node.run(f"ip address add {VIP}/32 dev eth0")
        self.listener = call_in(node.namespace, lambda: socket.create_server((VIP, PORT), backlog=1024))

    def block(self) -> Span:
        """Drop everything to the address."""
        return self._run(f"add rule ip t in ip daddr {VIP} drop")

    def unblock(self) -> Span:
        """Let it through again."""
        return self._run("flush chain ip t in")

    def _run(self, command: str) -> Span:
        before_s = now_s()
        self._nft.run(command)
        return Span(before_s, now_s())

    def close(self) -> None:
        """End the listener."""
        self._nft.close()
        self.listener.close()


async def _outage(lan: Lan, history: Path, interval_s: float, length_s: float) -> tuple[Span, Span]:
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    service = Switchable(node)
    async with Observer(history) as observer:
        await observer.do(
            StartConnects(
                client="c1",
                namespace=str(client.namespace),
                address=VIP,
                port=PORT,
                interval_s=interval_s,
                timeout_s=0.2,
            )
        )
        await until(lambda: len(_ok(history)) > 10, within_s=5, what="the client connects")
        began = service.block()
        over_s = began.latest_s + length_s
        await until(lambda: now_s() >= over_s, within_s=5, what="the outage has its length", every_s=0.001)
        ended = service.unblock()
        await until(lambda: _ok(history)[-1].sent_s > ended.latest_s + 0.25, within_s=5, what="it connects again")
    service.close()
    return began, ended


def _stalled_s(history: Path) -> float:
    """What the observer itself admits to have missed: a busy machine is no error of the measurement."""
    return sum(event.gap_s for event in History.read(history).of(ObserverStalled))


def _ok(history: Path) -> list[ConnectTried]:
    return [event for event in seen(history, ConnectTried) if event.ok]


def _worst_gap(history: Path) -> tuple[ConnectTried, ConnectTried]:
    attempts = sorted(_ok(history), key=lambda event: event.sent_s)
    return max(pairwise(attempts), key=lambda pair: pair[1].sent_s - pair[0].sent_s)


@pytest.mark.parametrize("length_s", [0.05, 0.317])
async def test_an_outage_is_measured_within_the_error_the_rate_implies(
    lan: Lan, history: Path, length_s: float
) -> None:
    began, ended = await _outage(lan, history, 0.010, length_s)
    last, first = _worst_gap(history)
    slack_s = 0.001 + _stalled_s(history)
    assert last.sent_s <= began.latest_s + slack_s
    assert last.sent_s >= began.earliest_s - 0.010 - slack_s
    assert ended.earliest_s <= first.t_s <= ended.latest_s + 0.010 + 2 * slack_s


@pytest.mark.parametrize("length_s", [0.05, 0.123, 0.317])
async def test_at_four_milliseconds_an_outage_is_measured_to_five(lan: Lan, history: Path, length_s: float) -> None:
    began, ended = await _outage(lan, history, 0.004, length_s)
    last, first = _worst_gap(history)
    # True start and end lie within one interval of what was seen; half of each is the best guess.
    measured_s = first.t_s - last.sent_s - 0.004
    error_s = 0.005 + _stalled_s(history)
    assert measured_s > ended.earliest_s - began.latest_s - error_s
    assert measured_s < ended.latest_s - began.earliest_s + error_s


async def test_the_schedule_is_kept_during_an_outage(lan: Lan, history: Path) -> None:
    await _outage(lan, history, 0.010, 0.3)
    attempts = sorted(History.read(history).of(ConnectTried), key=lambda event: event.due_s)
    spacings_s = [later.due_s - earlier.due_s for earlier, later in pairwise(attempts)]
    assert min(spacings_s) > 0.009
    assert sum(spacings_s) - 0.010 * len(spacings_s) < 0.001 + _stalled_s(history)
    late_s = sorted(event.sent_s - event.due_s for event in attempts)
    assert late_s[len(late_s) // 2] < 0.001
    timed_out = [event for event in attempts if event.error == "timeout"]
    assert len(timed_out) >= 20
    assert all(0.2 <= event.t_s - event.sent_s < 0.22 + _stalled_s(history) for event in timed_out)


async def test_a_refused_attempt_names_its_error(lan: Lan, history: Path) -> None:
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    node.run(f"ip address add {VIP}/32 dev eth0")
    async with Observer(history) as observer:
        await observer.do(StartConnects(client="c1", namespace=str(client.namespace), address=VIP, port=PORT))
        await until(lambda: seen(history, ConnectTried), within_s=10, what="an attempt ended")
    assert {event.error for event in History.read(history).of(ConnectTried)} == {"ECONNREFUSED"}


async def test_an_observer_that_could_not_run_says_so(lan: Lan, history: Path) -> None:
    client = lan.add("c1", 201)
    async with Observer(history) as observer:
        await observer.do(StartConnects(client="c1", namespace=str(client.namespace), address=VIP, port=PORT))
        assert observer.pid is not None
        os.kill(observer.pid, signal.SIGSTOP)
        await asyncio.sleep(0.05)
        os.kill(observer.pid, signal.SIGCONT)
        await until(lambda: seen(history, ObserverStalled), within_s=10, what="the stall is recorded")
    assert max(event.gap_s for event in History.read(history).of(ObserverStalled)) > 0.045
