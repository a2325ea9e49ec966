"""A name server does not answer."""

import secrets

from harness.cluster import Cluster
from harness.fault import Seen
from harness.faults.declaration import fault
from harness.faults.declared import judged
from harness.faults.resolving import NamesFile, addresses_of

_TIMEOUT_S = 1.0
NOBODY = 9
"""The number of a stranger that there never is."""


@fault(
    family="names",
    example="n2",
    proof="a look-up of a name that is in no file hangs in the node until it is given up, a second later",
)
class ResolverDead(NamesFile):
    """The name server of the nodes is one that never answers: look-ups hang, and then fail.

    For the test's sake they are given up after one second; resolvers wait five, several times, unless told otherwise.
    Only what reads /etc/resolv.conf again sees it: a running program may go on asking whom it asked before.
    """

    file = "/etc/resolv.conf"

    async def inject(self, cluster: Cluster) -> None:
        """An address of the service network that nobody has: what is sent there is lost, and not refused."""
        for node in self.targets:
            self._write(cluster, node, self._text(cluster, node))

    def _text(self, cluster: Cluster, node: str) -> bytes:
        nobody = cluster.plan.stranger_address(cluster.topology.place_of(node), NOBODY)
        return f"nameserver {nobody}\noptions timeout:{_TIMEOUT_S:.0f} attempts:1\n".encode()

    async def see(self, cluster: Cluster) -> Seen:
        """Look up a name that nobody knows: where nobody is asked, that fails at once."""
        hung, ours, told = 0, 0, []
        powered = [node for node in self.targets if cluster.is_up(node)]
        for node in powered:
            found, took_s = await addresses_of(cluster, node, f"{secrets.token_hex(4)}.example")
            told.append(f"on {node} a look-up {'gave an answer' if found else 'failed'} after {took_s:.3f} s")
            if self._read(cluster, node) == self._text(
                cluster, node
            ):  # others hang as well, where a real one is out of reach
                ours += 1
                hung += took_s >= _TIMEOUT_S * 0.9 and not found
        return judged(ours + hung, 2 * len(powered), "; ".join(told))
