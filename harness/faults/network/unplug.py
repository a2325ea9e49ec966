"""A node's cable is pulled."""

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.declaration import fault
from harness.faults.declared import OnNodes, judged
from harness.faults.kernels import needs_hosts_kernel, without_hosts_kernel
from harness.healing import HealAction, SetLinkUp

CANARY_S = 0.03


@fault(
    family="network", example="n2", proof="the node's kernel says that it has no carrier, and no canary comes from it"
)
class Unplug(OnNodes):
    """The cables of nodes are pulled: unlike at a cut in the network, their own kernels see it at once."""

    def lacks(self, cluster: Cluster) -> str | None:
        """A kernel that sees the other end of the cable; one that is a node's own sees what leads there, always up."""
        return without_hosts_kernel(cluster, "that is not told what becomes of its cable")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            needs_hosts_kernel(cluster, node)
        return tuple(SetLinkUp(cluster.fabric.layout.port(name)) for name in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """Set our end of each cable down."""
        for name in self.targets:
            cluster.fabric.drop_carrier(name)

    async def see(self, cluster: Cluster) -> Seen:
        """The carrier, as each node's kernel sees it, and a canary from it to another."""
        powered = [name for name in self.targets if cluster.is_reachable(name)]
        without = [name for name in powered if not cluster.fabric.has_carrier(name)]
        silent = []
        for name in powered:
            others = [one for one in cluster.topology.endpoints if one != name and cluster.is_reachable(one)]
            # Rather one that has its cable; where nobody has, nobody is reached either.
            others.sort(key=lambda one: one in self.targets)
            if not others or not await cluster.fabric.canary(name, others[0], CANARY_S):
                silent.append(name)
        told = f"without a carrier: {', '.join(without) or 'none'}; without a way out: {', '.join(silent) or 'none'}"
        return judged(len(without) + len(silent), 2 * len(powered), told)
