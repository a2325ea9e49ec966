"""What faults of disks share: what lies over a directory of a node, or below its file system."""

import asyncio
import errno
import os
from typing import ClassVar

from harness.cluster import Cluster
from harness.engines.enter import in_node, mount_overlay
from harness.engines.uml.mapped_disk import MappedDisk
from harness.errors import EngineError, UsageError
from harness.fault import Effect, Seen
from harness.faults.declared import OnNodes
from harness.faults.kernels import inside_of, needs_own_kernel, without_own_kernel
from harness.healing import HealAction, Unmount

# As mount_overlay does it where the kernel is the host's. $0 is the source, $1 the directory.
_READ_ONLY = """set -e
place=/run/harness-$$
mkdir $place
mount -t tmpfs "$0" $place
mkdir $place/empty
mount -t overlay -o "lowerdir=$1:$place/empty" "$0" "$1"
umount -l $place
rmdir $place
"""
_FULL = """set -e
place=/run/harness-$$
mkdir $place
mount -t tmpfs -o mode=755,size=1m,nr_inodes=64 "$0" $place
mkdir $place/upper $place/work
chown --reference="$1" $place/upper
chmod --reference="$1" $place/upper
mount -t overlay -o "lowerdir=$1,upperdir=$place/upper,workdir=$place/work" "$0" "$1"
cat /dev/zero > $place/filler 2> /dev/null || :
mkdir $(seq -f $place/%g 64) 2> /dev/null || :
umount -l $place
rmdir $place
"""


class OnMappedDisk(OnNodes):
    """A fault of disks of which a device mapper is below the file system: those of kernels that are a node's own."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A disk that is a node's own."""
        return without_own_kernel(cluster, "the disk")

    def _with_a_disk(self, cluster: Cluster) -> tuple[str, ...]:
        nodes = self._powered(cluster)
        for node in nodes:
            needs_own_kernel(cluster, node, "its disk is a directory of the host's")
        return nodes

    def _disk(self, cluster: Cluster, node: str) -> MappedDisk:
        return MappedDisk(inside_of(cluster, node).pid)


class OverDirectory(OnNodes):
    """Of one directory of the nodes, for whatever is opened there from now on.

    The kernel does it (overlayfs): so there is no telling it from a disk, but for files that were open before.
    """

    spare_bytes: ClassVar[int | None] = None
    refusal: ClassVar[int] = errno.EROFS
    _path: str

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power that have such a directory."""
        self.targets = self._powered(cluster)
        if not self._path.startswith("/"):
            raise UsageError(f"{self.name}: {self._path} is no absolute path")
        self._path = os.path.normpath(self._path)
        for node in self.targets:
            try:
                inside_of(cluster, node).run(("test", "-d", self._path))
            except EngineError:
                raise UsageError(f"{self.name}: {node} has no directory {self._path}") from None
        return tuple(Unmount(node, self._path, self._source) for node in self.targets)

    @property
    def _source(self) -> str:
        return f"harness-{self.name}"

    async def inject(self, cluster: Cluster) -> None:
        """Mount it."""
        for node in self.targets:
            there = inside_of(cluster, node)
            if there.own_kernel:
                script = _READ_ONLY if self.spare_bytes is None else _FULL
                await asyncio.to_thread(there.run, ("sh", "-c", script, self._source, self._path))
            else:
                pid = there.pid
                in_node(pid, lambda: mount_overlay(self._path, self._source, spare_bytes=self.spare_bytes))

    async def see(self, cluster: Cluster) -> Seen:
        """Try to write a file there, as the node would."""
        told, failed, others = [], 0, 0
        powered = [node for node in self.targets if cluster.is_up(node)]
        for node in powered:
            error = inside_of(cluster, node).cannot_write(f"{self._path}/.harness-probe")
            failed += error == self.refusal
            others += error not in (0, self.refusal)
            told.append(f"{node}: {os.strerror(error) if error else 'written'}")
        evidence = f"writing a file to {self._path}: {', '.join(told)}"
        if failed == len(powered) and powered:
            return Seen(Effect.ALL, evidence)
        return Seen(Effect.SOME if failed or others else Effect.NONE, evidence)
