"""Watching a node through the agent in it: a real agent over a real network, in namespaces of this host's kernel."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.checks.verdict import Outcome
from harness.checks.vip import one_holder
from harness.clock import now_s
from harness.events import AddressAdded, AddressRemoved, NodeClockMapped, NodeStarted, WatchEnded
from harness.history import History, Recorder
from harness.probes.commands import WatchNode
from harness.probes.observer_process import Observer
from harness.wait import until
from tests.engines.uml.agents import agent_in

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
VIP = "10.77.1.100"
SOON_S = 10.0
MOST_LATE = 3
ERROR_S = 0.005


class Node:
    """A process in a network namespace of its own, with an agent in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(["unshare", "--net", "--", "sleep", "1000"])
        self.namespace = Path(f"/proc/{self.process.pid}/ns/net")
        self._agent = ExitStack()

    def begin(self) -> None:
        """Have the agent listen."""
        self._agent.enter_context(agent_in(self.namespace))

    def ip(self, *words: str) -> None:
        """Change the namespace's network."""
        subprocess.run(["nsenter", f"--net={self.namespace}", "ip", *words], check=True)

    def hold(self, *, begin: bool) -> tuple[float, float]:
        """Add or remove the address; gives the instants before and after."""
        before_s = now_s()
        self.ip("address", "add" if begin else "del", f"{VIP}/32", "dev", "lo")
        return before_s, now_s()

    def end(self) -> None:
        """Its process dies."""
        self._agent.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    """Two of them."""
    both = Node("n1"), Node("n2")
    own = Path("/proc/self/ns/net").readlink()
    deadline_s = now_s() + SOON_S
    while any(node.namespace.readlink() == own for node in both):
        assert now_s() < deadline_s
    for node in both:
        node.begin()
    yield both
    for node in both:
        node.end()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history in which both nodes have power."""
    path = tmp_path / "history.jsonl"
    recorder = Recorder(path)
    for name in ("n1", "n2"):
        recorder.record(NodeStarted(t_s=now_s(), node=name, boot=1, mac="02:00:00:00:00:01"))
    return path


async def watching(observer: Observer, *nodes: Node) -> None:
    for node in nodes:
        command = WatchNode(node=node.name, pid=node.process.pid, addresses=(VIP,), own_kernel=True)
        await observer.do(command)


def seen(history: Path, kind: type) -> list[AddressAdded | AddressRemoved]:
    return [event for event in History.read(history).events if isinstance(event, kind)]  # type: ignore[misc]


async def counted(history: Path, kind: type, count: int) -> list[AddressAdded | AddressRemoved]:
    await until(lambda: len(seen(history, kind)) >= count, within_s=SOON_S, what=f"{count} of {kind.__name__} are seen")
    return seen(history, kind)


async def test_addresses_come_and_go_at_the_right_time_by_our_clock(nodes: tuple[Node, Node], history: Path) -> None:
    """Never too early. Too late is what a busy host makes of it now and then; a clock that is wrong is so each time."""
    node, _ = nodes
    late = 0
    async with Observer(history) as observer:
        await watching(observer, node)
        for number in range(1, 11):
            began_s = await asyncio.to_thread(node.hold, begin=True)
            added = (await counted(history, AddressAdded, number))[-1]
            ended_s = await asyncio.to_thread(node.hold, begin=False)
            removed = (await counted(history, AddressRemoved, number))[-1]
            assert added.t_s >= began_s[0] - ERROR_S
            assert removed.t_s >= ended_s[0] - ERROR_S
            late += added.t_s > began_s[1] + ERROR_S or removed.t_s > ended_s[1] + ERROR_S
    assert late <= MOST_LATE
    clocks = [event for event in History.read(history).events if isinstance(event, NodeClockMapped)]
    assert clocks[-1].error_s <= ERROR_S
    assert abs(clocks[-1].offset_s) <= clocks[-1].error_s  # it is the same kernel, after all


async def test_what_is_there_already_is_seen_and_death_ends_it(nodes: tuple[Node, Node], history: Path) -> None:
    node, _ = nodes
    node.hold(begin=True)
    async with Observer(history) as observer:
        await watching(observer, node)
        await counted(history, AddressAdded, 1)
        before_s = now_s()
        node.process.kill()
        removed = (await counted(history, AddressRemoved, 1))[0]
        assert before_s <= removed.t_s <= now_s()
        assert any(isinstance(event, WatchEnded) for event in History.read(history).events)


@pytest.mark.parametrize("apart", [True, False], ids=["a gap between them", "both at once"])
async def test_a_known_double_holder_is_found_and_a_known_gap_is_none(
    apart: bool, nodes: tuple[Node, Node], history: Path
) -> None:
    first, second = nodes
    steps: list[Callable[[], object]] = [lambda: first.hold(begin=False), lambda: second.hold(begin=True)]
    async with Observer(history) as observer:
        await watching(observer, first, second)
        await asyncio.to_thread(first.hold, begin=True)
        for step in steps if apart else reversed(steps):
            await asyncio.to_thread(step)
            await asyncio.sleep(4 * ERROR_S)  # the gap, or the double holding, is known to be at least that long
        await counted(history, AddressAdded, 2)
        await counted(history, AddressRemoved, 1)
    verdict = one_holder(History.read(history), VIP)
    assert verdict.outcome is (Outcome.HOLDS if apart else Outcome.VIOLATED), verdict
