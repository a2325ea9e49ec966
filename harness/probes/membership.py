"""What each node's own Corosync says about quorum and members, as it changes.

One long-lived process per node, run inside the node (so that it freezes with it): :mod:`harness.probes.quorum_watch`.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.clock import now_s
from harness.engines.engine import ClockOffset
from harness.events import MembershipSeen, WatchEnded, WatchStarted
from harness.history import Recorder

Spawn = Callable[[str, Sequence[str]], Awaitable[asyncio.subprocess.Process]]
"""Starts a command inside a node's cgroup, standard input and output being pipes: ``spawn(node, command)``."""

Clock = Callable[[str], Awaitable[ClockOffset]]
"""What the clock of a node says, compared with ours."""

MONITOR_COMMAND = ("/usr/bin/python3", "-ISc", Path(__file__).with_name("quorum_watch.py").read_text(encoding="utf-8"))
"""Its standard input is its lifeline: a signal would reach only whatever brought it into the node."""
_END_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class View:
    """What a node sees: is there quorum, which node ids are members, in which ring. ``at_s`` is when, by its clock."""

    at_s: float
    quorate: bool
    members: tuple[int, ...] = ()
    ring: str = ""


def parse_view(line: str) -> View:
    """The view that a line of the program tells; a node that lost its Corosync sees nothing. Raises ValueError."""
    match json.loads(line):
        case {"at_s": float(at_s), "lost": True}:
            return View(at_s, quorate=False)
        case {"at_s": float(at_s), "quorate": bool(quorate), "members": [*members], "ring": str(ring)}:
            return View(at_s, quorate, tuple(members), ring)
    raise ValueError(line)


async def same_clock(_node: str) -> ClockOffset:
    """Of nodes on this host's kernel."""
    return ClockOffset()


class MembershipMonitors:
    """The monitors of all nodes of a run. ``names`` maps Corosync node ids to node names, as far as known at first."""

    def __init__(self, spawn: Spawn, recorder: Recorder, names: Mapping[int, str], clock: Clock = same_clock) -> None:
        self._spawn = spawn
        self._clock = clock
        self._recorder = recorder
        self._names = dict(names)
        self._monitors: dict[str, tuple[asyncio.subprocess.Process, asyncio.Task[None]]] = {}

    def nodes_are_called(self, names: Mapping[int, str]) -> None:
        """Nodes that joined have these Corosync node ids."""
        self._names |= names

    async def watch(self, node: str) -> None:
        """Monitor a node that has been started, until it ends; Corosync may come up later, and come again."""
        await self.unwatch(node)
        offset = await self._clock(node)
        process = await self._spawn(node, MONITOR_COMMAND)
        self._recorder.record(WatchStarted(t_s=now_s(), what="membership", target=node))
        self._monitors[node] = (process, asyncio.create_task(self._follow(node, process, offset)))

    async def unwatch(self, node: str) -> None:
        """End the monitor of a node, dead or alive; no error when there is none."""
        if node not in self._monitors:
            return
        process, task = self._monitors.pop(node)
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
        """End all monitors. Idempotent."""
        await asyncio.gather(*(self.unwatch(node) for node in list(self._monitors)))

    async def _follow(self, node: str, process: asyncio.subprocess.Process, offset: ClockOffset) -> None:
        assert process.stdout is not None, "spawn must connect standard output to a pipe"
        try:
            async for line in process.stdout:
                with contextlib.suppress(ValueError):  # the half of a line that a power cut left
                    self._record(node, parse_view(line.decode()), offset)
            await process.wait()
        finally:
            self._recorder.record(WatchEnded(t_s=now_s(), what="membership", target=node))

    def _record(self, node: str, view: View, offset: ClockOffset) -> None:
        members = tuple(self._names.get(member, f"id{member}") for member in view.members)
        self._recorder.record(
            MembershipSeen(
                t_s=view.at_s + offset.offset_s, node=node, quorate=view.quorate, members=members, ring=view.ring
            )
        )
