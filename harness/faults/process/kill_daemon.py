"""A daemon dies."""

import signal

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import fault


@fault(family="process", example="n2 redis-server", proof="the processes that were killed are gone from the node")
class KillDaemon(OnDaemon):
    """One daemon of the nodes is killed (SIGKILL), while everything around it lives on: a crash.

    Whatever starts it again by itself does so at once; what nobody does, the heal does as the node's boot did.
    """

    async def inject(self, cluster: Cluster) -> None:
        """Send SIGKILL."""
        self._send(cluster, signal.SIGKILL)

    async def see(self, cluster: Cluster) -> Seen:
        """Whether they are gone; afterwards, whether the daemon runs."""
        return self._dead_or_back(cluster, "SIGKILL")
