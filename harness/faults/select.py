"""Whom a fault hits: chosen at the moment of injection, by what is seen from outside."""

from collections.abc import Callable

from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import HarnessError

Selector = Callable[[Cluster], tuple[str, ...]]


def node(*names: str) -> Selector:
    """These nodes."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        for name in names:
            cluster.topology.node(name)
        return names

    return select


def all_nodes() -> Selector:
    """Every node of the topology."""
    return lambda cluster: tuple(node.name for node in cluster.topology.nodes)


def holder_of(address: str) -> Selector:
    """The node that holds the address; HarnessError unless there is exactly one."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        holders = tuple(cluster.live().holders(address, now_s()))
        if len(holders) != 1:
            raise HarnessError(f"{address} has {len(holders)} holders, the fault needs exactly one to aim at")
        return holders

    return select


def leader() -> Selector:
    """The leader, as seen from outside: the node that holds the first virtual address of the topology."""
    return lambda cluster: holder_of(cluster.plan.vip(cluster.topology.vips[0].name))(cluster)


def follower_of(address: str) -> Selector:
    """A node that does not hold the address, drawn with the run's seed."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        holders = cluster.live().holders(address, now_s())
        others = [node.name for node in cluster.topology.nodes if node.name not in holders]
        return (cluster.random.choice(others),)

    return select


def site_of(selector: Selector) -> Selector:
    """The names of the sites in which the selected nodes are."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cluster.topology.node(name).site for name in selector(cluster)))

    return select
