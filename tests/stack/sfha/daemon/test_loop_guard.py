"""What keeps the loop is noticed, measured and named; what is the kernel's doing is not counted."""

import asyncio
import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass, field

import pytest

from harness.stack.sfha.daemon import node_selector
from harness.stack.sfha.daemon.loop_guard import (
    ANOTHER,
    LOOK_EVERY_S,
    NOT_SEEN,
    SLOW_S,
    LoopGuard,
    Slow,
    name_of,
)
from harness.stack.sfha.daemon.node_selector import NodeSelector

LONG_S = 3 * SLOW_S


@dataclass
class Kernel:
    """Says for how long threads had to wait for a processor, and how long the host has kept them all."""

    waited_s: float = 0.0
    others_waited_s: float = 0.0
    stolen_s: float = 0.0
    told: list[Slow] = field(default_factory=list)

    def guard(self) -> LoopGuard:
        guard = LoopGuard(lambda: self.waited_s, lambda: self.others_waited_s, lambda: self.stolen_s)
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
        "longest_seen_at": "-",
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


def test_a_processor_that_the_host_took_away_is_nobodys_fault() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.begins(time.monotonic())
    kernel.stolen_s += 0.2
    guard.ended("wake", 0.2 + SLOW_S / 2)
    assert kernel.told == []
    time.sleep(LONG_S)
    guard.ended("wake", LONG_S / 2)
    assert [one.blocked_s for one in kernel.told] == [LONG_S / 2], "what was stolen before is not taken off again"


def test_nothing_seen_is_nothing_said() -> None:
    assert Kernel().guard().status() == {
        "slow_callbacks": 0,
        "longest_callback": None,
        "longest_blocked_ms": 0.0,
        "longest_wall_ms": 0.0,
        "longest_seen_at": None,
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


def test_a_loop_that_is_kept_says_where_it_was() -> None:
    told: list[Slow] = []
    kept_s = 5 * LOOK_EVERY_S  # a busy machine may leave out a look, not all of them

    def waits_for_a_peer() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(kept_s)
            with contextlib.suppress(TimeoutError):
                ours.recv(1)

    async def main(selector: NodeSelector) -> None:
        selector.guard.watch(told.append)
        selector.guard.keep_looking()
        asyncio.get_running_loop().call_soon(waits_for_a_peer)
        await asyncio.sleep(kept_s + SLOW_S)

    node_selector.run(main)
    where = [one.where for one in told if one.wall_s > kept_s / 2]
    assert where[0].startswith("test_loop_guard.py:"), where
    assert " waits_for_a_peer < loop_guard.py:" in where[0]


def test_who_is_beside_a_loop_that_waits_is_told_too() -> None:
    told: list[Slow] = []
    kept_s = 5 * LOOK_EVERY_S  # a busy machine may leave out a look, not all of them

    def starts_a_program() -> None:
        subprocess.run(["sleep", f"{kept_s * 2}"], check=True)

    async def main(selector: NodeSelector) -> None:
        selector.guard.watch(told.append)
        selector.guard.keep_looking()
        beside = asyncio.create_task(asyncio.to_thread(starts_a_program))
        await asyncio.sleep(kept_s / 2)
        time.sleep(kept_s)  # noqa: ASYNC251 - that is what is to be noticed
        await beside

    node_selector.run(main)
    where = [one.where for one in told if one.wall_s > kept_s / 2]
    assert "beside it " in where[0]
    assert "subprocess.py" in where[0].partition("beside it ")[2]


def test_what_was_seen_before_is_not_where_it_is_now() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.busy_since_s = time.monotonic() - 1.0
    guard.look()
    time.sleep(LONG_S)
    guard.ended("wake", LONG_S / 2)
    guard.look()
    guard.ended("wake", LONG_S)
    assert [one.where == NOT_SEEN for one in kernel.told] == [True, False]


def test_a_look_that_was_held_up_itself_tells_so() -> None:
    kernel = Kernel()
    guard = kernel.guard()
    guard.look(late_s=LONG_S)
    guard.ended(ANOTHER, LONG_S)
    assert kernel.told[0].where.startswith("everything stood still; then ")


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
    guard.take_account()
    time.sleep(LONG_S)
    guard.ended("another thread", time.monotonic() - began_s)
    assert guard.longest is not None
    assert guard.longest.blocked_s < guard.longest.wall_s - 1.9 * LONG_S
