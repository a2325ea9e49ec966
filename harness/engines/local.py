"""Nodes without a daemon: one OCI container each, on overlayfs, in control groups of the run.

Nothing is mounted in the host's mount namespace: a node's disk is mounted by a launcher in a private
one, handed to the container, and gone with the container's last process. All state is on disk below the run
directory, so that any process may take up a run where another left it.
"""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.engines.cgroup import GONE, Cgroup
from harness.engines.disk import Disk, read_tree, write_files
from harness.engines.engine import NodeDefinition, NodeFile
from harness.engines.enter import UMASK, WRITABLE_HINT, in_node
from harness.engines.grouped import GroupedNodes, Result, finish, write_logs
from harness.engines.noted import note_process
from harness.engines.oci import configuration, find_runtime
from harness.engines.powered import LAUNCHERS, LOG_LIMIT_BYTES, check_name
from harness.errors import EngineError, HarnessError
from harness.rundir import RunDirectory

_STARTING_S = 30.0

# $1 overlay options, $2 mount point, $3 preparation, then the runtime's command line.
_MOUNT_FAILED = 124
_LAUNCH = f'mount -t overlay overlay -o "$1" "$2" || exit {_MOUNT_FAILED}; eval "$3"; shift 3; exec "$@"'


@dataclass(frozen=True, slots=True)
class _Node:
    """What is written down of a node when it is created."""

    image: str
    layers: tuple[str, ...]
    environment: dict[str, str]


class LocalEngine(GroupedNodes[_Node]):
    """Runs the nodes of one run. Other processes may have engines for the same run, too."""

    name = "local"

    def __init__(self, run: RunDirectory) -> None:
        super().__init__(run)
        self._runtime = find_runtime()
        Cgroup(f"{run.cgroup}/{LAUNCHERS}").create()
        self._disks = run.disks
        run.mark_disks()

    # --- life and death ---------------------------------------------------------------------------

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        name = definition.name
        check_name(name)
        async with self._changing[name]:
            if self._run.node_note(name).exists():
                raise EngineError(f"node {name} exists already")
            disk = Disk.of(definition, self._disks / name, self._run.node(name) / "root")
            await finish(self._create, definition, disk)

    def _create(self, definition: NodeDefinition, disk: Disk) -> None:
        name = definition.name
        self._remove_disk(name)  # of a creation that did not get to its end
        self._run.node(name).mkdir()
        self._launchers(name).create()
        disk.create(definition.files)
        node = _Node(str(definition.image), tuple(map(str, definition.layers)), dict(definition.environment))
        config = configuration(name, self._cgroup(name).path, disk.mount_point, definition.environment)
        (self._run.node(name) / "config.json").write_text(json.dumps(config))
        self._note(name, asdict(node))

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace."""
        disk = self._disk(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs already")
            await finish(self._clear, node)
            return await self._launch(node, disk)

    async def _launch(self, node: str, disk: Disk) -> int:
        bundle = self._run.node(node)
        runtime = [
            *(str(self._runtime.program), "--root", str(self._run.path / "runtime")),
            *("--log", str(bundle / "runtime.log"), "--log-format", "json"),
            *("run", "--detach", "--bundle", str(bundle), "--pid-file", str(bundle / "pid"), self._container(node)),
        ]
        launch = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _LAUNCH, "sh"]
        command = [*self._launchers(node).joining(), *launch]
        command += [disk.options(), str(disk.mount_point), self._runtime.preparation, *runtime]
        process: Process | None = None
        try:
            with (bundle / "console.log").open("ab") as console:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=DEVNULL, stdout=console, stderr=console, umask=UMASK
                )
            code = await asyncio.wait_for(process.wait(), _STARTING_S)
            if code != 0:
                raise EngineError(f"node {node} did not start (exit code {code}): {self._why_not_started(node, code)}")
            return self._note_process(node, bundle)
        except BaseException as error:  # a cancelled start too must leave nothing that runs
            if process is not None and process.returncode is None:
                process.kill()  # it may not have joined its group yet; what it started has
                await process.wait()
            self._clear(node)
            if isinstance(error, TimeoutError):
                raise EngineError(f"node {node} did not start within {_STARTING_S:g} s") from None
            raise

    def _note_process(self, node: str, bundle: Path) -> int:
        try:
            pid = int((bundle / "pid").read_text())
            note_process(bundle, pid)
        except (HarnessError, OSError, ValueError) as error:
            raise EngineError(f"node {node} ended as soon as it had started: {error}") from error
        return pid

    def _why_not_started(self, node: str, code: int) -> str:
        if code == GONE and not self._launchers(node).directory.exists():
            return f"run {self._run.run_id} has ended"
        bundle = self._run.node(node)
        for file in (bundle / "runtime.log", bundle / "console.log"):
            if file.exists() and (lines := file.read_text(errors="replace").splitlines()):
                if code == _MOUNT_FAILED:
                    return f"{' '.join(line.strip() for line in lines[-2:])} {WRITABLE_HINT}"
                return lines[-1]
        return "no reason given"

    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot."""
        self._launchers(node).kill()
        cgroup = self._cgroup(node)
        cgroup.kill(first=self.pid(node))
        cgroup.remove()
        bundle = self._run.node(node)
        # The runtime writes .pid before it is pid, and refuses to start where one is left of a start that was killed.
        for file in ("pid", ".pid", "process.json", "runtime.log"):
            (bundle / file).unlink(missing_ok=True)
        shutil.rmtree(self._run.path / "runtime" / self._container(node), ignore_errors=True)

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""
        disk = self._disk(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs: stop it before wiping its disk")
            await finish(self._clear, node)
            await finish(disk.wipe)

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""
        async with self._changing[node]:
            self._run.node_note(node).unlink(missing_ok=True)
            await finish(self._clear, node)
            await finish(self._launchers(node).remove)
            await finish(self._remove_disk, node)

    def _remove_disk(self, node: str) -> None:
        for directory in (self._disks / node, self._run.node(node)):
            shutil.rmtree(directory, ignore_errors=True)

    # --- files -------------------------------------------------------------------------------------------

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk, running or not (FileNotFoundError when it is not there)."""
        return await asyncio.to_thread(self._inside, node, (Path("/") / path).read_bytes)

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk, running or not; whoever reads it sees all of it or what was there before."""
        write = partial(write_files, (file,))
        async with self._changing[node]:
            if (pid := self.pid(node)) is not None:
                await asyncio.to_thread(in_node, pid, write)
            else:
                await asyncio.to_thread(self._disk(node).writing, write)

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory, running or not."""
        found = await asyncio.to_thread(self._inside, node, partial(read_tree, "/var/log", LOG_LIMIT_BYTES))
        console = self._run.node(node) / "console.log"
        found["/console.log"] = console.read_bytes() if console.exists() else b""
        write_logs(found, into)

    def _inside(self, node: str, function: Callable[[], Result]) -> Result:
        disk = self._disk(node)
        if (pid := self.pid(node)) is not None:
            return in_node(pid, function)
        return disk.reading(function)

    # --- what is written down ------------------------------------------------------------------------------

    def _from_note(self, fields: dict[str, Any]) -> _Node:
        return _Node(fields["image"], tuple(fields["layers"]), fields["environment"])

    def _disk(self, node: str) -> Disk:
        known = self._known(node)
        definition = NodeDefinition(node, Path(known.image), tuple(map(Path, known.layers)))
        return Disk.of(definition, self._disks / node, self._run.node(node) / "root")

    def _launchers(self, node: str) -> Cgroup:
        """Where what starts the node runs until the node does."""
        return Cgroup(f"{self._run.cgroup}/{LAUNCHERS}/{node}")

    def _container(self, node: str) -> str:
        return f"{self._run.run_id}.{node}"
