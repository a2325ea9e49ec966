"""Faults that reach into a node by way of the host's kernel, and nodes that have one of their own."""

from harness.cluster import Cluster
from harness.errors import UsageError


def needs_hosts_kernel(cluster: Cluster, node: str) -> None:
    """Raise UsageError for a node whose processes, files and mounts are not this host's: it would hit the host."""
    if cluster.engine.capabilities(node).own_kernel:
        raise UsageError(f"not shown here: {node} has a kernel of its own, and this fault goes by way of the host's")
