"""The fault journal: what has to be undone, written down before it is done.

An append-only file of JSON lines in the run directory. Whoever injects a fault first writes what heals it, in
terms that any process can carry out without the fault's own objects; a torn last line is a fault that was not
injected yet. Every heal action may be carried out twice.
"""

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from harness.engines.cgroup import Cgroup
from harness.errors import HarnessError, HealFailed
from harness.rundir import ProcessName, RunDirectory

FILE_NAME = "journal.jsonl"
Family = Literal["ip", "ip6", "inet", "arp", "bridge", "netdev"]
_NFT_S = 10.0


@dataclass(frozen=True, slots=True)
class ResumeNode:
    """Thaw a frozen node."""

    node: str


@dataclass(frozen=True, slots=True)
class ContinueProcess:
    """SIGCONT to a stopped process, unless another has its id by now."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True)
class DeleteTable:
    """Remove an nftables table from the fabric's namespace."""

    family: Family
    name: str


HealAction = ResumeNode | ContinueProcess | DeleteTable
_ACTIONS: dict[str, type[HealAction]] = {cls.__name__: cls for cls in (ResumeNode, ContinueProcess, DeleteTable)}


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that was (about to be) injected and is not known to be healed."""

    fault_id: str
    injector: ProcessName
    heals: tuple[HealAction, ...]


class Journal:
    """The journal of one run. Several processes may write it at once."""

    def __init__(self, run: RunDirectory) -> None:
        self.path = run.path / FILE_NAME

    def about_to(self, fault_id: str, *heals: HealAction) -> None:
        """Write down a fault's healing; inject only after this returned."""
        me = ProcessName.of(os.getpid())
        actions = [{"action": type(heal).__name__} | asdict(heal) for heal in heals]
        self._append({"about_to": fault_id, "injector": asdict(me), "heals": actions})

    def healed(self, fault_id: str) -> None:
        """Write down that nothing is left to heal of this fault."""
        self._append({"healed": fault_id})

    def _append(self, entry: dict[str, object]) -> None:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise HarnessError(f"cannot write the fault journal {self.path}: {error.strerror}") from error
        try:
            os.write(descriptor, json.dumps(entry).encode() + b"\n")
        finally:
            os.close(descriptor)

    def open_faults(self) -> tuple[OpenFault, ...]:
        """Faults without a matching ``healed``, newest first: the order in which to undo them."""
        found: dict[str, OpenFault] = {}
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        for line in text[: text.rfind(b"\n") + 1].splitlines():
            try:
                entry = json.loads(line)
                if "healed" in entry:
                    found.pop(entry["healed"], None)
                else:
                    heals = tuple(_action(fields) for fields in entry["heals"])
                    fault_id: str = entry["about_to"]
                    found[fault_id] = OpenFault(fault_id, ProcessName(**entry["injector"]), heals)
            except (ValueError, KeyError, TypeError) as error:
                raise HarnessError(f"{self.path}: {line!r} is no journal entry ({error})") from error
        return tuple(reversed(found.values()))


def _action(fields: dict[str, str | int]) -> HealAction:
    arguments = {name: value for name, value in fields.items() if name != "action"}
    return _ACTIONS[str(fields["action"])](**arguments)  # type: ignore[arg-type]


def heal(run: RunDirectory, action: HealAction) -> None:
    """Carry out one action; done already, or nothing there any more, is no error. Raises HealFailed."""
    match action:
        case ResumeNode(node=node):
            Cgroup(f"{run.cgroup}/{node}").thaw()
        case ContinueProcess(pid=pid, start_ticks=start_ticks):
            if ProcessName(pid, start_ticks).lives():
                os.kill(pid, signal.SIGCONT)
        case DeleteTable(family=family, name=name):
            _delete_table(run, family, name)


def _delete_table(run: RunDirectory, family: Family, name: str) -> None:
    keeper = run.owner().keeper
    if keeper is None or not keeper.lives():
        return  # the namespace is gone, and the table with it
    namespace = Path(f"/proc/{keeper.pid}/ns/net")
    # Adding first makes deleting one that is not there no error.
    script = f"add table {family} {name}; delete table {family} {name}"
    command = ["nsenter", f"--net={namespace}", "nft", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_NFT_S, check=False)
    if done.returncode != 0:
        raise HealFailed(f"cannot delete table {family} {name}: {done.stderr.strip()}")


def heal_fault(run: RunDirectory, fault: OpenFault) -> None:
    """Carry out all actions of a fault and write down that it is healed. Raises HealFailed, leaving it open."""
    for action in fault.heals:
        heal(run, action)
    Journal(run).healed(fault.fault_id)
