"""Nodes in control groups of the run: what every engine does the same way, whoever starts the containers.

Ending, freezing, looking at and running commands in a node is the kernel's business. All state is below the run
directory, so that any process may take up a run where another left it.
"""

import asyncio
import json
import os
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from harness.engines.cgroup import Cgroup
from harness.engines.engine import Capabilities, ClockOffset, Finished
from harness.engines.noted import noted_process
from harness.engines.powered import Powered
from harness.errors import EngineError, HostError
from harness.fabric.canary import CanaryEnd, End
from harness.fabric.plug import Plug
from harness.rundir import RunDirectory
from harness.wait import finished

Result = TypeVar("Result")


class HasEnvironment(Protocol):
    """What is written down of a node, as far as it matters here."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Of its process 1, and of every command."""


Known = TypeVar("Known", bound=HasEnvironment)


class GroupedNodes(ABC, Generic[Known]):
    """The nodes of one run. ``Known`` is what the engine writes down of a node when it creates it."""

    name: str
    loses_unsynced_writes: ClassVar[bool] = False  # all of them on the host's kernel, and so in its page cache
    own_kernel: ClassVar[bool] = False

    def __init__(self, run: RunDirectory) -> None:
        if os.geteuid() != 0:
            raise HostError("nodes need root: run this with sudo")
        self._run = run
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @abstractmethod
    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot."""

    @abstractmethod
    def _from_note(self, fields: dict[str, Any]) -> Known:
        """What ``_note`` wrote down."""

    def capabilities(self, node: str) -> Capabilities:
        """The same for all nodes of one engine."""
        return Capabilities(self.name, self.loses_unsynced_writes, self.own_kernel)

    # --- ending and freezing -----------------------------------------------------------------------------

    async def kill(self, node: str) -> None:
        """Power cut: every process of the node dies at once; returns when none is left. Also when paused."""
        self._known(node)
        async with self._changing[node]:
            await finish(self._clear, node)

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order (SIGTERM to process 1, which ends its services); power cut after the timeout."""
        self._known(node)
        if (pid := self.pid(node)) is not None:
            await self._powered(node, pid).terminate(timeout_s, lambda: self.pid(node))
        await self.kill(node)

    async def pause(self, node: str) -> None:
        """Freeze every process of the node, whoever started it."""
        self._running(node)
        await asyncio.to_thread(self._cgroup(node).freeze)

    async def resume(self, node: str) -> None:
        """Let a paused node go on; one that goes on already, or has lost its power meanwhile, is no error."""
        self._known(node)
        await asyncio.to_thread(self._cgroup(node).thaw)

    # --- the cable -------------------------------------------------------------------------------------

    async def connect(self, node: str, plug: Plug) -> str:
        """Not for nodes whose interfaces are this host's."""
        raise EngineError(f"node {node} shares the host's kernel: the fabric gives it its interface {plug.interface}")

    async def connected(self, node: str, plug: Plug) -> None:
        """Its interface is up already."""

    def end_of_cable(self, node: str, plug: Plug) -> CanaryEnd:
        """In the node's network namespace."""
        return End(Path(f"/proc/{self._running(node)}/ns/net"), plug.interface, plug.mac, plug.address)

    # --- commands --------------------------------------------------------------------------------------

    async def exec(self, node: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Finished:
        """Run a command as the node's root, inside its cgroup; a command over time is killed (EngineError)."""
        return await self._powered(node, self._running(node)).exec(command, stdin=stdin, timeout_s=timeout_s)

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, inside its cgroup, with pipes to all streams; it ends with the node."""
        return await self._powered(node, self._running(node)).spawn(command)

    def attach(self, node: str, command: Sequence[str], *, with_stdin: bool = True) -> int:
        """Run a command with the streams of this process, a terminal included; blocks, and gives its exit code."""
        return self._powered(node, self._running(node)).attach(command, with_stdin=with_stdin)

    def _powered(self, node: str, pid: int) -> Powered:
        return Powered(node, pid, self._cgroup(node), dict(self._known(node).environment))

    async def clock(self, node: str) -> ClockOffset:
        """The same as ours."""
        self._running(node)
        return ClockOffset()

    # --- looking ---------------------------------------------------------------------------------------

    def pid(self, node: str) -> int | None:
        """The host's process id of the node's process 1, or None when it has no power."""
        return noted_process(self._run.node(node))

    def processes(self, node: str) -> tuple[int, ...]:
        """The host's process ids of everything that runs in the node's cgroup."""
        self._known(node)
        return self._cgroup(node).processes()

    def cpu_used_s(self, node: str) -> float:
        """Processor time the node's cgroup has used since it was started, in seconds."""
        self._known(node)
        return self._cgroup(node).cpu_used_s()

    # --- what is written down ------------------------------------------------------------------------------

    def _note(self, node: str, fields: Mapping[str, object]) -> None:
        """Write a node down, last of all: it exists from here on."""
        note = self._run.node_note(node)
        fresh = note.with_suffix(".fresh")
        fresh.write_text(json.dumps(fields))
        fresh.replace(note)

    def _known(self, node: str) -> Known:
        try:
            return self._from_note(json.loads(self._run.node_note(node).read_text()))
        except FileNotFoundError:
            raise EngineError(f"there is no node {node} in run {self._run.run_id}") from None

    def _running(self, node: str) -> int:
        self._known(node)
        pid = self.pid(node)
        if pid is None:
            raise EngineError(f"node {node} does not run")
        return pid

    def _cgroup(self, node: str) -> Cgroup:
        return Cgroup(f"{self._run.cgroup}/{node}")


def write_logs(found: Mapping[str, bytes], into: Path) -> None:
    """Write what was found under absolute names into a directory."""
    for name, content in found.items():
        target = into / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


async def finish(function: Callable[..., Result], *arguments: object) -> Result:
    """Run a function in a thread to its end, even when cancelled: nobody else may change the node meanwhile."""
    return await finished(asyncio.to_thread(function, *arguments))
