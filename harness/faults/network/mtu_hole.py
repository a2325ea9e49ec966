"""Long packets vanish, and nobody is told."""

from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.canary import Like
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S, CutOff
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom


@fault(
    family="network",
    example="n2",
    proof="long canaries are lost, and its rules count them; short ones arrive",
)
class MtuHole(CutOff):
    """IP packets to and from nodes that are longer than so many bytes vanish, and no ICMP says why.

    What a middle box does that lowers the MTU and filters ICMP: connections open, and hang when there is much to say.
    """

    def __init__(
        self,
        nodes: Nodes,
        longest_bytes: Annotated[int, Quantity("bytes", 68, 1499, "the longest packet that passes")] = 1000,
    ) -> None:
        self._whom = whom(nodes)
        self._longest_bytes = longest_bytes
        self.like = Like(length_bytes=longest_bytes + 1)

    def _only(self) -> str:
        return f"ip length > {self._longest_bytes}"

    async def see(self, cluster: Cluster) -> Seen:
        """Long canaries, and one that just fits."""
        seen = await super().see(cluster)
        if seen.effect is Effect.ALL:
            fits = Like(length_bytes=self._longest_bytes)
            if not await cluster.fabric.canary(*self._pairs(cluster)[0], CANARY_LOST_AFTER_S, fits):
                return Seen(Effect.SOME, f"{seen.evidence}; but shorter ones as well")
            return Seen(Effect.ALL, f"of {self._longest_bytes + 1} bytes {seen.evidence}; one byte less arrives")
        return seen
