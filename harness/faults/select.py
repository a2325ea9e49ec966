"""Whom a fault hits: chosen at the moment of injection, by what is seen from outside.

What a selector needs may be missing for a moment (NothingToAimAt): ``Cluster.under`` waits for it, and so does
``aim``, for who wants to know the target beforehand.
"""

from collections.abc import Callable

from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import NothingToAimAt

Selector = Callable[[Cluster], tuple[str, ...]]


async def aim(cluster: Cluster, selector: Selector) -> tuple[str, ...]:
    """Whom a selector means, as soon as it can tell (NothingToAimAt when it cannot in time)."""
    return await cluster.aimed(lambda: selector(cluster))


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
    """The node that holds the address; NothingToAimAt while there is not exactly one."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        holders = tuple(cluster.live().holders(address, now_s()))
        if len(holders) != 1:
            names = f" ({', '.join(sorted(holders))})" if holders else ""
            raise NothingToAimAt(f"{address} has {len(holders)} holders{names}, and exactly one is needed")
        return holders

    return select


def leader() -> Selector:
    """The leader, as seen from outside: the node that holds the first virtual address of the topology."""
    return lambda cluster: holder_of(cluster.plan.vip(cluster.topology.vips[0].name))(cluster)


def follower_of(address: str) -> Selector:
    """A node with power that does not hold the address while exactly one other does, drawn with the run's seed."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        holders = holder_of(address)(cluster)
        others = [name for name in cluster.topology.node_names if name not in holders and cluster.is_up(name)]
        if not others:
            raise NothingToAimAt(f"no node but the holder of {address} has power")
        return (cluster.random.choice(others),)

    return select


def site_of(selector: Selector) -> Selector:
    """The names of the sites in which the selected nodes are."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cluster.topology.node(name).site for name in selector(cluster)))

    return select
