"""Probes that are programs: one runs inside each node while that has power, and prints what it sees.

It runs in the node's control group, so that it freezes and dies with the node. Its standard input is its lifeline: it
has to end when that ends, since a signal would reach only whatever brought it into the node.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from harness.clock import now_s
from harness.engines.engine import ClockOffset
from harness.events import Event, WatchEnded, WatchStarted
from harness.history import Recorder
from harness.wait import all_of

Spawn = Callable[[str, Sequence[str]], Awaitable[asyncio.subprocess.Process]]
"""Starts a command inside a node's cgroup, standard input and output being pipes: ``spawn(node, command)``."""
Read = Callable[[str, str], Event | None]
"""What a line of a node's program means, ``read(node, line)``; raises ValueError for one that means nothing."""

NodesClock = Callable[[str], Awaitable[ClockOffset]]
"""How the clock of a node compares with ours: Engine.clock."""

_END_WITHIN_S = 2.0


async def same_clock(_node: str) -> ClockOffset:
    """Of nodes on this host's kernel."""
    return ClockOffset()


class ProgramProbe:
    """One program on every node that is watched; each line that it prints becomes an event.

    Events are stamped by the program, with CLOCK_MONOTONIC of its node; ``clock`` says what that is on ours.
    ``what`` is watched: it is said in the history when a watch begins and ends, so that silence can be told from it.
    """

    def __init__(
        self,
        what: str,
        command: Sequence[str],
        read: Read,
        spawn: Spawn,
        recorder: Recorder,
        *,
        clock: NodesClock = same_clock,
    ) -> None:
        self._what = what
        self._command = tuple(command)
        self._read = read
        self._spawn = spawn
        self._clock = clock
        self._recorder = recorder
        self._running: dict[str, tuple[asyncio.subprocess.Process, asyncio.Task[None]]] = {}

    async def watch(self, node: str) -> None:
        """Run the program on a node that has been started, until it ends."""
        await self.unwatch(node)
        offset = await self._clock(node)
        process = await self._spawn(node, self._command)
        self._recorder.record(WatchStarted(t_s=now_s(), what=self._what, target=node))
        self._running[node] = (process, asyncio.create_task(self._follow(node, process, offset.offset_s)))

    async def unwatch(self, node: str) -> None:
        """End the program of a node, dead or alive; no error when there is none."""
        if node not in self._running:
            return
        process, task = self._running.pop(node)
        assert process.stdin is not None, "spawn must connect standard input to a pipe"
        process.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(task), _END_WITHIN_S)
        except TimeoutError:  # frozen, or something in the node holds the pipe
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """End all programs. Idempotent."""
        await all_of(*(self.unwatch(node) for node in list(self._running)))

    async def _follow(self, node: str, process: asyncio.subprocess.Process, offset_s: float) -> None:
        assert process.stdout is not None, "spawn must connect standard output to a pipe"
        try:
            async for line in process.stdout:
                with contextlib.suppress(ValueError):  # the half of a line that a power cut left
                    if (event := self._read(node, line.decode())) is not None:
                        self._recorder.record(msgspec.structs.replace(event, t_s=event.t_s + offset_s))
            await process.wait()
        finally:
            self._recorder.record(WatchEnded(t_s=now_s(), what=self._what, target=node))
