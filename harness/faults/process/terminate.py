"""A daemon is told to end."""

import signal

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import fault


@fault(family="process", example="n2 redis-server", proof="the processes that were told to end are gone from the node")
class Terminate(OnDaemon):
    """One daemon of the nodes gets SIGTERM, as from `kill`: it may end in good order.

    Whatever starts it again by itself does so at once; what nobody does, the heal does as the node's boot did.
    It is told once: a daemon that refuses (as a store may that just writes a file anew) was not terminated.
    """

    bites_within_s = 10.0

    async def inject(self, cluster: Cluster) -> None:
        """Send SIGTERM."""
        self._send(cluster, signal.SIGTERM)

    async def see(self, cluster: Cluster) -> Seen:
        """Whether they are gone; afterwards, whether the daemon runs."""
        return self._dead_or_back(cluster, "SIGTERM")
