"""A file lies on bad sectors."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.errors import EngineError, NothingToAimAt, UsageError
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Choice, Nodes, fault
from harness.faults.declared import judged, whom
from harness.faults.disks import OnMappedDisk
from harness.healing import GoodSectors, HealAction


@fault(
    family="disk",
    example="n2 /var/log/boot/40-redis.log",
    proof="a page of the file cannot be read from the node's disk (EIO)",
)
class BadSectors(OnMappedDisk):
    """Where a file lies on the nodes' disks nothing can be read or written any more (EIO), also by who has it open.

    The device mapper does it, below the file system: a read fails where it is not in memory, and so does a write of
    less than a page. What is changed in memory fails when it is synced, as on real disks (fsync gives EIO), or is lost
    without a word where nobody syncs. What the file grows by, beyond its last page, lies elsewhere, and is good.
    """

    bites_within_s = 5.0
    gone_within_s = 10.0

    def __init__(
        self,
        nodes: Nodes,
        path: Annotated[str, Aim("PATH", "a file that the node has written")],
        memory: Annotated[str, Choice(("dropped", "kept"), "what the node has of it in memory")] = "dropped",
    ) -> None:
        self._whom = whom(nodes)
        self._path = path
        self._forget = memory == "dropped"

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power, a disk of their own, and such a file on it."""
        self.targets = self._with_a_disk(cluster)
        if not self._path.startswith("/"):
            raise UsageError(f"{self.name}: {self._path} is no absolute path")
        for node in self.targets:
            try:
                self._disk(cluster, node).can_read(self._path)
            except FileNotFoundError:
                raise NothingToAimAt(f"{node} has no file {self._path}") from None
            except EngineError as error:
                raise UsageError(f"{self.name}: {node}: {error}") from error
        return tuple(GoodSectors(node, self._path) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Put errors under what goes on."""
        for node in self.targets:
            await asyncio.to_thread(self._disk(cluster, node).bad, self._path, forget=self._forget)

    async def see(self, cluster: Cluster) -> Seen:
        """Read it from the disk."""
        bad, found = 0, []
        for node in self.targets:
            if not cluster.is_up(node):
                continue
            disk = self._disk(cluster, node)
            try:
                reads = await asyncio.to_thread(disk.can_read, self._path)
            except (FileNotFoundError, EngineError) as error:  # whose it was has removed it, or written it anew
                reads = not await asyncio.to_thread(disk.has_bad, self._path)
                found.append(f"{node} {error}")
            else:
                found.append(f"{node} {'reads it' if reads else 'cannot (EIO)'}")
            bad += not reads
        return judged(bad, len(found), f"{self._path}: {', '.join(found)}") if found else Seen(Effect.NONE, "no power")
