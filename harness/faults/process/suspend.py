"""A daemon hangs."""

import asyncio
import os
import signal
from contextlib import suppress

from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import Daemon, Nodes, fault
from harness.faults.declared import judged, whom
from harness.healing import ContinueProcess, HealAction
from harness.procfs import process_state, processor_time_s
from harness.rundir import ProcessName

WINDOW_S = 0.05


@fault(
    family="process",
    example="n2 redis-server",
    proof="the kernel calls each process stopped, and it uses no processor time over 50 ms",
)
class Suspend(OnDaemon):
    """One daemon of the nodes is stopped (SIGSTOP) while everything around it lives on: a hang."""

    gone_within_s = 2.0

    def __init__(self, nodes: Nodes, daemon: Daemon) -> None:
        self._whom = whom(nodes)
        self._daemon = daemon

    def _heals(self, node: str, process: ProcessName) -> tuple[HealAction, ...]:
        return (ContinueProcess(process.pid, process.start_ticks),)

    async def inject(self, cluster: Cluster) -> None:
        """Send SIGSTOP."""
        for one in self._processes:
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGSTOP)

    async def see(self, cluster: Cluster) -> Seen:
        """The state of each process that still lives, and the processor time it uses in a window."""
        before_s = {pid: processor_time_s(pid) for pid in self._alive()}
        await asyncio.sleep(WINDOW_S)
        stopped, still = [], []
        for pid, used_s in before_s.items():
            with suppress(HarnessError):  # its node has just lost power
                if process_state(pid) == "T":
                    stopped.append(pid)
                    still += [pid] if processor_time_s(pid) <= used_s else []
        told = f"{len(stopped)} of {len(before_s)} processes of {self._daemon} on {', '.join(self.targets)} are stopped"
        return judged(len(stopped) + len(still), 2 * len(before_s), f"{told}, {len(still)} without processor time")
