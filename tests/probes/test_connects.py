"""The connecting client against outages whose length is known because we make them."""

import asyncio
import os
import signal
import socket
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from harness.clock import now_s
from harness.events import ConnectTried, ObserverStalled
from harness.fabric.namespaces import call_in
from harness.history import History
from harness.probes.commands import StartConnects
from harness.probes.observer_process import Observer
from harness.wait import until

from .conftest import VIP, Host, Lan, seen

PORT = 8080


class Switchable:
    """A listener in a node, behind an address that can be blocked within a millisecond.

    One long-lived nft does the blocking: starting a process each time would cost as much as we measure.
    """

    def __init__(self, node: Host) -> None:
        self._nft = subprocess.Popen(
            ["nsenter", "-t", str(node.pid), "-n", "nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        node.run(f"ip address add {VIP}/32 dev eth0")
        node.run("nft add table ip t; nft 'add chain ip t in { type filter hook input priority 0; }'")
        self.listener = call_in(node.namespace, lambda: socket.create_server((VIP, PORT), backlog=1024))

    def block(self) -> float:
        """Drop everything to the address; gives the time of the command."""
        return self._tell(f"add rule ip t in ip daddr {VIP} drop")

    def unblock(self) -> float:
        """Let it through again; gives the time of the command."""
        return self._tell("flush chain ip t in")

    def _tell(self, command: str) -> float:
        assert self._nft.stdin is not None
        t_s = now_s()
        self._nft.stdin.write(command.encode() + b"\n")
        self._nft.stdin.flush()
        return t_s

    def close(self) -> None:
        """End the long-lived nft and the listener."""
        self._nft.communicate()
        self.listener.close()


async def _outage(lan: Lan, history: Path, interval_s: float, length_s: float) -> tuple[float, float]:
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
        await until(lambda: len(_ok(history)) > 10, within_s=2, what="the client connects")
        began_s = service.block()
        await asyncio.get_running_loop().run_in_executor(None, _wait_until, began_s + length_s)
        ended_s = service.unblock()
        await until(lambda: _ok(history)[-1].sent_s > ended_s + 0.25, within_s=2, what="it connects again")
    service.close()
    return began_s, ended_s


def _wait_until(t_s: float) -> None:
    while now_s() < t_s:
        pass


def _ok(history: Path) -> list[ConnectTried]:
    return [event for event in seen(history, ConnectTried) if isinstance(event, ConnectTried) and event.ok]


def _worst_gap(history: Path) -> tuple[ConnectTried, ConnectTried]:
    attempts = sorted(_ok(history), key=lambda event: event.sent_s)
    return max(pairwise(attempts), key=lambda pair: pair[1].sent_s - pair[0].sent_s)


@pytest.mark.parametrize("length_s", [0.05, 0.317])
async def test_an_outage_is_measured_within_the_error_the_rate_implies(
    lan: Lan, history: Path, length_s: float
) -> None:
    began_s, ended_s = await _outage(lan, history, 0.010, length_s)
    last, first = _worst_gap(history)
    slack_s = 0.003
    assert last.sent_s <= began_s + slack_s <= last.sent_s + 0.010 + 2 * slack_s
    assert first.sent_s - 0.010 - slack_s <= ended_s <= first.sent_s + slack_s


@pytest.mark.parametrize("length_s", [0.05, 0.123, 0.317])
async def test_at_four_milliseconds_an_outage_is_measured_to_five(lan: Lan, history: Path, length_s: float) -> None:
    began_s, ended_s = await _outage(lan, history, 0.004, length_s)
    last, first = _worst_gap(history)
    # True start and end lie within one interval of what was seen; half of each is the best guess.
    measured_s = first.sent_s - last.sent_s - 0.004
    assert abs(measured_s - (ended_s - began_s)) < 0.005


async def test_the_schedule_is_kept_during_an_outage(lan: Lan, history: Path) -> None:
    await _outage(lan, history, 0.010, 0.3)
    attempts = sorted(History.read(history).of(ConnectTried), key=lambda event: event.due_s)
    assert all(0.009 < later.due_s - earlier.due_s < 0.011 for earlier, later in pairwise(attempts))
    late_s = sorted(event.sent_s - event.due_s for event in attempts)
    assert late_s[len(late_s) // 2] < 0.001
    timed_out = [event for event in attempts if event.error == "timeout"]
    assert len(timed_out) >= 25
    assert all(0.2 <= event.t_s - event.sent_s < 0.22 for event in timed_out)


async def test_a_refused_attempt_names_its_error(lan: Lan, history: Path) -> None:
    node, client = lan.add("n1", 1), lan.add("c1", 201)
    node.run(f"ip address add {VIP}/32 dev eth0")
    async with Observer(history) as observer:
        await observer.do(StartConnects(client="c1", namespace=str(client.namespace), address=VIP, port=PORT))
        await until(lambda: seen(history, ConnectTried), within_s=2, what="an attempt ended")
    assert {event.error for event in History.read(history).of(ConnectTried)} == {"ECONNREFUSED"}


async def test_an_observer_that_could_not_run_says_so(lan: Lan, history: Path) -> None:
    client = lan.add("c1", 201)
    async with Observer(history) as observer:
        await observer.do(StartConnects(client="c1", namespace=str(client.namespace), address=VIP, port=PORT))
        assert observer.pid is not None
        os.kill(observer.pid, signal.SIGSTOP)
        await asyncio.sleep(0.05)
        os.kill(observer.pid, signal.SIGCONT)
        await until(lambda: seen(history, ObserverStalled), within_s=2, what="the stall is recorded")
    assert max(event.gap_s for event in History.read(history).of(ObserverStalled)) > 0.045
