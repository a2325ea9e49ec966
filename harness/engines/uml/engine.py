"""Nodes with a kernel of their own: User-Mode Linux, a real Linux kernel that runs as ordinary processes of the host.

Each is in namespaces and a control group of its own, so that ending and freezing it is the host kernel's business, as
on every engine. What goes on inside, only its kernel knows: an agent in it (guest.py) does there what we ask.
All state is on disk below the run directory, so that any process may take up a run where another left it.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

from harness.engines.attached import ended_by_signals, is_terminal, raw_terminal
from harness.engines.disk import Disk, read_tree, write_files
from harness.engines.engine import ClockOffset, Finished, NodeDefinition, NodeFile
from harness.engines.grouped import GroupedNodes, Result, finish, write_logs
from harness.engines.laid import check_sources
from harness.engines.noted import forget_process
from harness.engines.oci import environment
from harness.engines.powered import LOG_LIMIT_BYTES, check_name
from harness.engines.uml import mconsole
from harness.engines.uml.asked import connect
from harness.engines.uml.booting import Boot
from harness.engines.uml.canary import KernelEnd
from harness.engines.uml.channel import Answer, PowerLost, ask, read_clock
from harness.engines.uml.disk import KernelDisk, ensure_empty_medium
from harness.engines.uml.guest.links import CABLE
from harness.engines.uml.kernel import NAME, find_kernel, guards_bridges_alone
from harness.engines.uml.launch import BRIDGE, TAP, UMID
from harness.engines.uml.machine import own_files
from harness.engines.uml.parts import Parts
from harness.engines.uml.relay import Relay, own_size, relaying
from harness.errors import EngineError, UsageError
from harness.fabric.canary import CanaryEnd
from harness.fabric.namespaces import call_in
from harness.fabric.plug import Plug
from harness.rundir import RunDirectory, cache_directory

_FILES_S = 60.0


@dataclass(frozen=True, slots=True)
class _Node:
    """What is written down of a node when it is created."""

    image: str
    layers: tuple[str, ...]
    environment: dict[str, str]
    own_kernel: bool = True
    """For whoever has only this to know it by."""


class UmlEngine(GroupedNodes[_Node]):
    """Runs the nodes of one run. Other processes may have engines for the same run, too."""

    name = NAME
    loses_unsynced_writes: ClassVar[bool] = True
    own_kernel: ClassVar[bool] = True

    def __init__(self, run: RunDirectory) -> None:
        super().__init__(run)
        self._kernel = find_kernel()
        self._disks = run.disks
        # In turn, from another one on in each run; a node that starts again has the one it had.
        allowed = sorted(os.sched_getaffinity(0))
        in_turn = itertools.islice(itertools.cycle(allowed), crc32(run.run_id.encode()) % len(allowed), None)
        self._processors = defaultdict[str, int](lambda: next(in_turn))
        run.mark_disks()

    # --- life and death ---------------------------------------------------------------------------

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        name = definition.name
        check_name(name)
        check_sources(definition)
        if not (definition.image / "usr/bin/python3").exists():
            raise UsageError(f"node {name}: image {definition.image} has no python3, which the engine {NAME} needs")
        async with self._changing[name]:
            if self._run.node_note(name).exists():
                raise EngineError(f"node {name} exists already")
            node = _Node(str(definition.image), tuple(map(str, definition.layers)), dict(definition.environment))
            await finish(self._create, name, node, definition.files)

    def _create(self, name: str, node: _Node, files: tuple[NodeFile, ...]) -> None:
        self._remove_disk(name)  # of a creation that did not get to its end
        self._run.node(name).mkdir()
        disk = self._disk_of(name, node)
        disk.create((*own_files(name, Path(node.image), node.environment), *files), self._empty_medium())
        self._note(name, asdict(node))

    def _empty_medium(self) -> Path:
        return ensure_empty_medium(cache_directory() / "engines" / NAME)

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's kernel when the node's process 1 runs."""
        disk = self._disk_of(node, self._known(node))
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs already")
            await finish(self._clear, node)
            try:
                boot = Boot(node, self._run, self._cgroup(node))
                return await boot.launch(self._kernel, disk, self._processors[node])
            except BaseException:  # a cancelled start too must leave nothing that runs
                self._clear(node)
                raise

    def _clear(self, node: str) -> None:
        """End whatever is left of the node's last boot."""
        cgroup = self._cgroup(node)
        cgroup.kill(first=self.pid(node))
        cgroup.remove()
        forget_process(self._run.node(node))
        shutil.rmtree(self._run.node(node) / UMID, ignore_errors=True)
        for medium in (self._disks / node).glob("more-*"):
            medium.unlink(missing_ok=True)

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order (SIGTERM to process 1, which ends its services); power cut after the timeout."""
        self._known(node)
        if (pid := self.pid(node)) is not None and not self._cgroup(node).freezing():
            with contextlib.suppress(PowerLost, TimeoutError, EngineError):
                await ask(pid, {"do": "halt"}, timeout_s=timeout_s)
        await self.kill(node)

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""
        disk = self._disk_of(node, self._known(node))
        async with self._changing[node]:
            if self.pid(node) is not None:
                raise EngineError(f"node {node} runs: stop it before wiping its disk")
            await finish(self._clear, node)
            await finish(disk.blank, self._empty_medium())

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""
        async with self._changing[node]:
            self._run.node_note(node).unlink(missing_ok=True)
            await finish(self._clear, node)
            await finish(self._remove_disk, node)

    def _remove_disk(self, node: str) -> None:
        for directory in (self._disks / node, self._run.node(node)):
            shutil.rmtree(directory, ignore_errors=True)

    # --- the cable ---------------------------------------------------------------------------------

    async def connect(self, node: str, plug: Plug) -> str:
        """Give the node its interface, not up in its eyes until ``connected``; gives what the cable is plugged into."""
        pid = self._running(node)
        line = f"config {CABLE}:transport=tap,ifname={TAP},depth=64,gro=1,mac={plug.mac}"
        directory = self._run.node(node) / UMID
        await asyncio.to_thread(call_in, Path(f"/proc/{pid}/ns/net"), lambda: mconsole.tell(directory, line))
        request = {"do": "plug", "as_bridge": guards_bridges_alone(), **asdict(plug)}
        await self._ask(node, request, timeout_s=_FILES_S)
        return BRIDGE

    async def connected(self, node: str, plug: Plug) -> None:
        """The cable is in: the node's interface is up."""
        await self._ask(node, {"do": "cable", **asdict(plug)}, timeout_s=_FILES_S)

    def end_of_cable(self, node: str, plug: Plug) -> CanaryEnd:
        """In the node, by its agent."""
        return KernelEnd(self._running(node), plug.interface, plug.mac, plug.address)

    # --- commands ----------------------------------------------------------------------------------

    async def exec(self, node: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Finished:
        """Run a command as the node's root; a command over time is killed (EngineError)."""
        pid = self._usable(node, command)
        request = self._run_request(node, command, "given" if stdin else "none")
        try:
            answer = await ask(pid, request, stdin or None, timeout_s=timeout_s)
        except TimeoutError:
            raise EngineError(f"{node}: {command[0]} did not end within {timeout_s:g} s") from None
        except PowerLost as error:
            if not error.started:
                raise EngineError(f"node {node} lost its power before {command[0]} could run") from None
            return Finished(128 + signal.SIGKILL, b"", b"")
        _check(node, answer)
        return Finished(answer.result["exit_code"], bytes(answer.output), bytes(answer.errors))

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, with pipes to all streams; it ends with the node.

        What is returned stands for the command: a process in the node's control group, so that it freezes and ends
        with the node, and the command with it.
        """
        pid = self._usable(node, command)
        connection = await asyncio.to_thread(connect, pid)
        with connection:
            line = relaying(connection.fileno(), self._run_request(node, command, "stream"))
            return await asyncio.create_subprocess_exec(
                *self._cgroup(node).joining(), *line,
                stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, pass_fds=(connection.fileno(),),
            )  # fmt: skip

    def attach(self, node: str, command: Sequence[str], *, with_stdin: bool = True) -> int:
        """Run a command with the streams of this process, a terminal included; blocks, and gives its exit code."""
        pid = self._usable(node, command)
        in_terminal = with_stdin and is_terminal()
        request = self._run_request(node, command, "stream" if with_stdin else "none")
        with ExitStack() as stack:
            stack.enter_context(ended_by_signals())
            relay = Relay(stack.enter_context(connect(pid)), with_stdin=with_stdin)
            end = os.pidfd_open(pid)
            stack.callback(os.close, end)
            if in_terminal:
                request["terminal"] = own_size()
                request["environment"] = _terminal_variables() | request["environment"]
                stack.enter_context(raw_terminal())
                stack.callback(signal.signal, signal.SIGWINCH, signal.getsignal(signal.SIGWINCH))
                signal.signal(signal.SIGWINCH, lambda *_: relay.resize(*own_size()))
            return relay.run(request, process=end)

    def _usable(self, node: str, command: Sequence[str]) -> int:
        pid = self._running(node)
        if not command:
            raise UsageError(f"{node}: no command given")
        self._check_not_paused(node, f"running {command[0]}")
        return pid

    def _check_not_paused(self, node: str, doing: str) -> None:
        if self._cgroup(node).freezing():
            raise EngineError(f"node {node} is paused: resume it before {doing}")

    def _run_request(self, node: str, command: Sequence[str], stdin: str) -> dict[str, Any]:
        variables = environment(self._known(node).environment)
        return {"do": "run", "command": list(command), "stdin": stdin, "environment": variables}

    async def _ask(
        self, node: str, request: Mapping[str, object], content: bytes | None = None, *, timeout_s: float
    ) -> Answer:
        try:
            answer = await ask(self._running(node), request, content, timeout_s=timeout_s)
        except TimeoutError:
            raise EngineError(f"the agent in node {node} does not answer within {timeout_s:g} s") from None
        except PowerLost:
            raise EngineError(f"node {node} lost its power") from None
        _check(node, answer)
        return answer

    async def clock(self, node: str) -> ClockOffset:
        """How the clock of a running node compares with ours, by several exchanges."""
        pid = self._running(node)
        self._check_not_paused(node, "asking for its time")
        return await asyncio.to_thread(read_clock, pid)

    def parts(self, node: str) -> Parts:
        """What only such a node has: its clock, modules, further disks."""

        async def asked(request: Mapping[str, object]) -> Mapping[str, object]:
            self._check_not_paused(node, f"asking for {request['do']}")
            return (await self._ask(node, request, timeout_s=_FILES_S)).result

        bundle = self._run.node(node)
        return Parts(asked, self._running(node), bundle / UMID, self._disks / node)

    # --- files -------------------------------------------------------------------------------------

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk, running or not (FileNotFoundError when it is not there); not while paused."""
        self._known(node)
        if self.pid(node) is not None:
            self._check_not_paused(node, f"reading {path}")
            return bytes((await self._ask(node, {"do": "read", "path": path}, timeout_s=_FILES_S)).output)
        async with self._changing[node]:
            return await self._off(node, (Path("/") / path).read_bytes)

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk, running or not; readers see all of it or what was there before."""
        self._known(node)
        async with self._changing[node]:
            if self.pid(node) is None:
                await self._off(node, partial(write_files, (file,)))
                return
            self._check_not_paused(node, f"writing {file.path}")
            request = {"do": "write", "path": file.path, "mode": file.mode}
            await self._ask(node, request, file.content, timeout_s=_FILES_S)

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory, running or not; of a paused one the console."""
        self._known(node)
        found: dict[str, bytes] = {}
        if self.pid(node) is not None:
            if not self._cgroup(node).freezing():
                found = await self._tree(node, "/var/log")
        else:
            async with self._changing[node]:
                found = await self._off(node, partial(read_tree, "/var/log", LOG_LIMIT_BYTES))
        console = self._run.node(node) / "console.log"
        found["/console.log"] = console.read_bytes() if console.exists() else b""
        write_logs(found, into)

    async def _tree(self, node: str, directory: str) -> dict[str, bytes]:
        request = {"do": "tree", "directory": directory, "limit_bytes": LOG_LIMIT_BYTES}
        answer = await self._ask(node, request, timeout_s=_FILES_S)
        found, begin = {}, 0
        for name, size in answer.result["sizes"]:
            found[name] = bytes(answer.output[begin : begin + size])
            begin += size
        return found

    async def _off(self, node: str, function: Callable[[], Result]) -> Result:
        """Do something with the disk of a node without power."""
        if self.pid(node) is not None:
            raise EngineError(f"node {node} has been given power meanwhile")
        await finish(self._clear, node)
        return await finish(self._disk_of(node, self._known(node)).using, function)

    # --- what is written down ------------------------------------------------------------------------

    def _from_note(self, fields: dict[str, Any]) -> _Node:
        return _Node(fields["image"], tuple(fields["layers"]), fields["environment"])

    def _disk_of(self, node: str, known: _Node) -> KernelDisk:
        bundle = self._run.node(node)
        definition = NodeDefinition(node, Path(known.image), tuple(map(Path, known.layers)))
        return KernelDisk(Disk.of(definition, self._disks / node, bundle / "root"), bundle)


def _terminal_variables() -> dict[str, str]:
    return {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}


def _check(node: str, answer: Answer) -> None:
    if (words := answer.result.get("error")) is None:
        return
    if answer.result.get("errno") == 2:
        raise FileNotFoundError(words)
    raise EngineError(f"{node}: {words}")
