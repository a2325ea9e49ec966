"""Whether the host has a controller of control groups that a fault needs."""

from harness.cluster import Cluster
from harness.engines.limits import Resource, lacks
from harness.healing import group_of


def without_controller(cluster: Cluster, resource: Resource) -> str | None:
    """Why a node cannot be limited in this; None when it can. Only a node with power has a group that can tell."""
    for node in cluster.topology.node_names:
        if cluster.is_up(node):
            return lacks(group_of(cluster.life.machines.run, node), resource)
    return None
