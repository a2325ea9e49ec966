"""A power cut."""

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.declaration import Nodes, fault
from harness.faults.declared import Declared, judged, whom
from harness.healing import HealAction, PowerOn
from harness.wait import together


@fault(family="process", example="n1", proof="no process of the nodes is left on the host")
class Kill(Declared):
    """Power cut: every process of the nodes dies and their network is gone, at once. Healing powers them on again.

    What was written and not synced is gone as well where a node has a kernel of its own (`uml`); where it has not, that
    survives (`loses_unsynced_writes`).
    """

    def __init__(self, nodes: Nodes) -> None:
        self._whom = whom(nodes)

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes, with power or not."""
        self.targets = self._whom(cluster)
        return (PowerOn(self.targets),)

    async def inject(self, cluster: Cluster) -> None:
        """Cut the power of all targets together."""
        await together(*(cluster.power_cut(node) for node in self.targets))

    async def see(self, cluster: Cluster) -> Seen:
        """The processes in the nodes' control groups, and process 1 of each."""
        running = [node for node in self.targets if cluster.engine.processes(node) or cluster.is_up(node)]
        if not running:
            return judged(len(self.targets), len(self.targets), f"no process of {', '.join(self.targets)} is left")
        told = f"{', '.join(running)} {'runs' if len(running) == 1 else 'run'}"
        return judged(len(self.targets) - len(running), len(self.targets), told)
