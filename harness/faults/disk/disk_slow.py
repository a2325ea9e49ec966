"""A disk is slow."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import judged, whom
from harness.faults.disks import OnMappedDisk
from harness.healing import HealAction, QuickDisk


@fault(
    family="disk",
    example="n2 --read-ms 150 --write-ms 250",
    proof="a page that is written and read in the node past every cache takes as long as it should, and was asked for",
)
class DiskSlow(OnMappedDisk):
    """Every read and write of the nodes' disks takes so much longer, also of files that are open already.

    The device mapper does it (dm-delay), below the file system. What is in the node's memory is as quick as ever; a
    sync has to wait for several writes, one after the other.
    """

    bites_within_s = 10.0
    gone_within_s = 20.0

    def __init__(
        self,
        nodes: Nodes,
        read_ms: Annotated[int, Quantity("ms", 0, 60_000, "how much longer a read takes")] = 50,
        write_ms: Annotated[int, Quantity("ms", 10, 60_000, "how much longer a write takes")] = 100,
    ) -> None:
        self._whom = whom(nodes)
        self._read_ms, self._write_ms = read_ms, write_ms

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power, and a disk of their own."""
        self.targets = self._with_a_disk(cluster)
        return tuple(QuickDisk(node) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Put the delay under what goes on."""
        for node in self.targets:
            await asyncio.to_thread(self._disk(cluster, node).slow, self._read_ms, self._write_ms)

    async def see(self, cluster: Cluster) -> Seen:
        """Write and read a page on each."""
        slow, told = 0, []
        disks = {node: self._disk(cluster, node) for node in self.targets if cluster.is_up(node)}
        for node, disk in disks.items():
            wrote_s, read_s = await asyncio.to_thread(disk.took_s)
            was_asked_for = await asyncio.to_thread(disk.is_slow)  # a busy host may be as slow by itself
            took_long = wrote_s * 1000 >= self._write_ms and read_s * 1000 >= self._read_ms
            slow += was_asked_for + took_long if was_asked_for else 0
            told.append(f"on {node} a page took {wrote_s * 1000:.1f} ms to write and {read_s * 1000:.1f} ms to read")
        return judged(slow, 2 * len(disks), "; ".join(told)) if disks else Seen(Effect.NONE, "no node has power")
