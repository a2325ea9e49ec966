"""What faults of names share: a file of a node that says how names are found, and a look-up as programs do it."""

from harness.clock import now_s
from harness.cluster import Cluster
from harness.faults.declared import OnNodes
from harness.faults.kernels import inside_of
from harness.healing import HealAction, RestoreFile

UNUSED = "192.0.2.1"
"""An address for documentation (RFC 5737): nobody has it."""


class NamesFile(OnNodes):
    """A file of the nodes is replaced, in place: some such files are mounts of their own."""

    file: str
    bites_within_s = 5.0

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power; what is in the file now is what is put back."""
        self.targets = self._powered(cluster)
        return tuple(RestoreFile.of(node, self.file, self._read(cluster, node)) for node in self.targets)

    def _read(self, cluster: Cluster, node: str) -> bytes | None:
        return inside_of(cluster, node).read(self.file)

    def _write(self, cluster: Cluster, node: str, content: bytes) -> None:
        inside_of(cluster, node).overwrite(self.file, content)


async def addresses_of(cluster: Cluster, node: str, name: str) -> tuple[set[str], float]:
    """What the node's own resolver says to a name, and how long that took."""
    began_s = now_s()
    done = await cluster.engine.exec(node, ("getent", "ahostsv4", name))
    lines = done.stdout.decode().splitlines()
    return {line.split()[0] for line in lines if line.strip()}, now_s() - began_s
