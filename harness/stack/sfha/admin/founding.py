"""`sfha init`: a cluster of one node, which others can join."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import yaml

from ...kit.durable import write_durably
from ...kit.messages import Message, message
from ..config.load import CONFIG_PATH, MESH_PATH, Config, Mesh, MeshNode, Vip, load_config
from ..config.names import fault_of_node_name, fault_of_text
from ..config.networks import free_network, overlapping, taken_of, vip_inside
from ..membership import corosync, survey
from ..membership.ownership import objection
from ..mesh import udp, wireguard
from ..mesh.host_port import HIGHEST_PORT, fault_of_endpoint
from ..roster.core import Acceptor, Member, Roster
from ..roster.store import state_of, store
from .files import (
    WRITTEN,
    config_text,
    corosync_conf,
    forget_earlier_life,
    node_part,
    save_authkey,
    save_mesh,
    shared_part,
)
from .own_endpoint import ASK_TIMEOUT_S, guess_endpoint, resolved
from .undo import Undo

INTERFACE = "wg-sfha"
DEFAULT_MESH = "10.90.0.0/24"
DEFAULT_PORT = 51820
SMALLEST_MESH_PREFIX = 30
AUTHKEY_BYTES = 128
CONFIG_MODE = 0o640


class FoundingFailed(Exception):
    """The cluster cannot be founded, or joined, like this; the message says why and what to do."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Wish:
    """What `sfha init` was asked for; None and empty: find out."""

    cluster: str
    mesh: str = DEFAULT_MESH
    ip: str | None = None
    port: int = DEFAULT_PORT
    endpoint: str | None = None
    node: str | None = None


def refuse_members() -> None:
    """Raises FoundingFailed where this node belongs to a cluster already."""
    if MESH_PATH.exists():
        raise FoundingFailed(message("init.member", path=str(MESH_PATH)))


def refuse_other_corosync() -> None:
    """Raises FoundingFailed where anything of somebody else's Corosync would be overwritten or stopped."""
    why = objection(survey.look(corosync.DIRECTORY))
    if why is not None:
        raise FoundingFailed(why)


def stop_lone_corosync(said: Callable[..., None]) -> None:
    """Stop the one that its package started, alone: it would be taken for this cluster's. Raises CorosyncError."""
    if corosync.running():
        corosync.stop()
        said("init.corosync-stopped")


def refuse_port(port: int) -> None:
    """Raises FoundingFailed where WireGuard could not listen there: no port, or somebody else's.

    A tunnel of ours that was left over must be down by now.
    """
    if not 0 < port <= HIGHEST_PORT:
        raise FoundingFailed(message("init.bad-port", port=port))
    if not udp.is_free(port):
        raise FoundingFailed(wireguard.port_taken(port))


def refuse_endpoint(endpoint: str) -> None:
    """Raises FoundingFailed for an endpoint of this node that is badly written, EndpointUnknown for an unknown name."""
    why = fault_of_endpoint(endpoint)
    if why is not None:
        raise FoundingFailed(why)
    resolved(endpoint)


def refuse_shared_network(network: IPv4Network, key: str, vips: Sequence[Vip] = ()) -> None:
    """Raises FoundingFailed, with the message ``key``, where the mesh's network is one that this node uses already."""
    taken = taken_of(_told_by_ip("address"), _told_by_ip("route"), but=INTERFACE)
    other = overlapping(network, taken)
    free = free_network(taken, [vip.address for vip in vips]) or "-"
    if other is not None:
        used = {"network": str(network), "interface": other.interface, "taken": str(other.network)}
        raise FoundingFailed(message(key, free=str(free), **used))
    vip = vip_inside(network, vips)
    if vip is not None:
        about = {"name": vip.name, "address": vip.address, "network": str(network)}
        raise FoundingFailed(message("init.vip-in-mesh", path=str(CONFIG_PATH), free=str(free), **about))


def _told_by_ip(what: str) -> object:
    command = ["ip", "-j", "-4", what, "show"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=ASK_TIMEOUT_S)
        return json.loads(done.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def own_name(wanted: str | None = None) -> str:
    """The node's name: the one asked for, else what an existing config.yml says, else the host's. FoundingFailed."""
    given = str(node_part(CONFIG_PATH.read_text(encoding="utf-8")).get("name", "")) if CONFIG_PATH.exists() else ""
    name = wanted or given or socket.gethostname().partition(".")[0]
    why = fault_of_node_name(name)
    if why is not None:
        raise FoundingFailed(why)
    return name


def found(wish: Wish, said: Callable[..., None], undo: Undo) -> Mesh:
    """Write everything that makes this node a cluster of one; ``undo`` knows how to take it back.

    A config.yml that is there stays, where it is for this cluster. All that can be known beforehand is refused before
    anything is written or stopped.
    Raises FoundingFailed, ConfigError, EndpointUnknown, WireGuardError, CorosyncError and OSError.
    """
    refuse_members()
    why = fault_of_text(wish.cluster)
    if why is not None:
        raise FoundingFailed(message("init.bad-name", why=why))
    refuse_other_corosync()
    name, address, network = own_name(wish.node), *_own_address(wish)
    if wish.endpoint is not None:
        refuse_endpoint(wish.endpoint)
    text = future_config(wish.cluster, wish.node)
    config = _checked(text, wish.cluster, name)
    refuse_shared_network(network, "init.shared-network", config.vips)
    wireguard.take_down(INTERFACE)  # without a mesh.json nobody uses it: it is left over
    refuse_port(wish.port)
    endpoint = wish.endpoint or guess_endpoint(wish.port)
    private = wireguard.new_private_key()
    public = wireguard.public_key_of(private)
    own = MeshNode(1, name, address, endpoint=endpoint)
    mesh = Mesh(private, own, network.prefixlen, (), port=wish.port)
    undo.keep(*WRITTEN)
    undo.tunnel(mesh.interface)
    stop_lone_corosync(said)
    forget_earlier_life()
    if not CONFIG_PATH.exists():
        write_durably(CONFIG_PATH, text, CONFIG_MODE)
    corosync.write_conf(corosync_conf(config, mesh))
    save_authkey(os.urandom(AUTHKEY_BYTES))
    store(state_of(Acceptor(Roster(1, (Member(1, name, address, 1, public, endpoint),), 1, f"init {name}"))))
    save_mesh(mesh)
    said("init.written")
    return mesh


def _own_address(wish: Wish) -> tuple[str, IPv4Network]:
    try:
        network = IPv4Network(wish.mesh)
        address = IPv4Address(wish.ip) if wish.ip else next(network.hosts())
    except ValueError as error:
        raise FoundingFailed(message("init.bad-mesh", mesh=wish.mesh, ip=wish.ip or "-")) from error
    inside = address in network and address not in (network.network_address, network.broadcast_address)
    if network.prefixlen > SMALLEST_MESH_PREFIX or not inside:
        raise FoundingFailed(message("init.bad-mesh", mesh=wish.mesh, ip=str(address)))
    return str(address), network


def future_config(cluster: str, node: str | None = None) -> str:
    """The config.yml that ``found`` would leave. Raises FoundingFailed and OSError."""
    if CONFIG_PATH.exists():
        return CONFIG_PATH.read_text(encoding="utf-8")
    return yaml.safe_dump(
        {"cluster": {"name": cluster}, "node": {"name": own_name(node)}}, sort_keys=False, allow_unicode=True
    )


def _checked(text: str, cluster: str, node: str) -> Config:
    config = load_config(CONFIG_PATH, text)
    if config.cluster != cluster:
        raise FoundingFailed(message("init.other-cluster", path=str(CONFIG_PATH), given=config.cluster))
    if config.node != node:
        raise FoundingFailed(message("init.other-node", path=str(CONFIG_PATH), given=config.node, wanted=node))
    return config


def adopt_config(shared: dict[str, object], name: str) -> Config:
    """Have the cluster's config.yml: every section of it, with this node's own. Raises ConfigError and OSError."""
    own = node_part(CONFIG_PATH.read_text(encoding="utf-8")) if CONFIG_PATH.exists() else {}
    text = config_text(shared, {**own, "name": name})
    config = load_config(CONFIG_PATH, text)
    if CONFIG_PATH.exists() and shared_part(CONFIG_PATH.read_text(encoding="utf-8")) != shared:
        CONFIG_PATH.replace(CONFIG_PATH.with_name("config.yml.before-join"))
    write_durably(CONFIG_PATH, text, CONFIG_MODE)
    return config
