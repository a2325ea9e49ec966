"""What every engine can do; tests/contracts/engine.py is one body that each of them passes."""

from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.fabric.canary import CanaryEnd
from harness.fabric.plug import Plug


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file to be put into a node's disk before it boots (or while it runs)."""

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
    """What is to be added to CLOCK_MONOTONIC of a node to have ours, and how far off that may be."""

    offset_s: float = 0.0
    error_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How a node is run, as far as others have to know."""

    engine: str
    """The name of its engine."""
    loses_unsynced_writes: bool = False
    """Whether ``kill`` takes with it what a node had written and its kernel not yet put on the disk.

    Nodes that share the host's kernel share its page cache: a power cut is the death of their processes there, and
    what was written survives it, synced or not. So no run on such an engine shows that a store syncs.
    """
    own_kernel: bool = False
    """Whether the node has a kernel of its own.

    Its namespaces, interfaces and processes are not this host's then: only it knows them. The process id of such a
    node is that of its kernel.
    """


class Engine(Protocol):
    """Runs nodes: machines with own processes, mounts, host name, IPC, network and cgroup.

    A node is created (it has a disk), started (it has power and boots by itself: process 1 runs
    the executables in /etc/boot.d in order, once the fabric has given it an interface eth0),
    and ends by power cut or in good order; its disk is kept until it is wiped or destroyed.
    Every verb raises EngineError with the engine's own words on failure.
    """

    name: str

    def capabilities(self, node: str) -> Capabilities:
        """What is to be known of a node, also before there is any: nodes of one cluster may differ."""

    async def create(self, definition: NodeDefinition) -> None:
        """Give the node a disk; nothing runs yet."""

    async def start(self, node: str) -> int:
        """Power on: returns the host's process id of the node's process 1, in a fresh network namespace.

        /dev/shm, /run and /tmp are fresh; the disk is as it was left.
        """

    async def connect(self, node: str, plug: Plug) -> str:
        """Give a node with a kernel of its own its interface, which is not up yet in its eyes.

        Gives the bridge in the network namespace of its kernel that the cable is to be plugged into. The other nodes
        are given their interface by the fabric (EngineError).
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
        """Run a command as the node's root, inside its cgroup; a command over time is killed (EngineError)."""

    async def spawn(self, node: str, command: Sequence[str]) -> Process:
        """Start a command as the node's root, inside its cgroup, with pipes to all streams; it ends with the node."""

    def attach(self, node: str, command: Sequence[str], *, with_stdin: bool = True) -> int:
        """Run a command as the node's root with the streams of this process; blocks, and gives its exit code.

        Where these are a terminal, the command gets one of the node. It ends, with its children, when this process
        does, also when it is killed.
        """

    async def kill(self, node: str) -> None:
        """Power cut: every process of the node dies at once; returns when none is left. Also when paused."""

    async def stop(self, node: str, *, timeout_s: float = 10.0) -> None:
        """Shut down in good order (SIGTERM to process 1, which ends its services); power cut after the timeout."""

    async def pause(self, node: str) -> None:
        """Freeze every process of the node, whoever started it."""

    async def resume(self, node: str) -> None:
        """Let a paused node go on; one that goes on already, or has lost its power meanwhile, is no error."""

    async def wipe(self, node: str) -> None:
        """Forget what a stopped node wrote to its disk: it is as just created, files included."""

    async def destroy(self, node: str) -> None:
        """Remove the node and its disk, running or not; a node that is not there is no error."""

    async def clock(self, node: str) -> ClockOffset:
        """How the clock of a running node compares with ours; it is the same where the kernel is."""

    def pid(self, node: str) -> int | None:
        """The host's process id of the node's process 1, or None when it has no power."""

    def processes(self, node: str) -> tuple[int, ...]:
        """The host's process ids of everything that runs in the node's cgroup.

        Of a node with a kernel of its own: of what that kernel is made of, and of what stands for commands in it.
        """

    def cpu_used_s(self, node: str) -> float:
        """Processor time the node's cgroup has used since it was started, in seconds."""

    async def read_file(self, node: str, path: str) -> bytes:
        """A file of the node's disk, running or not (FileNotFoundError when it is not there).

        Of a paused node with a kernel of its own: EngineError. What such a node has not put on its disk, only it knows.
        """

    async def write_file(self, node: str, file: NodeFile) -> None:
        """Put a file on the node's disk, running or not; readers see all of it or what was there before."""

    async def logs(self, node: str, into: Path) -> None:
        """Copy the node's console output and /var/log into a directory, running or not."""
