"""Nodes that a daemon keeps (Docker, LXD): what all such engines have in common.

The daemon makes and starts the containers. Their control groups are below the run's, so that ending, freezing and
looking at a node is the kernel's business and works as it does without a daemon, also when the daemon hangs.
All state is below the run directory, so that any process may take up a run where another left it.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from harness.engines.disk import read_tree, write_files
from harness.engines.engine import NodeDefinition, NodeFile
from harness.engines.enter import in_node
from harness.engines.grouped import GroupedNodes, Result, finish, write_logs
from harness.engines.laid import check_sources, pack, pack_files
from harness.engines.noted import forget_process, note_process
from harness.engines.powered import LOG_LIMIT_BYTES, check_name
from harness.engines.remains import Daemon, note_daemon
from harness.errors import EngineError, HarnessError
from harness.rundir import RunDirectory

_LAID_FILE = "laid.tar"


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


class HostedEngine(GroupedNodes[Container]):
    """Runs the nodes of one run in a daemon's containers."""

    def __init__(self, run: RunDirectory, containers: Containers) -> None:
        super().__init__(run)
        self.name = containers.name
        self._containers = containers
        note_daemon(run, containers.daemon)  # before the first container: who cleans up must know where to look

    # --- life and death ---------------------------------------------------------------------------

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        name = definition.name
        check_name(name)
        check_sources(definition)
        async with self._changing[name]:
            if self._run.node_note(name).exists():
                raise EngineError(f"node {name} exists already")
            await finish(self._create, definition)

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
        self._note(name, asdict(container) | {"image": str(container.image)})

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace."""
        self._known(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs already")
            try:
                return await finish(self._start, node)
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

    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot. The kernel does it; the daemon hears of it afterwards."""
        self._cgroup(node).kill(first=self.pid(node))
        forget_process(self._run.node(node))

    def _settle(self, node: str) -> None:
        """Wait for the daemon to have heard of it."""
        self._containers.await_off(node)
        self._cgroup(node).remove()

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""
        container = self._known(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs: stop it before wiping its disk")
            await finish(self._wipe, container)

    def _wipe(self, container: Container) -> None:
        self._clear(container.node)
        self._settle(container.node)
        self._containers.create(container, (self._run.node(container.node) / _LAID_FILE).read_bytes())

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""
        async with self._changing[node]:
            self._run.node_note(node).unlink(missing_ok=True)
            await finish(self._destroy, node)

    def _destroy(self, node: str) -> None:
        self._clear(node)
        self._containers.remove(node)
        self._cgroup(node).remove()
        shutil.rmtree(self._run.node(node), ignore_errors=True)

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
        write_logs(found, into)

    def _inside(self, node: str, with_power: Callable[[], Result], without: Callable[[], Result]) -> Result:
        """With power, what a node's processes see; without, what the daemon keeps of it."""
        self._known(node)
        if (pid := self.pid(node)) is not None:
            return in_node(pid, with_power)
        self._containers.await_off(node)
        return without()

    # --- what is written down ------------------------------------------------------------------------------

    def _from_note(self, fields: dict[str, Any]) -> Container:
        return Container(**fields | {"image": Path(fields["image"])})
