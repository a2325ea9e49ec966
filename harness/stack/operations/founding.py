"""`sfha init`: a cluster of one node, which others can join."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import yaml

from ..config import CONFIG_PATH, MESH_PATH, Config, Mesh, MeshNode, load_config
from ..durable import write_durably
from ..languages.core import Message, message
from ..membership import corosync
from ..mesh import wireguard
from ..roster.core import Acceptor, Member, Roster
from ..roster.store import state_of, store
from .endpoint import guess_endpoint, is_endpoint
from .files import (
    COROSYNC_CONF_PATH,
    config_text,
    corosync_conf,
    forget_cluster,
    forget_earlier_life,
    node_part,
    save_authkey,
    save_mesh,
    shared_part,
)
from .registration import NAME

DEFAULT_MESH = "10.90.0.0/24"
DEFAULT_PORT = 51820
HIGHEST_PORT = 65535
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


def refuse_members() -> None:
    """Raises FoundingFailed where this node belongs to a cluster already."""
    if MESH_PATH.exists():
        raise FoundingFailed(message("init.member", path=str(MESH_PATH)))


def refuse_other_corosync() -> None:
    """Raises FoundingFailed where a Corosync runs that has other nodes: what depends on it is not ours to stop."""
    nodes = corosync.nodes_configured()
    if nodes > 1 and corosync.running():
        raise FoundingFailed(message("init.other-corosync", nodes=nodes, path=str(COROSYNC_CONF_PATH)))


def stop_lone_corosync(said: Callable[..., None]) -> None:
    """Stop the one that its package started, alone: it would be taken for this cluster's. Raises CorosyncError."""
    if corosync.running():
        corosync.stop()
        said("init.corosync-stopped")


def refuse_port(port: int) -> None:
    """Raises FoundingFailed where WireGuard could not listen there."""
    if not 0 < port <= HIGHEST_PORT:
        raise FoundingFailed(message("init.bad-port", port=port))


def own_name() -> str:
    """The node's name: what an existing config.yml says, else the host's. Raises FoundingFailed."""
    name = ""
    if CONFIG_PATH.exists():
        name = str(node_part(CONFIG_PATH.read_text(encoding="utf-8")).get("name", ""))
    name = name or socket.gethostname().partition(".")[0]
    if not NAME.fullmatch(name):
        raise FoundingFailed(message("join.bad-name", name=name))
    return name


def found(wish: Wish, said: Callable[..., None]) -> Mesh:
    """Write everything that makes this node a cluster of one, and bring the tunnel up.

    A config.yml that is there stays, where it is for this cluster. Nothing stays behind when it fails.
    Raises FoundingFailed, ConfigError, EndpointUnknown, WireGuardError, CorosyncError and OSError.
    """
    refuse_members()
    refuse_other_corosync()
    name, address, network = own_name(), *_own_address(wish)
    refuse_port(wish.port)
    if wish.endpoint is not None and not is_endpoint(wish.endpoint):
        raise FoundingFailed(message("join.bad-endpoint", endpoint=wish.endpoint))
    config = _config(wish.cluster)
    endpoint = wish.endpoint or guess_endpoint(wish.port)
    private = wireguard.new_private_key()
    public = wireguard.public_key_of(private)
    own = MeshNode(1, name, address, endpoint=endpoint)
    mesh = Mesh(private, own, network.prefixlen, (), port=wish.port)
    stop_lone_corosync(said)
    forget_earlier_life()
    try:
        save_authkey(os.urandom(AUTHKEY_BYTES))
        store(state_of(Acceptor(Roster(1, (Member(1, name, address, 1, public, endpoint),), 1, f"init {name}"))))
        corosync.write_conf(corosync_conf(config, mesh))
        save_mesh(mesh)
        said("init.written")
    except BaseException:
        forget_cluster()
        raise
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


def future_config(cluster: str) -> str:
    """The config.yml that ``found`` would leave. Raises FoundingFailed and OSError."""
    if CONFIG_PATH.exists():
        return CONFIG_PATH.read_text(encoding="utf-8")
    return yaml.safe_dump({"cluster": {"name": cluster}, "node": {"name": own_name()}}, sort_keys=False)


def _config(cluster: str) -> Config:
    text, fresh = future_config(cluster), not CONFIG_PATH.exists()
    config = load_config(CONFIG_PATH, text)
    if config.cluster != cluster:
        raise FoundingFailed(message("init.other-cluster", path=str(CONFIG_PATH), given=config.cluster))
    if fresh:
        write_durably(CONFIG_PATH, text, CONFIG_MODE)
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
