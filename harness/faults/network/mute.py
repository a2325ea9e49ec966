"""Nodes that hear, and cannot be heard."""

import asyncio
import itertools
import os

from harness.cluster import Cluster
from harness.errors import EngineError
from harness.fabric.canary import ORDINARY, Like
from harness.fabric.fabric import NODE_INTERFACE
from harness.fault import Effect, Seen
from harness.faults.cutting import CANARY_LOST_AFTER_S
from harness.faults.declaration import fault
from harness.faults.declared import OnNodes, judged
from harness.faults.kernels import needs_hosts_kernel, without_hosts_kernel
from harness.healing import HealAction, RunInNode

_TCP = Like("tcp", 9)
_numbers = itertools.count(1)


@fault(
    family="network",
    example="n2",
    proof="UDP canaries from the nodes are lost; a TCP canary from each arrives, and so does a UDP canary to it",
)
class Mute(OnNodes):
    """What nodes send by UDP is dropped by their own kernels, and no program is told; what is sent to them arrives.

    TCP goes on, but not inside a tunnel of UDP. The program `nft` has to be in the nodes, whose kernels have to have
    nftables on what leaves an interface (Linux 5.16).
    """

    _table = ""

    def lacks(self, cluster: Cluster) -> str | None:
        """nftables on what leaves an interface, which kernels that are a node's own have only on bridges."""
        return without_hosts_kernel(cluster, "that has no nftables on what leaves an interface")

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power; a table that is added first can be deleted twice."""
        self.targets = self._powered(cluster)
        for node in self.targets:
            needs_hosts_kernel(cluster, node)
        self._table = f"netdev {self.name}-{os.getpid()}-{next(_numbers)}"
        gone = ("nft", f"add table {self._table}; delete table {self._table}")
        return tuple(RunInNode(node, gone) for node in self.targets)

    async def inject(self, cluster: Cluster) -> None:
        """On its way out of the interface: a rule before that (the hook output) would tell the sender (EPERM)."""
        hook = f"type filter hook egress device {NODE_INTERFACE} priority 0;"
        rules = f"table {self._table} {{ chain sent {{ {hook} meta l4proto udp drop; }}; }}"
        for node in self.targets:
            done = await cluster.engine.exec(node, ("nft", rules))
            if done.exit_code != 0:
                raise EngineError(f"{self.name}: nft on {node}: {done.stderr.decode(errors='replace').strip()}")

    async def see(self, cluster: Cluster) -> Seen:
        """Canaries from each node to another endpoint, and one from there."""
        powered = [node for node in self.targets if cluster.is_up(node)]
        looks = await asyncio.gather(*(self._look(cluster, node) for node in powered))
        told = "; ".join(look.evidence for look in looks) or "no node has power"
        if any(look.effect is Effect.SOME for look in looks):
            return Seen(Effect.SOME, told)
        return judged(sum(look.effect is Effect.ALL for look in looks), len(looks), told)

    async def _look(self, cluster: Cluster, node: str) -> Seen:
        others = [one for one in cluster.topology.endpoints if one != node and cluster.is_up(one)]
        # Rather one that is not mute itself: that one can say something, too.
        others.sort(key=lambda one: one in self.targets)
        if not others:
            return Seen(Effect.NONE, f"nobody is there whom {node} could tell something")
        other = others[0]
        pairs = [(node, other, ORDINARY), (node, other, _TCP)]
        if other not in self.targets:
            pairs.append((other, node, ORDINARY))
        said, *rest = await asyncio.gather(
            *(
                cluster.fabric.canary(source, destination, CANARY_LOST_AFTER_S, like)
                for source, destination, like in pairs
            )
        )
        told = f"UDP from {node} to {other} {_became(said)}, TCP {_became(rest[0])}"
        told += "".join(f", UDP from there {_became(came)}" for came in rest[1:])
        if said:
            return Seen(Effect.NONE, told)
        return Seen(Effect.ALL if all(rest) else Effect.SOME, told)


def _became(arrived: bool) -> str:
    return "arrives" if arrived else "is lost"
