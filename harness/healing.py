"""What undoes a fault, as data: any process can carry it out, with or without whoever injected the fault.

Every action may be carried out twice, and when there is nothing left to undo (its node lost power, say). Whoever
brings a fault of another kind than these has ``RunInNode`` and ``RunInFabric``. Only standard modules are imported
here: the keeper, which carries it all out when we are dead, starts without any other.
"""

import base64
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.engines.cgroup import Cgroup
from harness.engines.enter import UMASK, entering, in_node, unmount
from harness.engines.limits import Resource, lift
from harness.engines.noted import noted_process
from harness.errors import EngineError, HealFailed
from harness.fabric.namespaces import call_in
from harness.fabric.nft import Nft
from harness.procfs import command_words
from harness.rundir import ProcessName, RunDirectory

Family = Literal["ip", "ip6", "inet", "arp", "bridge", "netdev"]
_COMMAND_S = 20.0
_POWER_S = 60.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ResumeNode:
    """Thaw a frozen node."""

    node: str

    def carry_out(self, run: RunDirectory) -> None:
        """Of a node that is not frozen, nothing."""
        group_of(run, self.node).thaw()


@dataclass(frozen=True, slots=True)
class PowerOn:
    """Boot nodes of a cluster that was left up, and plug them in, where they have no power."""

    nodes: tuple[str, ...]

    def carry_out(self, run: RunDirectory) -> None:
        """In a process of its own: it takes engine and fabric, of which whoever heals needs nothing else."""
        off = [node for node in self.nodes if noted_process(run.node(node)) is None]
        if off:
            # The keeper is in the fabric's namespace, and nobody takes up a fabric from there.
            _call(["unshare", "--net", sys.executable, "-m", "harness.repower", run.run_id, *off], _POWER_S)


@dataclass(frozen=True, slots=True)
class ContinueProcess:
    """SIGCONT to a stopped process, unless another has its id by now."""

    pid: int
    start_ticks: int

    def carry_out(self, run: RunDirectory) -> None:
        """A process that has ended needs none."""
        if ProcessName(self.pid, self.start_ticks).lives():
            os.kill(self.pid, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class LimitFiles:
    """Let a process open this many files again."""

    pid: int
    start_ticks: int
    files: int

    def carry_out(self, run: RunDirectory) -> None:
        """The hard limit was never touched."""
        if ProcessName(self.pid, self.start_ticks).lives():
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (self.files, hard))


@dataclass(frozen=True, slots=True)
class EndMarked:
    """SIGKILL to what runs in a node with this word on its command line: helpers of a fault, started after this
    was written down."""

    node: str
    mark: str

    def carry_out(self, run: RunDirectory) -> None:
        """All of them."""
        for pid in group_of(run, self.node).processes():
            if self.mark in command_words(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class LiftLimit:
    """Give a node all of a resource again."""

    node: str
    resource: Resource

    def carry_out(self, run: RunDirectory) -> None:
        """Of a node that was booted again meanwhile, nothing: its control group is a new one."""
        lift(group_of(run, self.node), self.resource)


@dataclass(frozen=True, slots=True)
class RestoreFile:
    """Put back what was in a file of a node, in place; without content, remove the file."""

    node: str
    path: str
    content: str | None
    """In base64: a journal is text."""

    @classmethod
    def of(cls, node: str, path: str, content: bytes | None) -> "RestoreFile":
        """For a file with this content, or for one that is not there."""
        return cls(node, path, None if content is None else base64.b64encode(content).decode())

    def carry_out(self, run: RunDirectory) -> None:
        """In place, since some such files are mounts of their own."""
        path, content = Path(self.path), self.content

        def restore() -> None:
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(base64.b64decode(content))

        _within(run, self.node, restore)


@dataclass(frozen=True, slots=True)
class RunInNode:
    """A command as the node's root; it must end with exit code 0, also the second time."""

    node: str
    command: tuple[str, ...]

    def carry_out(self, run: RunDirectory) -> None:
        """A node without power needs none."""
        if (pid := noted_process(run.node(self.node))) is None:
            return
        environment = json.loads(run.node_note(self.node).read_text())["environment"]
        try:
            command = [*Cgroup.of(pid).joining(), *entering(pid), "--", *self.command]
            _call(command, _COMMAND_S, {"PATH": _PATH, **environment})
        except (EngineError, HealFailed, OSError):
            if noted_process(run.node(self.node)) is not None:
                raise


@dataclass(frozen=True, slots=True)
class RunInFabric:
    """A command in the fabric's network namespace; it must end with exit code 0, also the second time."""

    command: tuple[str, ...]

    def carry_out(self, run: RunDirectory) -> None:
        """Without its keeper there is no fabric any more."""
        if (namespace := _fabric(run)) is not None:
            _call(["nsenter", f"--net={namespace}", *self.command], _COMMAND_S)


@dataclass(frozen=True, slots=True)
class DeleteTable:
    """Remove an nftables table from the fabric's namespace."""

    family: Family
    name: str

    def carry_out(self, run: RunDirectory) -> None:
        """Adding it first makes deleting one that is not there no error."""
        if (namespace := _fabric(run)) is not None:
            call_in(namespace, self._delete)

    def _delete(self) -> None:
        nft = Nft()
        try:
            nft.run(f"add table {self.family} {self.name}\ndelete table {self.family} {self.name}\n")
        finally:
            nft.close()


@dataclass(frozen=True, slots=True)
class SetLinkUp:
    """Set a link of the fabric up again."""

    link: str

    def carry_out(self, run: RunDirectory) -> None:
        """A cable whose node lost power meanwhile is gone."""
        _if_there(run, self.link, f"set {self.link} up")


@dataclass(frozen=True, slots=True)
class RemoveLink:
    """Take a cable out of the fabric, and with it whoever was at its other end."""

    link: str

    def carry_out(self, run: RunDirectory) -> None:
        """One that is not there is no error."""
        _if_there(run, self.link, f"delete {self.link}")


@dataclass(frozen=True, slots=True)
class Unmount:
    """Take off what a fault mounted on a path of a node."""

    node: str
    path: str
    source: str
    """As which it was mounted: nothing else is taken off."""

    def carry_out(self, run: RunDirectory) -> None:
        """At once, also from under those who use it."""
        if (pid := noted_process(run.node(self.node))) is None:
            return
        try:
            unmount(pid, self.path, self.source)
        except (EngineError, OSError) as error:
            if noted_process(run.node(self.node)) is not None:
                raise HealFailed(f"{self.node}: {error}") from error


HealAction = (
    ResumeNode
    | PowerOn
    | ContinueProcess
    | LimitFiles
    | EndMarked
    | LiftLimit
    | RestoreFile
    | RunInNode
    | RunInFabric
    | DeleteTable
    | SetLinkUp
    | RemoveLink
    | Unmount
)


def group_of(run: RunDirectory, node: str) -> Cgroup:
    """The control group of everything in a node."""
    return Cgroup(f"{run.cgroup}/{node}")


def _fabric(run: RunDirectory) -> Path | None:
    """The fabric's namespace, None when it is gone, and all in it."""
    keeper = run.owner().keeper
    return Path(f"/proc/{keeper.pid}/ns/net") if keeper is not None and keeper.lives() else None


def _if_there(run: RunDirectory, link: str, words: str) -> None:
    """``ip link ...`` in the fabric, where it has such a link."""
    if (namespace := _fabric(run)) is not None:
        _call(["nsenter", f"--net={namespace}", "sh", "-c", f"! ip link show {link} || ip link {words}"])


def _within(run: RunDirectory, node: str, function: Callable[[], None]) -> None:
    """Do something on the disk of a node with power."""
    if (pid := noted_process(run.node(node))) is None:
        return
    try:
        in_node(pid, function)
    except (EngineError, OSError) as error:
        if noted_process(run.node(node)) is not None:
            raise HealFailed(f"{node}: {error}") from error


def _call(command: list[str], within_s: float = _COMMAND_S, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        env=environment,
        umask=UMASK,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise HealFailed(f"{' '.join(command[-4:])}: {said}")
