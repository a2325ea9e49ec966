"""Acting in a node from outside of it, at once and by whichever kernel it has: files, processes, commands.

Standard modules only: the keeper, who heals with this when everybody else is dead, starts without any other.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from harness.engines.cgroup import Cgroup
from harness.engines.enter import UMASK, entering, in_node
from harness.engines.noted import noted_process
from harness.engines.uml.asked import ask_now
from harness.engines.uml.guest.files import cannot_write
from harness.engines.uml.guest.processes import files_of, limit_files
from harness.errors import EngineError, HarnessError
from harness.procfs import command_words, parent_pid, process_name, process_state, processor_time_s
from harness.rundir import ProcessName, RunDirectory

COMMAND_S = 20.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_USER_HZ = 100


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A process of a node at one moment. Its number is that of the kernel that it runs on."""

    pid: int
    start_ticks: int
    parent: int
    processor_s: float
    name: str
    state: str
    words: tuple[str, ...]
    output: str
    """Where its standard output goes."""
    unit: str
    """The last word of its control group: its unit, where systemd started it."""

    def is_same(self, other: "NodeProcess") -> bool:
        """Whether they are one process, at whatever moments."""
        return (self.pid, self.start_ticks) == (other.pid, other.start_ticks)


class Inside(Protocol):
    """A node with power. All raise EngineError when it has lost that."""

    @property
    def pid(self) -> int:
        """The host's process id of its process 1, or of its kernel."""

    @property
    def own_kernel(self) -> bool:
        """Whether it has a kernel of its own."""

    def run(self, command: Sequence[str], within_s: float = COMMAND_S) -> str:
        """What a command of the node's root says. Raises EngineError when it does not end with exit code 0."""

    def read(self, path: str) -> bytes | None:
        """What is in a file; None when it is not there."""

    def overwrite(self, path: str, content: bytes, at: int | None = None) -> None:
        """Write into a file in place: from an offset on, or all that is in it."""

    def cannot_write(self, path: str) -> int:
        """Why a page cannot be written to a new file, as an error number; 0, and no file is left, when it can."""

    def processes(self) -> tuple[NodeProcess, ...]:
        """Everything that runs there."""

    def send(self, pid: int, start_ticks: int, number: signal.Signals) -> None:
        """A signal to a process; one that has ended needs none."""

    def files(self, pid: int) -> tuple[int, int]:
        """How many files a process may have open, and the first number that is free. ProcessLookupError."""

    def limit_files(self, pid: int, start_ticks: int, files: int) -> None:
        """How many files a process may have open from now on; one that has ended has none."""


def inside(run: RunDirectory, node: str) -> Inside | None:
    """The node, None when it has no power. Raises EngineError for one that stands still and could not answer."""
    if (pid := noted_process(run.node(node))) is None:
        return None
    note = json.loads(run.node_note(node).read_text())
    variables = {"PATH": _PATH, **note["environment"]}
    group = Cgroup(f"{run.cgroup}/{node}")
    if not note.get("own_kernel"):
        return OnThisKernel(pid, group, variables)
    if group.freezing():
        raise EngineError(f"node {node} is paused, and its kernel with it")
    return ByItsAgent(pid, variables)


@dataclass(frozen=True, slots=True)
class OnThisKernel:
    """A node that shares the host's kernel, by its process 1."""

    pid: int
    group: Cgroup
    variables: Mapping[str, str]
    own_kernel: ClassVar[bool] = False

    def run(self, command: Sequence[str], within_s: float = COMMAND_S) -> str:
        """Through the doors of its namespaces."""
        done = subprocess.run(
            [*Cgroup.of(self.pid).joining(), *entering(self.pid), "--", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
            env=self.variables,
            umask=UMASK,
        )
        if done.returncode != 0:
            raise EngineError(failed(command, done.returncode, done.stderr))
        return done.stdout

    def read(self, path: str) -> bytes | None:
        """With its mounts."""
        place = Path(path)
        return in_node(self.pid, lambda: place.read_bytes() if place.exists() else None)

    def overwrite(self, path: str, content: bytes, at: int | None = None) -> None:
        """With its mounts, as its root."""

        def write() -> None:
            if at is None:
                Path(path).write_bytes(content)
                return
            with Path(path).open("r+b") as stream:
                stream.seek(at)
                stream.write(content)

        in_node(self.pid, write)

    def cannot_write(self, path: str) -> int:
        """With its mounts."""
        return in_node(self.pid, lambda: cannot_write(path))

    def processes(self) -> tuple[NodeProcess, ...]:
        """Those of its control group."""
        return tuple(found for pid in self.group.processes() if (found := _told_of(pid)) is not None)

    def send(self, pid: int, start_ticks: int, number: signal.Signals) -> None:
        """By its number on this host."""
        with suppress(ProcessLookupError):
            if ProcessName(pid, start_ticks).lives():
                os.kill(pid, number)

    def files(self, pid: int) -> tuple[int, int]:
        """As this kernel says."""
        return files_of(pid)

    def limit_files(self, pid: int, start_ticks: int, files: int) -> None:
        """By its number on this host."""
        if ProcessName(pid, start_ticks).lives():
            limit_files(pid, files)


@dataclass(frozen=True, slots=True)
class ByItsAgent:
    """A node with a kernel of its own, by the process that is its kernel."""

    pid: int
    variables: Mapping[str, str]
    own_kernel: ClassVar[bool] = True

    def run(self, command: Sequence[str], within_s: float = COMMAND_S) -> str:
        """As the agent's child; what it complains of is among what it says."""
        request = {"do": "run", "command": list(command), "stdin": "none", "environment": dict(self.variables)}
        result, said = ask_now(self.pid, request, within_s=within_s)
        text = said.decode(errors="replace")
        if result["exit_code"] != 0:
            raise EngineError(failed(command, result["exit_code"], text))
        return text

    def read(self, path: str) -> bytes | None:
        """Also what is not on its disk yet."""
        try:
            return ask_now(self.pid, {"do": "read", "path": path})[1]
        except FileNotFoundError:
            return None

    def overwrite(self, path: str, content: bytes, at: int | None = None) -> None:
        """By the agent, who is root there."""
        ask_now(self.pid, {"do": "patch", "path": path, "at": at}, content)

    def cannot_write(self, path: str) -> int:
        """By the agent, who is root there."""
        number: int = ask_now(self.pid, {"do": "try-write", "path": path})[0]["number"]
        return number

    def processes(self) -> tuple[NodeProcess, ...]:
        """All but those of its kernel."""
        found = ask_now(self.pid, {"do": "processes"})[0]["processes"]
        return tuple(
            NodeProcess(pid, ticks, parent, used / _USER_HZ, name, state, tuple(words), output, unit)
            for pid, ticks, parent, used, name, state, words, output, unit in found
        )

    def send(self, pid: int, start_ticks: int, number: signal.Signals) -> None:
        """By its number there."""
        ask_now(self.pid, {"do": "signal", "pid": pid, "start_ticks": start_ticks, "signal": int(number)})

    def files(self, pid: int) -> tuple[int, int]:
        """As its kernel says."""
        try:
            limit, free = ask_now(self.pid, {"do": "files", "pid": pid})[0]["files"]
        except FileNotFoundError as error:
            raise ProcessLookupError(str(error)) from None
        return limit, free

    def limit_files(self, pid: int, start_ticks: int, files: int) -> None:
        """By its number there."""
        ask_now(self.pid, {"do": "limit-files", "pid": pid, "start_ticks": start_ticks, "limit": files})


def failed(command: Sequence[str], code: int, said: str) -> str:
    """What to say of a command that did not end as it should."""
    return f"{' '.join(command[-4:])}: {said.strip() or f'exit code {code}'}"


def _told_of(pid: int) -> NodeProcess | None:
    """None for a process that has ended, and for a zombie."""
    try:
        name, state, words = ProcessName.of(pid), process_state(pid), command_words(pid)
        parent, used_s = parent_pid(pid), processor_time_s(pid)
    except HarnessError:
        return None
    if state in "ZX" or not words:
        return None
    output = unit = ""
    with suppress(OSError):
        output = str(Path(f"/proc/{pid}/fd/1").readlink())
    with suppress(OSError):
        lines = [line for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if "init.scope" not in line]
        units = [line.rpartition("/")[2] for line in lines]
        unit = next((one for one in units if one.endswith(".service")), "")
    return NodeProcess(pid, name.start_ticks, parent, used_s, process_name(pid), state, words, output, unit)
