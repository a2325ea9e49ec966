"""What each node's own Corosync says about quorum and members, as it changes.

One long-lived ``corosync-quorumtool -m`` per node, run inside the node (so that it freezes with it):
it prints a block whenever Corosync calls back, and ends when Corosync does. A small shell loop in
the node starts it again, which is far cheaper than a new exec through the engine each time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.clock import now_s
from harness.events import MembershipSeen, WatchEnded, WatchStarted
from harness.history import Recorder

Spawn = Callable[[str, Sequence[str]], Awaitable[asyncio.subprocess.Process]]
"""Starts a command inside a node's cgroup, standard input and output being pipes: ``spawn(node, command)``."""

_LOST = "monitor-lost"
# Its standard input is its lifeline: a signal would reach only whatever brought the shell into the node.
# quorumtool writes into a pipe, so the C library would keep its output back without stdbuf.
_MONITOR = f"""
exec 3<&0
( cat <&3 >/dev/null; kill -TERM $$ ) &
trap 'kill $monitor 2>/dev/null; exit 0' TERM
while :; do
    stdbuf -oL corosync-quorumtool -m -i 2>/dev/null &
    monitor=$!
    wait $monitor
    echo {_LOST}
    sleep 0.05
done
"""
MONITOR_COMMAND = ("/bin/sh", "-c", _MONITOR)
_END_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class View:
    """One block of quorumtool: is there quorum, which node ids are members, in which ring."""

    quorate: bool
    members: tuple[int, ...]
    ring: str


NO_VIEW = View(quorate=False, members=(), ring="")
"""What a node without a running Corosync sees."""


class Parser:
    """Reads the output of ``corosync-quorumtool -m -i`` line by line. Pure."""

    def __init__(self) -> None:
        self._clear()

    def feed(self, line: str) -> View | None:
        """Take one line in; give a view when it completes one (NO_VIEW when Corosync was lost)."""
        text = line.strip()
        if text == _LOST:
            self._clear()
            return NO_VIEW
        if text == "Quorum information":
            self._clear()
        elif text.startswith("Quorate:"):
            self._quorate = text.split()[-1] == "Yes"
        elif text.startswith("Ring ID:"):
            self._ring = text.split()[-1]
        elif text.startswith("Nodeid"):
            self._in_members = True
        elif self._in_members and text:
            # Nodeid, votes, optionally the state of a quorum device, name; 0 is the device itself.
            identifier = text.split()[0]
            if identifier.isdigit() and identifier != "0":
                self._members.append(int(identifier))
        elif self._in_members:
            view = View(self._quorate, tuple(sorted(self._members)), self._ring)
            self._clear()
            return view
        return None

    def _clear(self) -> None:
        self._quorate = False
        self._ring = ""
        self._in_members = False
        self._members: list[int] = []


class MembershipMonitors:
    """The monitors of all nodes of a run. ``names`` maps Corosync node ids to node names, as far as known at first."""

    def __init__(self, spawn: Spawn, recorder: Recorder, names: Mapping[int, str]) -> None:
        self._spawn = spawn
        self._recorder = recorder
        self._names = dict(names)
        self._monitors: dict[str, tuple[asyncio.subprocess.Process, asyncio.Task[None]]] = {}

    def nodes_are_called(self, names: Mapping[int, str]) -> None:
        """Nodes that joined have these Corosync node ids."""
        self._names |= names

    async def watch(self, node: str) -> None:
        """Monitor a node that has been started, until it ends; Corosync may come up later, and come again."""
        await self.unwatch(node)
        process = await self._spawn(node, MONITOR_COMMAND)
        self._recorder.record(WatchStarted(t_s=now_s(), what="membership", target=node))
        self._monitors[node] = (process, asyncio.create_task(self._follow(node, process)))

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

    async def _follow(self, node: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "spawn must connect standard output to a pipe"
        parser, last = Parser(), NO_VIEW
        try:
            async for line in process.stdout:
                view = parser.feed(line.decode(errors="replace"))
                if view is not None and view != last:
                    last = view
                    self._record(node, view)
            await process.wait()
        finally:
            self._recorder.record(WatchEnded(t_s=now_s(), what="membership", target=node))

    def _record(self, node: str, view: View) -> None:
        members = tuple(self._names.get(member, f"id{member}") for member in view.members)
        self._recorder.record(
            MembershipSeen(t_s=now_s(), node=node, quorate=view.quorate, members=members, ring=view.ring)
        )
