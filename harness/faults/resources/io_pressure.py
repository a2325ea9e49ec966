"""Something in a node uses its disk."""

import asyncio
import os
from asyncio.subprocess import Process
from pathlib import Path
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.inside import Inside
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import OnNodes, whom
from harness.faults.kernels import inside_of
from harness.healing import EndMarked, HealAction, RunInNode

_WRITE = 'while :; do dd if=/dev/zero "of=$1" bs=64k "count=$2" oflag=dsync conv=notrunc 2> /dev/null; done'
_BLOCK_BYTES = 64 << 10
_WINDOW_S = 0.3
_SECTOR_BYTES = 512


@fault(
    family="resources",
    example="n2 --writers 2",
    proof="writers of ours run in the node, and the kernel counts what they had written to its disk within 300 ms",
)
class IoPressure(OnNodes):
    """Files are written in the nodes, over and over, and each 64 KiB of them is synced: real load of the disk.

    Whoever else has to sync there stands in the same queue; where nodes share a disk, on all of them.
    """

    bites_within_s = 10.0

    def __init__(
        self,
        nodes: Nodes,
        writers: Annotated[int, Quantity("writers", 1, 32, "how many a node, each with a file of its own")] = 4,
        file_bytes: Annotated[int, Quantity("bytes", 1 << 16, 1 << 28, "how long each file is")] = 4 << 20,
    ) -> None:
        self._whom = whom(nodes)
        self._writers, self._file_bytes = writers, file_bytes
        self._mark = f"harness-io-{os.getpid()}-{id(self)}"
        self._files = [f"/var/tmp/{self._mark}-{number}" for number in range(writers)]
        self._processes: list[Process] = []

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power; loops first, which start writers."""
        self.targets = self._powered(cluster)
        marks = (self._mark, *(f"of={file}" for file in self._files))
        ends = (EndMarked(node, mark) for node in self.targets for mark in marks)
        return (*ends, *(RunInNode(node, ("rm", "-f", *self._files)) for node in self.targets))

    async def inject(self, cluster: Cluster) -> None:
        """They end with us, too."""
        count = str(max(1, self._file_bytes // _BLOCK_BYTES))
        for node in self.targets:
            for file in self._files:
                command = ("sh", "-c", _WRITE, self._mark, file, count)
                self._processes.append(await cluster.engine.spawn(node, command))

    async def see(self, cluster: Cluster) -> Seen:
        """Who runs, and what the kernel says is written in a window."""
        powered = [node for node in self.targets if cluster.is_up(node)]
        before = {node: self._written_bytes(inside_of(cluster, node)) for node in powered}
        await asyncio.sleep(_WINDOW_S)
        after = {node: self._written_bytes(inside_of(cluster, node)) for node in powered}
        running = {node: after[node][0] for node in powered}
        written = {node: after[node][1] - before[node][1] for node in powered}
        told = ", ".join(
            f"{node}: {running[node]} writers, {written[node] / _WINDOW_S / (1 << 20):.2f} MiB/s" for node in powered
        )
        if not any(running.values()):
            return Seen(Effect.NONE, told)
        busy = all(running[node] == self._writers and written[node] >= _BLOCK_BYTES for node in powered)
        return Seen(Effect.ALL if busy else Effect.SOME, told)

    def _written_bytes(self, there: Inside) -> tuple[int, int]:
        """How many writers run, and how much they have had written so far; of a node's own kernel, its whole disk."""
        files, loops, written = {f"of={file}" for file in self._files}, 0, 0
        for one in there.processes():
            is_loop = self._mark in one.words and one.words[0] in ("sh", "/bin/sh")
            loops += is_loop
            if not there.own_kernel and (is_loop or files.intersection(one.words)):
                written += _caused_bytes(one.pid)
        return loops, _disk_bytes(there) if there.own_kernel else written

    async def end(self, cluster: Cluster) -> None:
        """They are killed by what undoes it."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self._processes.clear()


def _caused_bytes(pid: int) -> int:
    """What a process, and those of its children that have ended, had this host's kernel write (proc(5))."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def _disk_bytes(there: Inside) -> int:
    rows = [line.split() for line in (there.read("/proc/diskstats") or b"").decode().splitlines()]
    return sum(int(row[9]) * _SECTOR_BYTES for row in rows)
