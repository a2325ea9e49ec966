"""The end of a daemon waits for its addresses to go, and not for ever. A node in virtual time, in a real loop."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from harness.stack.sfha.daemon.stopping import LET_GO_WITHIN_S, Stopping
from harness.stack.sfha.logs.event_log import EventLog
from tests.stack.sfha.node.world import VIP, Cluster

TICK_S = 0.01


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, with the address on node 1."""
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(1.0)
    assert cluster.toys[1].present
    return cluster


def ends(cluster: Cluster, log: Path, answers_after_s: float | None) -> tuple[float, list[str]]:
    """How long node 1 took to end, whose kernel has time so long after it was asked (None: never); what it logged."""
    toys, events = cluster.toys[1], EventLog("n1", log)
    toys.busy = True

    async def main() -> float:
        stopping = Stopping(cluster.nodes[1], events)
        toys._answer = stopping.answered  # type: ignore[method-assign]
        if answers_after_s is not None:

            def has_time() -> None:
                toys.busy = False
                toys.carry_out()

            asyncio.get_running_loop().call_later(answers_after_s, has_time)
        began_s = time.monotonic()
        await stopping.hand_over()
        toys.carry_out()
        await stopping.let_go()
        return time.monotonic() - began_s

    took_s = asyncio.run(main())
    events.flush()
    return took_s, [json.loads(line)["event"] for line in log.read_text().splitlines()]


def test_it_ends_as_soon_as_the_addresses_are_gone(cluster: Cluster, tmp_path: Path) -> None:
    took_s, said = ends(cluster, tmp_path / "log", answers_after_s=10 * TICK_S)
    assert took_s >= 10 * TICK_S
    assert not cluster.toys[1].present
    assert said == ["daemon-stopped"]


def test_it_ends_all_the_same_where_the_kernel_does_not_answer(cluster: Cluster, tmp_path: Path) -> None:
    took_s, said = ends(cluster, tmp_path / "log", answers_after_s=None)
    assert took_s >= LET_GO_WITHIN_S * 0.9
    assert (VIP.address, VIP.prefix) in cluster.toys[1].present
    assert said == ["warning", "daemon-stopped"]
    assert cluster.holders() != [1], "the gate is closed"
