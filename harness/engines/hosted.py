"""Nodes that a daemon keeps (Docker, LXD): what all such engines have in common.

The daemon makes and starts the containers. Their control groups are below the run's, so that ending, freezing and
looking at a node is the kernel's business and works as it does without a daemon, also when the daemon hangs.
All state is below the run directory, so that any process may take up a run where another left it.
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from harness.engines.cgroup import Cgroup
from harness.engines.disk import read_tree, write_files
from harness.engines.engine import Finished, NodeDefinition, NodeFile
from harness.engines.enter import in_node
from harness.engines.laid import check_sources, pack, pack_files
from harness.engines.powered import (
    LOG_LIMIT_BYTES,
    Powered,
    check_name,
    forget_process,
    note_process,
    noted_process,
)
from harness.engines.remains import Daemon, note_daemon
from harness.errors import EngineError, HarnessError, HostError
from harness.rundir import RunDirectory

_LAID_FILE = "laid.tar"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Container:
    """What a daemon is asked to make."""

    run_id: str
    node: str
    image: Path
    group: str
    """The control group, from the root of every hierarchy, that everything of the node is to be in or below."""
    environment: dict[str, str]


class Containers(Protocol):
    """A daemon's containers of one run. Verbs block, and raise EngineError with the daemon's own words."""

    name: str
    daemon: Daemon

    def create(self, container: Container, laid: bytes) -> None:
        """Make a container with this archive over its image; one that is there already is replaced."""

    def start(self, node: str) -> int:
        """Give it power; returns the host's process id of its process 1."""

    def await_off(self, node: str) -> None:
        """Return when the daemon, too, knows that nothing of the container runs (all of it has been killed)."""

    def remove(self, node: str) -> None:
        """Remove the container and its disk; one that is not there is no error."""

    def read_file(self, node: str, path: str) -> bytes:
        """A file of the disk of a container without power, links followed. FileNotFoundError."""

    def read_tree(self, node: str, directory: str, limit_bytes: int) -> dict[str, bytes]:
        """All regular files below a directory of such a disk; of longer ones, the end."""

    def unpack(self, node: str, archive: bytes) -> None:
        """Unpack a tar archive onto such a disk."""

    def console(self, node: str) -> bytes:
        """What process 1 has written."""


class HostedEngine:
    """Runs the nodes of one run in a daemon's containers."""

    def __init__(self, run: RunDirectory, containers: Containers) -> None:
        if os.geteuid() != 0:
            raise HostError("nodes need root: run this with sudo")
        self.name = containers.name
        self._run = run
        self._containers = containers
        note_daemon(run, containers.daemon)  # before the first container: who cleans up must know where to look
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # --- life and death ---------------------------------------------------------------------------

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        name = definition.name
        check_name(name)
        check_sources(definition)
        async with self._changing[name]:
            if self._file(name).exists():
                raise EngineError(f"node {name} exists already")
            await _finish(self._create, definition)

    def _create(self, definition: NodeDefinition) -> None:
        name = definition.name
        directory = self._run.node(name)
        directory.mkdir(exist_ok=True)
        laid = pack(definition)
        (directory / _LAID_FILE).write_bytes(laid)
        container = Container(
            self._run.run_id, name, definition.image, self._cgroup(name).path, dict(definition.environment)
        )
        self._containers.create(container, laid)
        # Last: a node exists when this file does.
        fresh = self._file(name).with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(container) | {"image": str(container.image)}))
        fresh.replace(self._file(name))

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace."""
        self._known(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs already")
            try:
                return await _finish(self._start, node)
            except BaseException:  # a cancelled start too must leave nothing that runs
                self._clear(node)
                raise

    def _start(self, node: str) -> int:
        self._clear(node)
        self._settle(node)
        pid = self._containers.start(node)
        try:
            note_process(self._run.node(node), pid)
        except (HarnessError, OSError) as error:
            raise EngineError(f"node {node} ended as soon as it had started: {error}") from error
        return pid

    async def kill(self, node: str) -> None:
        """Power cut: every process of the node dies at once; returns when none is left. Also when paused."""
        self._known(node)
        async with self._changing[node]:
            await _finish(self._clear, node)

    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot. The kernel does it; the daemon hears of it afterwards."""
        self._cgroup(node).kill(first=self.pid(node))
        forget_process(self._run.node(node))

    def _settle(self, node: str) -> None:
        """Wait for the daemon to have heard of it."""
        self._containers.await_off(node)
        self._cgroup(node).remove()

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order (SIGTERM to process 1, which ends its services); power cut after the timeout."""
        self._known(node)
        if (pid := self.pid(node)) is not None:
            await self._powered(node, pid).terminate(timeout_s, lambda: self.pid(node))
        await self.kill(node)

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""
        container = self._known(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs: stop it before wiping its disk")
            await _finish(self._wipe, container)

    def _wipe(self, container: Container) -> None:
        self._clear(container.node)
        self._settle(container.node)
        self._containers.create(container, (self._run.node(container.node) / _LAID_FILE).read_bytes())

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""
        async with self._changing[node]:
            self._file(node).unlink(missing_ok=True)
            await _finish(self._destroy, node)

    def _destroy(self, node: str) -> None:
        self._clear(node)
        self._containers.remove(node)
        self._cgroup(node).remove()
        shutil.rmtree(self._run.node(node), ignore_errors=True)

    # --- freezing ------------------------------------------------------------------------------------

    async def pause(self, node: str) -> None:
        """Freeze every process of the node, whoever started it."""
        self._running(node)
        await asyncio.to_thread(self._cgroup(node).freeze)

    async def resume(self, node: str) -> None:
        """Let a paused node go on; one that goes on already, or has lost its power meanwhile, is no error."""
        self._known(node)
        await asyncio.to_thread(self._cgroup(node).thaw)

    # --- commands --------------------------------------------------------------------------------------

    async def exec(self, node: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Finished:
        """Run a command as the node's root, inside its cgroup; a command over time is killed (EngineError)."""
        return await self._powered(node, self._running(node)).exec(command, stdin=stdin, timeout_s=timeout_s)

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, inside its cgroup, with pipes to all streams; it ends with the node."""
        return await self._powered(node, self._running(node)).spawn(command)

    def _powered(self, node: str, pid: int) -> Powered:
        return Powered(node, pid, self._cgroup(node), self._known(node).environment)

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

    # --- files -------------------------------------------------------------------------------------------

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk, running or not (FileNotFoundError when it is not there)."""
        read = partial(self._containers.read_file, node, path)
        return await asyncio.to_thread(self._inside, node, (Path("/") / path).read_bytes, read)

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk, running or not; whoever reads it sees all of it or what was there before."""
        async with self._changing[node]:
            unpack = partial(self._containers.unpack, node, pack_files((file,)))
            await asyncio.to_thread(self._inside, node, partial(write_files, (file,)), unpack)

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory, running or not."""
        inside = partial(read_tree, "/var/log", LOG_LIMIT_BYTES)
        outside = partial(self._containers.read_tree, node, "/var/log", LOG_LIMIT_BYTES)
        found = await asyncio.to_thread(self._inside, node, inside, outside)
        found["/console.log"] = await asyncio.to_thread(self._containers.console, node)
        for name, content in found.items():
            target = into / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _inside(self, node: str, with_power: Callable[[], Result], without: Callable[[], Result]) -> Result:
        """With power, what a node's processes see; without, what the daemon keeps of it."""
        self._known(node)
        if (pid := self.pid(node)) is not None:
            return in_node(pid, with_power)
        self._containers.await_off(node)
        return without()

    # --- what is written down ------------------------------------------------------------------------------

    def _file(self, node: str) -> Path:
        return self._run.node(node) / "node.json"

    def _known(self, node: str) -> Container:
        try:
            fields = json.loads(self._file(node).read_text())
        except FileNotFoundError:
            raise EngineError(f"there is no node {node} in run {self._run.run_id}") from None
        return Container(**fields | {"image": Path(fields["image"])})

    def _running(self, node: str) -> int:
        self._known(node)
        pid = self.pid(node)
        if pid is None:
            raise EngineError(f"node {node} does not run")
        return pid

    def _cgroup(self, node: str) -> Cgroup:
        return Cgroup(f"{self._run.cgroup}/{node}")


async def _finish(function: Callable[..., Result], *arguments: object) -> Result:
    """Run a function in a thread to its end, even when cancelled: nobody else may change the node meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
