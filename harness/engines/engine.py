"""What every engine can do. tests/contracts/engine.py holds each of them to it."""

from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.fabric.canary import CanaryEnd
from harness.fabric.plug import Plug


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file to put on a node's disk, before it boots or while it runs."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class NodeDefinition:
    """What a node is made of. Its network is not the engine's business: the fabric plugs it in."""

    name: str
    image: Path
    """The root file system of the image (a directory, shared and never written to)."""
    layers: tuple[Path, ...] = ()
    """Directories laid over the image, later ones on top (shared and never written to)."""
    files: tuple[NodeFile, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command inside a node ended. ``exit_code`` is that of the command, 128 + n when killed by signal n."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """What to add to CLOCK_MONOTONIC of a node to get ours, and how far off that may be."""

    offset_s: float = 0.0
    error_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What others have to know of how a node is run."""

    engine: str
    """The name of its engine."""
    loses_unsynced_writes: bool = False
    """Whether ``kill`` takes with it what a node has written but its kernel has not yet put on the disk.

    Nodes that share the host's kernel share its page cache. There a power cut is the death of their processes, and what
    was written survives it, synced or not. So no run on such an engine shows that a store syncs.
    """
    own_kernel: bool = False
    """Whether the node has a kernel of its own.

    Then its namespaces, interfaces and processes are not this host's, and only that kernel knows them. The node's
    process id is that of its kernel.
    """


class Engine(Protocol):
    """Runs nodes: machines with own processes, mounts, host name, IPC, network and cgroup.

    A created node has a disk. A started one has power and boots by itself: process 1 runs the executables in
    /etc/boot.d in order, once the fabric has given it an interface eth0. It ends by a power cut or is shut down; its
    disk stays until it is wiped or destroyed. On failure every verb raises EngineError with the engine's own words.
    """

    name: str

    def capabilities(self, node: str) -> Capabilities:
        """How this node is run; can be asked before it exists. Nodes of one cluster may differ."""

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace.

        /dev/shm, /run and /tmp are fresh; the disk is as it was left.
        """

    async def connect(self, node: str, plug: Plug) -> str:
        """Give a node with a kernel of its own its interface, which that kernel does not see as up yet.

        Returns the name of the bridge, in the network namespace of its kernel, to plug the cable into. EngineError for
        any other node: the fabric gives it its interface.
        """

    async def connected(self, node: str, plug: Plug) -> None:
        """The cable is in: the interface is up from here on."""

    def end_of_cable(self, node: str, plug: Plug) -> CanaryEnd:
        """Where canaries of a node with power come from and go to (see harness.fabric.canary)."""

    async def exec(
        self,
        node: str,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 30.0,
    ) -> Finished:
        """Run a command as the node's root, inside its cgroup. One that takes too long is killed (EngineError)."""

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, inside its cgroup, with pipes to all streams; it ends with the node."""

    def attach(self, node: str, command: Sequence[str], *, with_stdin: bool = True) -> int:
        """Run a command as the node's root with the streams of this process; blocks, and returns its exit code.

        If the streams are a terminal, the command gets a terminal of the node. It and its children end when this
        process does, even when this process is killed.
        """

    async def kill(self, node: str) -> None:
        """Power cut: every process of the node dies at once; returns when none is left. Also when paused."""

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down (SIGTERM to process 1, which ends its services); power cut after the timeout."""

    async def pause(self, node: str) -> None:
        """Freeze every process of the node, whoever started it."""

    async def resume(self, node: str) -> None:
        """Let a paused node go on. No error for one that is not paused, or has lost its power meanwhile."""

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""

    async def clock(self, node: str) -> ClockOffset:
        """How the clock of a running node compares with ours; on the host's kernel they are the same."""

    def pid(self, node: str) -> int | None:
        """The host's process id of the node's process 1, or None when it has no power."""

    def processes(self, node: str) -> tuple[int, ...]:
        """The host's process ids of everything that runs in the node's cgroup.

        For a node with a kernel of its own: the processes that make up that kernel, and those that stand for commands
        in it.
        """

    def cpu_used_s(self, node: str) -> float:
        """Processor time the node's cgroup has used since it was started, in seconds."""

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk, running or not (FileNotFoundError when it is not there).

        EngineError for a paused node with a kernel of its own: what it has not yet put on its disk, only it knows.
        """

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk, running or not; readers see all of it or what was there before."""

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory, running or not."""
