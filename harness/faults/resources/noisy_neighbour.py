"""Somebody else on the host uses its processors."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.cgroup import Cgroup
from harness.fault import Effect, Seen
from harness.faults.declaration import Quantity, fault
from harness.faults.declared import Declared
from harness.healing import EndBeside, HealAction

_WINDOW_S = 0.25
_AT_LEAST = 0.5
"""Of what was asked for: a host that is full already has no more to give."""
_PERIOD_S = 0.01
# Busy for a share of each hundredth of a second; over with who started it, and with the keeper of the run.
_NOISE = """
import ctypes, os, signal, sys, time
share, period_s, nice, keeper, parent = float(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:6])
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.setpriority(os.PRIO_PROCESS, 0, nice)
while os.getppid() == parent and os.path.exists(f"/proc/{keeper}"):
    until_s = time.monotonic() + share * period_s
    while time.monotonic() < until_s:
        pass
    time.sleep((1 - share) * period_s)
"""


@fault(
    family="resources",
    example="--share 0.3",
    proof="the kernel counts the processor time that was taken, half of what was asked for or more over 250 ms",
)
class NoisyNeighbour(Declared):
    """Beside the nodes, something else runs on this host, and takes a share of each of its processors before them.

    It is a part of the run, and ends with it. As on a host that is shared with others, nodes do not see who it is; they
    get a processor later. So does the harness itself, and any other run on this host.
    """

    bites_within_s = 5.0

    def __init__(
        self,
        share: Annotated[float, Quantity("of each processor", 0.05, 0.9, "how much it takes")] = 0.5,
        nice: Annotated[int, Quantity("", -20, 19, "its priority: below 0 it goes before the nodes")] = -10,
    ) -> None:
        self._share, self._nice = share, nice
        self._name = f"noise_{os.getpid()}-{id(self)}"  # no node can be called so
        self._processes: list[Process] = []

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """All nodes: who gets a processor later is for the kernel to decide."""
        self.targets = cluster.topology.node_names
        return (EndBeside(self._name),)

    async def inject(self, cluster: Cluster) -> None:
        """A process for each processor, in a group below that of the run."""
        group, keeper = self._group(cluster), cluster.life.machines.run.owner().keeper
        assert keeper is not None
        group.create()
        group.account()
        words = (str(self._share), str(_PERIOD_S), str(self._nice), str(keeper.pid), str(os.getpid()))
        command = (*group.joining(), sys.executable, "-ISc", _NOISE, *words)
        for _ in _processors():
            self._processes.append(
                await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
            )

    async def see(self, cluster: Cluster) -> Seen:
        """What the group takes in a window; where the kernel tells, how long others stood in the queue meanwhile."""
        group, wanted = self._group(cluster), self._share * len(_processors())
        before_s, waited_before_us = group.cpu_used_s(), _waited_us()
        await asyncio.sleep(_WINDOW_S)
        taken = (group.cpu_used_s() - before_s) / _WINDOW_S
        running, waited_ms = len(group.processes()), (_waited_us() - waited_before_us) / 1000
        told = f"{running} processes beside the nodes take {taken:.2f} of {len(_processors())} processors"
        told += f"; meanwhile somebody waited for one for {waited_ms:.0f} ms of {_WINDOW_S * 1000:.0f}"
        if not running:
            return Seen(Effect.NONE, told)
        return Seen(Effect.ALL if taken >= _AT_LEAST * wanted else Effect.SOME, told)

    async def end(self, cluster: Cluster) -> None:
        """They are killed by what undoes it."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self._processes.clear()

    def _group(self, cluster: Cluster) -> Cgroup:
        return Cgroup(f"{cluster.life.machines.run.cgroup}/{self._name}")


def _processors() -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0)))


def _waited_us() -> int:
    """For how long some process of this host was ready to run and had no processor, so far (PSI)."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0
    return int(some.rpartition("total=")[2])
