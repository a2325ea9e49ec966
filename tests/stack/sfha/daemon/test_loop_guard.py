"""What keeps the loop is noticed, measured and named; what is the kernel's doing is not counted."""

import asyncio
import socket
import time
from dataclasses import dataclass, field

import pytest

from harness.stack.sfha.daemon import node_selector
from harness.stack.sfha.daemon.loop_guard import SLOW_S, LoopGuard, Slow, name_of
from harness.stack.sfha.daemon.node_selector import NodeSelector

LONG_S = 3 * SLOW_S


@dataclass
class Kernel:
    """Says for how long this thread had to wait for a processor."""

    waited_s: float = 0.0
    others_waited_s: float = 0.0
    told: list[Slow] = field(default_factory=list)

    def guard(self) -> LoopGuard:
        guard = LoopGuard(lambda: self.waited_s, lambda: self.others_waited_s)
        guard.watch(self.told.append)
        return guard


def test_what_blocks_is_reported_with_its_name() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.begins(time.monotonic())
    guard.measured(time.sleep, LONG_S)
    guard.turn_ended(LONG_S)
    assert [(one.name, one.blocked_s) for one in kernel.told] == [("sleep", LONG_S)]
    assert guard.status() == {
        "slow_callbacks": 1,
        "longest_callback": "sleep",
        "longest_blocked_ms": pytest.approx(LONG_S * 1000),
        "longest_wall_ms": pytest.approx(LONG_S * 1000),
    }


def test_waiting_for_a_processor_is_nobodys_fault() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.begins(time.monotonic())
    kernel.waited_s += 0.9
    guard.turn_ended(0.9 + SLOW_S / 2)
    assert kernel.told == []
    assert guard.status()["longest_wall_ms"] == pytest.approx(910.0)
    kernel.waited_s += 0.9
    guard.ended("wake", 0.9 + 2 * SLOW_S)
    assert [(one.name, round(one.blocked_s, 6)) for one in kernel.told] == [("wake", 2 * SLOW_S)]


def test_a_thread_that_has_the_interpreter_and_no_processor_is_nobodys_fault_either() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.begins(time.monotonic())
    kernel.others_waited_s += 0.2
    guard.ended("another thread", 0.2 + SLOW_S / 2)
    assert kernel.told == []


def test_nothing_seen_is_nothing_said() -> None:
    assert Kernel().guard().status() == {
        "slow_callbacks": 0,
        "longest_callback": None,
        "longest_blocked_ms": 0.0,
        "longest_wall_ms": 0.0,
    }


def test_a_name_belongs_to_its_own_turn() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.measured(time.sleep, LONG_S)
    guard.begins(time.monotonic())
    guard.turn_ended(LONG_S)
    assert kernel.told[0].name == "many callbacks"


async def _nothing() -> None:
    """To be named."""


def test_tasks_are_named_by_their_coroutines() -> None:
    async def main() -> None:
        task = asyncio.get_running_loop().create_task(_nothing())

        class Step:
            __self__ = task

            def __call__(self) -> None:
                """As asyncio's own steps are: bound to their task."""

        assert name_of(Step()) == "_nothing"
        await task

    asyncio.run(main())
    assert name_of(time.sleep) == "sleep"


async def _keeps_the_loop() -> None:
    time.sleep(LONG_S)  # noqa: ASYNC251 - that is what is to be noticed


def test_a_loop_that_is_kept_says_by_what() -> None:
    told: list[Slow] = []

    async def main(selector: NodeSelector) -> None:
        selector.guard.watch(told.append)
        await asyncio.sleep(0)
        task = asyncio.get_running_loop().create_task(_keeps_the_loop())
        await task
        asyncio.get_running_loop().call_later(0.001, time.sleep, LONG_S)
        await asyncio.sleep(LONG_S)
        await asyncio.sleep(0.001)

    node_selector.run(main)
    assert [one.name for one in told if one.blocked_s >= LONG_S * 0.9] == ["_keeps_the_loop", "sleep"]


def test_a_thread_that_takes_long_keeps_nobody() -> None:
    told: list[Slow] = []

    async def main(selector: NodeSelector) -> None:
        selector.guard.watch(told.append)
        await asyncio.to_thread(time.sleep, LONG_S)

    node_selector.run(main)
    assert not any(one.blocked_s >= LONG_S for one in told)


def test_what_reads_is_named_as_well() -> None:
    told: list[Slow] = []

    async def main(selector: NodeSelector) -> None:
        selector.guard.watch(told.append)
        loop, read = asyncio.get_running_loop(), asyncio.Event()
        ours, theirs = socket.socketpair()

        def reads_slowly() -> None:
            ours.recv(1)
            time.sleep(LONG_S)
            read.set()

        with ours, theirs:
            loop.add_reader(ours, reads_slowly)
            theirs.send(b"x")
            await read.wait()
            await asyncio.sleep(0.001)
            loop.remove_reader(ours)

    node_selector.run(main)
    assert [one.name.rpartition(".")[2] for one in told] == ["reads_slowly"]


def test_a_look_that_was_taken_meanwhile_does_not_hide_how_others_waited_before() -> None:
    """They had a processor again when the look was taken; the callback had waited for them until then."""
    kernel = Kernel()
    guard = kernel.guard()
    began_s = time.monotonic()
    guard.begins(began_s)
    time.sleep(LONG_S)
    kernel.others_waited_s += 2 * LONG_S
    guard.look_at_others()
    time.sleep(LONG_S)
    guard.ended("another thread", time.monotonic() - began_s)
    assert guard.longest is not None
    assert guard.longest.blocked_s < guard.longest.wall_s - 1.9 * LONG_S
