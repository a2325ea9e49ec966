"""Nodes without a daemon: one OCI container each, on overlayfs, in control groups of the run.

Nothing is mounted in the host's mount namespace: a node's disk is mounted by a launcher in a private
one, handed to the container, and gone with the container's last process. All state is on disk below the run
directory, so that any process may take up a run where another left it.
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.engines.cgroup import GONE, Cgroup
from harness.engines.disk import Disk, read_tree, write_files
from harness.engines.engine import Finished, NodeDefinition, NodeFile
from harness.engines.enter import WRITABLE_HINT, in_node
from harness.engines.oci import configuration, find_runtime
from harness.engines.powered import LAUNCHERS, LOG_LIMIT_BYTES, Powered, check_name, note_process, noted_process
from harness.errors import EngineError, HarnessError, HostError
from harness.rundir import RunDirectory

RUN_WEIGHT = 20
_STARTING_S = 30.0
Result = TypeVar("Result")

# $1 overlay options, $2 mount point, $3 preparation, then the runtime's command line.
_MOUNT_FAILED = 124
_LAUNCH = f'mount -t overlay overlay -o "$1" "$2" || exit {_MOUNT_FAILED}; eval "$3"; shift 3; exec "$@"'


@dataclass(frozen=True, slots=True)
class _Node:
    """What is written down of a node when it is created."""

    image: str
    layers: tuple[str, ...]
    environment: dict[str, str]


class LocalEngine:
    """Runs the nodes of one run. Other processes may have engines for the same run, too."""

    name = "local"

    def __init__(self, run: RunDirectory) -> None:
        if os.geteuid() != 0:
            raise HostError("nodes need root: run this with sudo")
        self._run = run
        self._runtime = find_runtime()
        Cgroup(f"{run.cgroup}/{LAUNCHERS}").create()
        self._disks = run.disks
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # --- life and death ---------------------------------------------------------------------------

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        name = definition.name
        check_name(name)
        async with self._changing[name]:
            if self._file(name).exists():
                raise EngineError(f"node {name} exists already")
            disk = Disk.of(definition, self._disks / name, self._run.node(name) / "root")
            await _finish(self._create, definition, disk)

    def _create(self, definition: NodeDefinition, disk: Disk) -> None:
        name = definition.name
        self._remove_disk(name)  # of a creation that did not get to its end
        self._run.node(name).mkdir()
        self._launchers(name).create()
        disk.create(definition.files)
        node = _Node(str(definition.image), tuple(map(str, definition.layers)), dict(definition.environment))
        config = configuration(name, self._cgroup(name).path, disk.mount_point, definition.environment)
        (self._run.node(name) / "config.json").write_text(json.dumps(config))
        # Last: a node exists when this file does.
        fresh = self._file(name).with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(node)))
        fresh.replace(self._file(name))

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace."""
        disk = self._disk(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs already")
            await _finish(self._clear, node)
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
                process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=console, stderr=console)
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

    async def kill(self, node: str) -> None:
        """Power cut: every process of the node dies at once; returns when none is left. Also when paused."""
        self._known(node)
        async with self._changing[node]:
            await _finish(self._clear, node)

    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot."""
        self._launchers(node).kill()
        cgroup = self._cgroup(node)
        cgroup.kill(first=self.pid(node))
        cgroup.remove()
        bundle = self._run.node(node)
        for file in ("pid", "process.json", "runtime.log"):
            (bundle / file).unlink(missing_ok=True)
        shutil.rmtree(self._run.path / "runtime" / self._container(node), ignore_errors=True)

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order (SIGTERM to process 1, which ends its services); power cut after the timeout."""
        self._known(node)
        pid = self.pid(node)
        if pid is not None:
            await self._powered(node, pid).terminate(timeout_s, lambda: self.pid(node))
        await self.kill(node)

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""
        disk = self._disk(node)
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs: stop it before wiping its disk")
            await _finish(self._clear, node)
            await _finish(disk.wipe)

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""
        async with self._changing[node]:
            self._file(node).unlink(missing_ok=True)
            await _finish(self._clear, node)
            await _finish(self._launchers(node).remove)
            await _finish(self._remove_disk, node)

    def _remove_disk(self, node: str) -> None:
        for directory in (self._disks / node, self._run.node(node)):
            shutil.rmtree(directory, ignore_errors=True)

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
        for name, content in found.items():
            target = into / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _inside(self, node: str, function: Callable[[], Result]) -> Result:
        disk = self._disk(node)
        if (pid := self.pid(node)) is not None:
            return in_node(pid, function)
        return disk.reading(function)

    # --- what is written down ------------------------------------------------------------------------------

    def _file(self, node: str) -> Path:
        return self._run.node(node) / "node.json"

    def _known(self, node: str) -> _Node:
        try:
            fields = json.loads(self._file(node).read_text())
        except FileNotFoundError:
            raise EngineError(f"there is no node {node} in run {self._run.run_id}") from None
        return _Node(fields["image"], tuple(fields["layers"]), fields["environment"])

    def _running(self, node: str) -> int:
        self._known(node)
        pid = self.pid(node)
        if pid is None:
            raise EngineError(f"node {node} does not run")
        return pid

    def _disk(self, node: str) -> Disk:
        known = self._known(node)
        definition = NodeDefinition(node, Path(known.image), tuple(map(Path, known.layers)))
        return Disk.of(definition, self._disks / node, self._run.node(node) / "root")

    def _cgroup(self, node: str) -> Cgroup:
        return Cgroup(f"{self._run.cgroup}/{node}")

    def _launchers(self, node: str) -> Cgroup:
        """Where what starts the node runs until the node does."""
        return Cgroup(f"{self._run.cgroup}/{LAUNCHERS}/{node}")

    def _container(self, node: str) -> str:
        return f"{self._run.run_id}.{node}"


async def _finish(function: Callable[..., None], *arguments: object) -> None:
    """Run a function in a thread to its end, even when cancelled: nobody else may change the node meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
