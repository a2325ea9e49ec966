"""A hosts file is wrong."""

from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Nodes, fault
from harness.faults.declared import judged, whom
from harness.faults.resolving import UNUSED, NamesFile, addresses_of


@fault(
    family="names",
    example="n2 n1.example",
    proof="a look-up in the node gives the wrong address, and no other",
)
class HostsWrong(NamesFile):
    """In the hosts file of the nodes a name has the address of nobody (192.0.2.1)."""

    file = "/etc/hosts"

    def __init__(self, nodes: Nodes, host: Annotated[str, Aim("HOST", "the name that is wrong there")]) -> None:
        self._whom = whom(nodes)
        self._host = host

    async def inject(self, cluster: Cluster) -> None:
        """One line before all others, which therefore do not count; others of that name go."""
        for node in self.targets:
            lines = (self._read(cluster, node) or b"").decode(errors="surrogateescape").splitlines()
            kept = [line for line in lines if self._host not in line.split("#")[0].split()[1:]]
            text = "\n".join([f"{UNUSED} {self._host}", *kept, ""])
            self._write(cluster, node, text.encode(errors="surrogateescape"))

    async def see(self, cluster: Cluster) -> Seen:
        """Look the name up in each node."""
        wrong, some, told = 0, False, []
        powered = [node for node in self.targets if cluster.is_up(node)]
        for node in powered:
            found, _ = await addresses_of(cluster, node, self._host)
            wrong += found == {UNUSED}
            some |= UNUSED in found
            told.append(f"on {node} {self._host} is {', '.join(sorted(found)) or 'unknown'}")
        seen = judged(wrong, len(powered), "; ".join(told))
        return Seen(Effect.SOME, seen.evidence) if some and seen.effect is Effect.NONE else seen
