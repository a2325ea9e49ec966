"""Bits of a file are flipped."""

from typing import Annotated

from harness.cluster import Cluster
from harness.errors import NothingToAimAt, UsageError
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Nodes, Quantity, fault
from harness.faults.declared import OnNodes, judged, whom
from harness.faults.kernels import content_of, inside_of
from harness.healing import HealAction, RestoreBytes

_SECTOR_BYTES = 512


@fault(
    family="disk",
    example="n2 /etc/redis/redis.conf --bits 4",
    proof="the file is read in the node, and has the bytes that it was to have",
)
class FlipBits(OnNodes):
    """Some bits of one sector of a file are other than they were written: what is at rest on a disk may rot.

    In place, so that whoever has it open sees that as well, but for what he has read already. Healing puts the bytes
    back, where they are still what they were made.
    """

    def __init__(
        self,
        nodes: Nodes,
        path: Annotated[str, Aim("PATH", "a file of the node")],
        bits: Annotated[int, Quantity("bits", 1, 256, "how many")] = 1,
    ) -> None:
        self._whom = whom(nodes)
        self._path = path
        self._bits = bits
        self._flips: dict[str, RestoreBytes] = {}

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power that have such a file; a sector, and the bits in it."""
        self.targets = self._powered(cluster)
        if not self._path.startswith("/"):
            raise UsageError(f"{self.name}: {self._path} is no absolute path")
        for node in self.targets:
            content = content_of(cluster, node, self._path)
            if not content:
                raise NothingToAimAt(f"{node} has no file {self._path}, or an empty one")
            at = cluster.random.randrange(0, len(content), _SECTOR_BYTES)
            were = content[at : at + _SECTOR_BYTES]
            became = bytearray(were)
            for bit in cluster.random.sample(range(8 * len(were)), min(self._bits, 8 * len(were))):
                became[bit // 8] ^= 1 << bit % 8
            self._flips[node] = RestoreBytes(node, self._path, at, were.hex(), became.hex())
        return tuple(self._flips.values())

    async def inject(self, cluster: Cluster) -> None:
        """Write them."""
        for node, flip in self._flips.items():
            inside_of(cluster, node).overwrite(self._path, bytes.fromhex(flip.became), flip.at)

    async def see(self, cluster: Cluster) -> Seen:
        """Read them."""
        flipped, told = 0, []
        for node, flip in self._flips.items():
            if cluster.is_up(node):
                content = inside_of(cluster, node).read(self._path) or b""
                became = bytes.fromhex(flip.became)
                is_there = content[flip.at : flip.at + len(became)] == became
                flipped += is_there
                told.append(f"{node} {'as flipped' if is_there else 'otherwise'}")
        if not told:
            return Seen(Effect.NONE, "no node has power")
        return judged(flipped, len(told), f"a sector of {self._path}: {', '.join(told)}")
