"""Witnesses on the wires of sites: who holds an address is seen there, also in a part that is cut off."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checks.verdict import Outcome
from harness.checks.wire import one_answerer
from harness.clock import now_s
from harness.events import ArpAnswered
from harness.fabric.fabric import WITNESS_MAC
from harness.fabric.layout import isolate
from harness.fabric.namespaces import call_in
from harness.history import History
from harness.probes import frames
from harness.probes.commands import WatchWire
from harness.probes.observer_process import Observer
from harness.wait import until
from tests.fabric.conftest import Built, KeptNamespaces, build, draw, namespaces

__all__ = ("namespaces",)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
VIP = "10.0.0.100"
SOON_S = 10.0
ERROR_S = 0.005


@pytest.fixture
def built(namespaces: KeptNamespaces) -> Iterator[Built]:
    """Three sites: n1 and n2 in dijon, n3 in thory, n4 in lyon."""
    built = build(draw(), "witness-run", namespaces)
    yield built
    built.fabric.close()


def hold(built: Built, node: str, *, begin: bool = True) -> None:
    """A node takes the address, or gives it up; it tells nobody."""
    verb = "add" if begin else "del"
    command = ["nsenter", f"--net={built.ends[node].path}", "ip", "address", verb, f"{VIP}/32", "dev", "eth0"]
    subprocess.run(command, check=True)


async def watched(built: Built, observer: Observer) -> None:
    for site in built.topology.site_names:
        nodes = {built.fabric.plan.mac(node.name): node.name for node in built.topology.nodes if node.site == site}
        await observer.do(
            WatchWire(
                client=f"witness-{site}", namespace=str(built.fabric.namespace),
                interface=built.fabric.add_witness(site), addresses=(VIP,), nodes=nodes,
                ask_every_s=ERROR_S, only_known=True,
            )
        )  # fmt: skip


def answers(history: Path, node: str) -> list[ArpAnswered]:
    return [one for one in History.read(history).of(ArpAnswered) if one.node == node]


async def answering(history: Path, node: str, since_s: float) -> None:
    def does() -> bool:
        return any(one.t_s > since_s for one in answers(history, node))

    await until(does, within_s=SOON_S, what=f"{node} answers")


async def test_two_holders_apart_are_both_seen_each_by_its_own_site(built: Built, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    async with Observer(history) as observer:
        await watched(built, observer)
        hold(built, "n1")
        await answering(history, "n1", 0.0)
        built.fabric.cut("alone", isolate(built.topology, "n4"))
        hold(built, "n4")
        for _ in range(10):  # more than could have been on their way
            for node in ("n4", "n1"):
                await answering(history, node, now_s())
    assert {one.client for one in answers(history, "n1")} == {"witness-dijon"}
    assert {one.client for one in answers(history, "n4")} == {"witness-lyon"}
    assert one_answerer(History.read(history), VIP).outcome is Outcome.VIOLATED


async def test_a_gap_is_measured_within_the_rate_of_the_questions(built: Built, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    async with Observer(history) as observer:
        await watched(built, observer)
        hold(built, "n1")
        await answering(history, "n1", 0.0)
        before_s = now_s()
        hold(built, "n1", begin=False)
        gone_s = now_s()
        await until(lambda: now_s() > gone_s + 0.1, within_s=SOON_S, what="the gap has lasted")
        coming_s = now_s()
        hold(built, "n3")
        there_s = now_s()
        await answering(history, "n3", 0.0)
    last_s, first_s = answers(history, "n1")[-1].t_s, answers(history, "n3")[0].t_s
    slack_s = 2 * ERROR_S  # a question, and an answer that is on its way
    assert before_s - slack_s <= last_s <= gone_s + slack_s
    assert coming_s <= first_s <= there_s + slack_s


def answers_for(address: str, listener: socket.socket) -> set[str]:
    """Who has answered for an address so far, of those who were asked just now."""
    found: set[str] = set()
    while True:
        try:
            seen = frames.read(listener.recv(256))
        except BlockingIOError:
            return found
        if seen is not None and seen.what == "arp-reply" and seen.address == address:
            found.add(seen.mac)


def asking(address: str) -> socket.socket:
    """A socket that hears who answers; the question has been sent."""
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(0x0806))
    listener.bind(("eth0", 0x0806))
    listener.send(frames.who_has(address, listener.getsockname()[4]))
    return listener


async def test_a_witness_does_not_answer_for_the_router(namespaces: KeptNamespaces) -> None:
    built = build(draw("routed"), "witness-run", namespaces)
    try:
        for site in built.topology.site_names:
            built.fabric.add_witness(site)
        gateway, answered = built.fabric.plan.gateway("dijon"), set[str]()
        with call_in(built.ends["n1"].path, lambda: asking(gateway)) as listener:

            def by_the_router() -> bool:
                answered.update(answers_for(gateway, listener))
                return built.fabric.plan.gateway_mac("dijon") in answered

            await until(by_the_router, within_s=SOON_S, what="the router answers")
            for _ in range(5):  # whoever hears a broadcast answers at once: the others have by now
                answered.update(answers_for(gateway, listener))
                await asyncio.sleep(0.01)
        assert WITNESS_MAC not in answered
    finally:
        built.fabric.close()
