"""Which kernel a node has: what goes by way of the host's, what needs one of the node's own, what goes either way."""

from harness.cluster import Cluster
from harness.engines import inside
from harness.errors import EngineError, UsageError

_HOW = "on one of the engine uml it is shown"
_WHO = "on those of local, docker or lxd it is shown"


def inside_of(cluster: Cluster, node: str) -> inside.Inside:
    """A node with power, to act in by whichever kernel it has. Raises EngineError when it has none."""
    found = inside.inside(cluster.life.machines.run, node)
    if found is None:
        raise EngineError(f"{node} has no power")
    return found


def needs_hosts_kernel(cluster: Cluster, node: str) -> None:
    """Raise UsageError for a node whose processes, files and mounts are not this host's: it would hit the host."""
    if cluster.engine.capabilities(node).own_kernel:
        raise UsageError(f"not shown here: {node} has a kernel of its own, and this fault goes by way of the host's")


def content_of(cluster: Cluster, node: str, path: str) -> bytes | None:
    """What is in a file of a node; None when it is not there. Raises UsageError for a directory."""
    try:
        return inside_of(cluster, node).read(path)
    except IsADirectoryError:
        raise UsageError(f"{path} of {node} is a directory, and has to be a file") from None


def without_hosts_kernel(cluster: Cluster, what: str) -> str | None:
    """Why a fault is impossible that goes by way of the host's kernel, where no node has that; ``what`` says why."""
    if all(cluster.engine.capabilities(node).own_kernel for node in cluster.topology.node_names):
        return f"every node has a kernel of its own, and {what}; {_WHO}"
    return None


def needs_own_kernel(cluster: Cluster, node: str, what: str) -> None:
    """Raise UsageError for a node that shares something with this host that the fault would change."""
    if not cluster.engine.capabilities(node).own_kernel:
        raise UsageError(f"not shown here: {node} shares the host's kernel, and so {what}; {_HOW}")


def without_own_kernel(cluster: Cluster, what: str) -> str | None:
    """Why a fault is impossible that needs a node with a kernel of its own, where there is none."""
    if not any(cluster.engine.capabilities(node).own_kernel for node in cluster.topology.node_names):
        return f"no node has a kernel of its own, and all share {what} with this host; {_HOW}"
    return None
