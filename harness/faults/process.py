"""Faults of machines and processes: power cut, freeze, and one daemon stopped."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from harness.cluster import Cluster
from harness.errors import FaultDidNotBite, HarnessError, HealFailed, NothingToAimAt
from harness.faults.select import Selector
from harness.journal import ContinueProcess, HealAction, ResumeNode
from harness.procfs import command_words, process_name, process_start_ticks, process_state, processor_time_s
from harness.wait import together, until

FROZEN_WINDOW_S = 0.05


class Kill:
    """Power cut: every process of the nodes dies and their network is gone, at once. Healing powers them on again."""

    name = "kill"

    def __init__(self, whom: Selector) -> None:
        self._whom = whom
        self.targets: tuple[str, ...] = ()

    def aim(self, cluster: Cluster) -> None:
        """Decide whom to hit; later calls keep the choice."""
        self.targets = self._whom(cluster)

    def heal_actions(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nothing that outlives the harness: a dead run's nodes are destroyed anyway."""
        return ()

    async def inject(self, cluster: Cluster) -> None:
        """Cut the power of all targets together."""
        await together(*(cluster.power_cut(node) for node in self.targets))

    async def bites(self, cluster: Cluster) -> str:
        """No process of the nodes is left on the host."""
        for node in self.targets:
            if left := cluster.engine.processes(node):
                raise FaultDidNotBite(f"{node} was killed, yet {len(left)} of its processes live")
        return f"no process of {', '.join(self.targets)} is left"

    async def heal(self, cluster: Cluster) -> None:
        """Power on whoever is off."""
        off = [node for node in self.targets if cluster.engine.pid(node) is None]
        await asyncio.gather(*(cluster.power_on(node) for node in off))

    async def healed(self, cluster: Cluster) -> str:
        """Process 1 of each node runs."""
        for node in self.targets:
            if cluster.engine.pid(node) is None:
                raise HealFailed(f"{node} has no power")
        return f"{', '.join(self.targets)} booted again"


class Freeze:
    """Every process of the nodes stops where it is, as in a paused virtual machine.

    Where the kernel is the host's it goes on answering for them; one of their own stops with them.
    """

    name = "freeze"

    def __init__(self, whom: Selector) -> None:
        self._whom = whom
        self.targets: tuple[str, ...] = ()

    def aim(self, cluster: Cluster) -> None:
        """Decide whom to hit."""
        self.targets = self._whom(cluster)

    def heal_actions(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Thaw, should the harness die first."""
        return tuple(ResumeNode(node) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Freeze all targets together."""
        await together(*(cluster.engine.pause(node) for node in self.targets))

    async def bites(self, cluster: Cluster) -> str:
        """The nodes' cgroups use no processor time at all over a window."""
        before_s = {node: cluster.engine.cpu_used_s(node) for node in self.targets}
        await asyncio.sleep(FROZEN_WINDOW_S)
        for node, used_s in before_s.items():
            spent_s = cluster.engine.cpu_used_s(node) - used_s
            if spent_s > 0:
                raise FaultDidNotBite(f"{node} is frozen, yet used {spent_s * 1000:.3f} ms of processor time")
        return f"{', '.join(self.targets)} used no processor time in {FROZEN_WINDOW_S * 1000:.0f} ms"

    async def heal(self, cluster: Cluster) -> None:
        """Thaw."""
        await asyncio.gather(*(cluster.engine.resume(node) for node in self.targets))

    async def healed(self, cluster: Cluster) -> str:
        """The nodes use processor time again."""
        before_s = {node: cluster.engine.cpu_used_s(node) for node in self.targets}

        def all_run() -> bool:
            return all(cluster.engine.cpu_used_s(node) > used_s for node, used_s in before_s.items())

        await until(all_run, within_s=5.0, what=f"{', '.join(self.targets)} run again")
        return f"{', '.join(self.targets)} use processor time again"


class Suspend:
    """One daemon of the nodes is stopped (SIGSTOP) while everything around it lives on: a hang."""

    def __init__(self, whom: Selector, daemon: str) -> None:
        self.name = "suspend"
        self._whom = whom
        self._daemon = daemon
        self.targets: tuple[str, ...] = ()
        self._processes: dict[str, tuple[int, ...]] = {}

    def aim(self, cluster: Cluster) -> None:
        """Decide whom to hit, and find the daemon's processes."""
        self.targets = self._whom(cluster)
        self._processes = {node: _processes_of(cluster, node, self._daemon) for node in self.targets}

    def heal_actions(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Continue the daemon, should the harness die first."""
        return tuple(ContinueProcess(pid, process_start_ticks(pid)) for pid in self._all())

    def _all(self) -> tuple[int, ...]:
        return tuple(pid for pids in self._processes.values() for pid in pids)

    async def inject(self, cluster: Cluster) -> None:
        """Send SIGSTOP."""
        for pid in self._all():
            os.kill(pid, signal.SIGSTOP)

    async def bites(self, cluster: Cluster) -> str:
        """The kernel calls each process stopped, and it uses no processor time."""
        await until(
            lambda: all(process_state(pid) == "T" for pid in self._all()), within_s=1.0, what=f"{self._daemon} stopped"
        )
        before_s = {pid: processor_time_s(pid) for pid in self._all()}
        await asyncio.sleep(FROZEN_WINDOW_S)
        for pid, used_s in before_s.items():
            if processor_time_s(pid) > used_s:
                raise FaultDidNotBite(f"{self._daemon} ({pid}) is stopped, yet used processor time")
        return f"{self._daemon} on {', '.join(self.targets)} is in state T and used no processor time"

    async def heal(self, cluster: Cluster) -> None:
        """Send SIGCONT; a process that has died meanwhile needs none."""
        for pid in self._all():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def healed(self, cluster: Cluster) -> str:
        """No process of the daemon is in state T."""
        await until(
            lambda: not any(_stopped(pid) for pid in self._all()),
            within_s=2.0,
            what=f"{self._daemon} continues",
        )
        return f"{self._daemon} on {', '.join(self.targets)} continues"


def _stopped(pid: int) -> bool:
    """Whether a process is stopped; one that has died meanwhile (its node lost its power) is not."""
    try:
        return process_state(pid) == "T"
    except HarnessError:
        return False


def _processes_of(cluster: Cluster, node: str, daemon: str) -> tuple[int, ...]:
    """The processes of a node whose command line names the daemon (by program or by ``-m`` module)."""
    if cluster.engine.own_kernel:
        raise NothingToAimAt(
            f"the processes of {node} are those of its own kernel: {daemon} cannot be stopped from here"
        )
    found = tuple(pid for pid in cluster.engine.processes(node) if _runs(pid, daemon))
    if not found:
        raise NothingToAimAt(f"no process called {daemon} runs on {node}")
    return found


def _runs(pid: int, daemon: str) -> bool:
    return process_name(pid) == daemon or any(Path(word).name == daemon for word in command_words(pid)[:4])
