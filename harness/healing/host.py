"""What is undone on this host: in the fabric, beside the nodes, and whether they have power."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.engines.cgroup import Cgroup
from harness.engines.enter import UMASK
from harness.engines.inside import COMMAND_S, failed
from harness.engines.noted import noted_process
from harness.errors import HealFailed
from harness.fabric.namespaces import call_in
from harness.fabric.nft import Nft
from harness.rundir import RunDirectory

Family = Literal["ip", "ip6", "inet", "arp", "bridge", "netdev"]
_POWER_S = 60.0


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
class EndBeside:
    """SIGKILL to what a fault has running on this host beside the nodes: a group of its own, below that of the run."""

    name: str

    def carry_out(self, run: RunDirectory) -> None:
        """And the group is gone."""
        group = Cgroup(f"{run.cgroup}/{self.name}")
        group.kill()
        group.remove()


@dataclass(frozen=True, slots=True)
class RunInFabric:
    """A command in the fabric's network namespace; it must end with exit code 0, also the second time."""

    command: tuple[str, ...]

    def carry_out(self, run: RunDirectory) -> None:
        """Without its keeper there is no fabric any more."""
        if (namespace := _fabric(run)) is not None:
            _call(["nsenter", f"--net={namespace}", *self.command])


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


def _fabric(run: RunDirectory) -> Path | None:
    """The fabric's namespace, None when it is gone, and all in it."""
    keeper = run.owner().keeper
    return Path(f"/proc/{keeper.pid}/ns/net") if keeper is not None and keeper.lives() else None


def _if_there(run: RunDirectory, link: str, words: str) -> None:
    """``ip link ...`` in the fabric, where it has such a link."""
    if (namespace := _fabric(run)) is not None:
        _call(["nsenter", f"--net={namespace}", "sh", "-c", f"! ip link show {link} || ip link {words}"])


def _call(command: list[str], within_s: float = COMMAND_S) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within_s, check=False, umask=UMASK
    )
    if done.returncode != 0:
        raise HealFailed(failed(command, done.returncode, done.stderr))
