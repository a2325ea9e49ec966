"""Whom a fault hits: chosen at the moment of injection, by what is seen from outside.

What a selector needs may be missing for a moment (NothingToAimAt). ``Cluster.under`` waits for it; so does ``aim``, for
whoever wants to know the target beforehand.
"""

from collections.abc import Callable
from pathlib import Path

from harness.clock import now_s
from harness.cluster import Cluster
from harness.errors import NothingToAimAt, UsageError
from harness.fabric.namespaces import call_in
from harness.mistakes import suggestion
from harness.near import meant
from harness.observation import Unobserved

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


def any_node() -> Selector:
    """A node with power, drawn with the run's seed."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        powered = [name for name in cluster.topology.node_names if cluster.is_up(name)]
        if not powered:
            raise NothingToAimAt("no node has power")
        return (cluster.random.choice(powered),)

    return select


def nodes_at(*sites: str) -> Selector:
    """The nodes in these sites."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        known = cluster.topology.site_names
        for site in sites:
            if site not in known:
                raise UsageError(f"there is no site {site}; the sites are {', '.join(known)}{meant(site, known)}")
        return tuple(node.name for node in cluster.topology.nodes if node.site in sites)

    return select


def holder_of(address: str) -> Selector:
    """The node that holds the address; NothingToAimAt while there is not exactly one."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        holders = _holders(cluster, address)
        if len(holders) != 1:
            names = f" ({', '.join(sorted(holders))})" if holders else ""
            raise NothingToAimAt(f"{address} has {len(holders)} holders{names}, and exactly one is needed")
        return holders

    return select


def leader() -> Selector:
    """The leader, as seen from outside: the node that holds the first virtual address of the topology."""
    return lambda cluster: holder_of(vip_called(cluster, ""))(cluster)


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


# --- the words of a person -----------------------------------------------------------------------------


def nodes_called(words: str) -> Selector:
    """Nodes as a person names them: n1, n1,n2, all, any, leader, holder:VIP, follower:VIP, site:SITE."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        found = (name for word in words.split(",") for name in _called(cluster, word)(cluster))
        return tuple(dict.fromkeys(found))

    return select


def sites_called(words: str) -> Selector:
    """Sites as a person names them, or the sites of the nodes that are named."""

    def select(cluster: Cluster) -> tuple[str, ...]:
        known = cluster.topology.site_names
        found: list[str] = []
        for word in words.split(","):
            if word not in {*known, *cluster.topology.node_names, *_ROLES} and ":" not in word:
                nodes = ", ".join(cluster.topology.node_names)
                there_are = f"the sites are {', '.join(known)} (or those of {nodes})"
                raise UsageError(f"there is no site {word!r}; {there_are}{meant(word, known)}")
            found += (word,) if word in known else site_of(_called(cluster, word))(cluster)
        return tuple(dict.fromkeys(found))

    return select


def _called(cluster: Cluster, word: str) -> Selector:
    role, _, name = word.partition(":")
    topology = cluster.topology
    if word in topology.node_names:
        return node(word)
    if role not in _ROLES:
        roles = [f"{one}:{vip.name}" for one in ("holder", "follower") for vip in topology.vips]
        sites = [f"site:{site}" for site in topology.site_names]
        known = (*topology.node_names, "all", "any", "leader", *roles, *sites)
        raise UsageError(f"the topology has no node {word!r}{suggestion(word, known)}")
    return _ROLES[role](cluster, name)


_ROLES: dict[str, Callable[[Cluster, str], Selector]] = {
    "all": lambda _cluster, _name: all_nodes(),
    "any": lambda _cluster, _name: any_node(),
    "leader": lambda _cluster, _name: leader(),
    "holder": lambda cluster, name: holder_of(vip_called(cluster, name)),
    "follower": lambda cluster, name: follower_of(vip_called(cluster, name)),
    "site": lambda _cluster, name: nodes_at(name),
}


def vip_called(cluster: Cluster, name: str) -> str:
    """The virtual address of this name; the first one without a name; an address as it is."""
    vips = [vip.name for vip in cluster.topology.vips]
    if not vips and not name:
        raise UsageError("the topology has no virtual address")
    if name and name not in vips:
        if name.count(".") == 3:
            return name
        raise UsageError(
            f"there is no virtual address {name}; there are: {', '.join(vips) or 'none'}{meant(name, vips)}"
        )
    return cluster.plan.vip(name or vips[0])


def _holders(cluster: Cluster, address: str) -> tuple[str, ...]:
    """Who holds an address: as the observers say or, where there are none, the nodes' kernels."""
    if not isinstance(cluster.life.observation, Unobserved):
        return tuple(cluster.live().holders(address, now_s()))
    if cluster.life.machines.own_kernels:
        raise UsageError(
            "only a cluster that is watched knows who holds an address, where nodes have kernels of their own"
        )
    return tuple(name for name in cluster.topology.node_names if _has(cluster.engine.pid(name), address))


def _has(pid: int | None, address: str) -> bool:
    from pyroute2 import IPRoute

    def look() -> bool:
        with IPRoute() as route:
            return any(dict(one["attrs"]).get("IFA_LOCAL") == address for one in route.get_addr())

    return pid is not None and call_in(Path(f"/proc/{pid}/ns/net"), look)
