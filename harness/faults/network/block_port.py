"""One port is blocked, and nothing else."""

from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.canary import Like
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S, CutOff
from harness.faults.declaration import Choice, Nodes, Quantity, fault
from harness.faults.declared import whom


@fault(
    family="network",
    example="n2 --port 5405",
    proof="canaries to this port are lost, and its rules count them; canaries to another port arrive",
)
class BlockPort(CutOff):
    """What is sent to one port, from nodes and to them; everything else passes.

    Inside a tunnel (of one UDP port) there are no ports that the network could tell apart.
    """

    def __init__(
        self,
        nodes: Nodes,
        port: Annotated[int, Quantity("", 1, 65535, "the port that is sent to")],
        protocol: Annotated[str, Choice(("udp", "tcp"), "the protocol")] = "udp",
    ) -> None:
        self._whom = whom(nodes)
        self._port, self._protocol = port, protocol
        self.like = Like("tcp" if protocol == "tcp" else "udp", port)

    def _only(self) -> str:
        return f"{self._protocol} dport {self._port}"

    async def see(self, cluster: Cluster) -> Seen:
        """Canaries to the port, and one to another."""
        seen = await super().see(cluster)
        if seen.effect is Effect.ALL:
            pair = self._pairs(cluster)[0]
            if not await cluster.fabric.canary(*pair, CANARY_LOST_AFTER_S):
                return Seen(Effect.SOME, f"{seen.evidence}; but to any other port as well")
            return Seen(
                Effect.ALL, f"to {self._protocol} port {self._port} {seen.evidence}; to another port one arrives"
            )
        return seen
