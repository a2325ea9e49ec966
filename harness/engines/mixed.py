"""Nodes of one cluster on several engines: each is its own engine's, and whoever asks for a node is passed on to it."""

from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.engines.engine import Capabilities, ClockOffset, Engine, Finished, NodeDefinition, NodeFile
from harness.errors import EngineError
from harness.fabric.canary import CanaryEnd
from harness.fabric.plug import Plug


class MixedEngine:
    """The verbs of an engine, each done by the one that has the node."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        """``engines`` are those of the nodes, by the nodes' names."""
        self._engines = dict(engines)
        self.name = "+".join(dict.fromkeys(one.name for one in self._engines.values()))

    def _of(self, node: str) -> Engine:
        try:
            return self._engines[node]
        except KeyError:
            raise EngineError(f"there is no node {node}") from None

    def capabilities(self, node: str) -> Capabilities:
        """What the node's engine declares."""
        return self._of(node).capabilities(node)

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""
        await self._of(definition.name).create(definition)

    async def start(self, node: str) -> int:
        """Power on."""
        return await self._of(node).start(node)

    async def connect(self, node: str, plug: Plug) -> str:
        """Give a node with a kernel of its own its interface."""
        return await self._of(node).connect(node, plug)

    async def connected(self, node: str, plug: Plug) -> None:
        """The cable is in."""
        await self._of(node).connected(node, plug)

    def end_of_cable(self, node: str, plug: Plug) -> CanaryEnd:
        """Where canaries of a node with power come from and go to."""
        return self._of(node).end_of_cable(node, plug)

    async def exec(self, node: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Finished:
        """Run a command as the node's root."""
        return await self._of(node).exec(node, command, stdin=stdin, timeout_s=timeout_s)

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, with pipes to all streams."""
        return await self._of(node).spawn(node, command)

    def attach(self, node: str, command: Sequence[str], *, with_stdin: bool = True) -> int:
        """Run a command as the node's root with the streams of this process."""
        return self._of(node).attach(node, command, with_stdin=with_stdin)

    async def kill(self, node: str) -> None:
        """Power cut."""
        await self._of(node).kill(node)

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order."""
        await self._of(node).stop(node, timeout_s=timeout_s)

    async def pause(self, node: str) -> None:
        """Freeze every process of the node."""
        await self._of(node).pause(node)

    async def resume(self, node: str) -> None:
        """Let a paused node go on."""
        await self._of(node).resume(node)

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk."""
        await self._of(node).wipe(node)

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk."""
        await self._of(node).destroy(node)

    async def clock(self, node: str) -> ClockOffset:
        """How the clock of a running node compares with ours."""
        return await self._of(node).clock(node)

    def pid(self, node: str) -> int | None:
        """The host's process id of the node's process 1, or of its kernel."""
        return self._of(node).pid(node)

    def processes(self, node: str) -> tuple[int, ...]:
        """The host's process ids of everything that runs in the node's cgroup."""
        return self._of(node).processes(node)

    def cpu_used_s(self, node: str) -> float:
        """Processor time the node's cgroup has used since it was started, in seconds."""
        return self._of(node).cpu_used_s(node)

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk."""
        return await self._of(node).read_file(node, path)

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk."""
        await self._of(node).write_file(node, file)

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory."""
        await self._of(node).logs(node, into)
