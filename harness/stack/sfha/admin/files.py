"""The files that an operation writes: each one whole or not at all, secrets readable by root alone."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import yaml

from ...kit.durable import write_durably
from ..config.load import CONFIG_PATH, MESH_PATH, Config, Mesh, MeshNode
from ..datagrams.unsealed import UNPAIRED_PATH, UNSEALED_PATH
from ..membership import survey
from ..membership.core import RingNode, Totem, render_corosync_conf
from ..membership.corosync import AUTHKEY_MODE
from ..membership.logfile import LOG_FILE, can_log
from ..mesh.core import TunnelPeer, render_setconf
from ..roster.core import Member, Roster
from ..roster.store import STATE_PATH

SECRET, OPEN = 0o600, 0o644
AUTHKEY_PATH = Path("/etc/corosync/authkey")
COROSYNC_CONF_PATH = Path("/etc/corosync/corosync.conf")
WIREGUARD_PATH = Path("/etc/wireguard/wg-sfha.conf")
TOKENS_PATH = Path("/var/lib/sfha/tokens.json")
REMOVAL_PATH = Path("/var/lib/sfha/removal.json")
JOINING_PATH = Path("/var/lib/sfha/joining.json")
_OF_ONE_CLUSTER = ("claim.json", "fencing.json", "pardons.json", "resources.json", "endpoints.json")
EARLIER_LIFE = (*(Path("/var/lib/sfha") / name for name in _OF_ONE_CLUSTER), UNSEALED_PATH, UNPAIRED_PATH)
COROSYNC_STATE = Path("/var/lib/corosync")
KEPT_CONFIG_SUFFIX = ".left"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WRITTEN = (
    *(CONFIG_PATH, MESH_PATH, WIREGUARD_PATH, AUTHKEY_PATH, COROSYNC_CONF_PATH, STATE_PATH, TOKENS_PATH),
    *(survey.KEY_RECORD, *EARLIER_LIFE),
)
"""Every file that founding or joining a cluster writes or deletes."""


def save_mesh(mesh: Mesh, path: Path = MESH_PATH) -> None:
    """Write mesh.json, and the tunnel's configuration for `wg`. Raises OSError."""
    own = mesh.own
    value = {
        "interface": mesh.interface,
        "private_key": mesh.private_key,
        "port": mesh.port,
        "mtu": mesh.mtu,
        "name": own.name,
        "node_id": own.node_id,
        "votes": own.votes,
        "address": f"{own.address}/{mesh.prefix}",
        **({"endpoint": own.endpoint} if own.endpoint else {}),
        "peers": [
            {
                "name": peer.name,
                "node_id": peer.node_id,
                "votes": peer.votes,
                "public_key": peer.public_key,
                "endpoint": peer.endpoint,
                "address": peer.address,
            }
            for peer in mesh.peers
        ],
    }
    write_durably(path, json.dumps(value, indent=2) + "\n", SECRET)
    write_durably(WIREGUARD_PATH, render_setconf(mesh.private_key, mesh.port, tunnel_peers(mesh)), SECRET)


def tunnel_peers(mesh: Mesh) -> list[TunnelPeer]:
    """The peers as the tunnel knows them."""
    return [TunnelPeer(peer.public_key, peer.endpoint, peer.address) for peer in mesh.peers]


def mesh_with(mesh: Mesh, roster: Roster) -> Mesh:
    """The mesh with the nodes of the roster; what is this node's alone stays as it is.

    Newcomers have no vote in Corosync either: nodes that are still on their way must not cost the others their quorum.
    """
    votes = {mesh.own.node_id: mesh.own.votes} | roster.votes()
    endpoints = {one.node_id: one.endpoint for one in roster.members}
    own = replace(
        mesh.own, votes=votes[mesh.own.node_id], endpoint=endpoints.get(mesh.own.node_id) or mesh.own.endpoint
    )
    peers = tuple(
        MeshNode(one.node_id, one.name, one.address, votes[one.node_id], one.public_key, one.endpoint)
        for one in roster.members
        if one.node_id != mesh.own.node_id
    )
    return replace(mesh, own=own, peers=peers)


def first_roster(mesh: Mesh) -> Roster:
    """The roster of a configuration that was written by hand: epoch 0, the same on every node."""
    members = tuple(
        Member(one.node_id, one.name, one.address, one.votes, one.public_key, one.endpoint) for one in mesh.nodes()
    )
    return Roster(0, members, max(one.node_id for one in members))


def shared_part(text: str) -> dict[str, object]:
    """Everything of a config.yml that is the same on all nodes: all of it except the node's own section."""
    value = _mapping(text)
    return {key: value[key] for key in value if key != "node"}


def config_text(shared: dict[str, object], node: dict[str, object]) -> str:
    """A config.yml of the shared part and the node's own section."""
    value = {"cluster": shared.get("cluster", {}), "node": node, **shared}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def node_part(text: str) -> dict[str, object]:
    """The node's own section of a config.yml."""
    own = _mapping(text).get("node")
    return own if isinstance(own, dict) else {}


def _mapping(text: str) -> dict[str, object]:
    """What a config.yml holds; nothing where it is none: whoever reads it for good says what is wrong with it."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def corosync_conf(config: Config, mesh: Mesh) -> str:
    """The corosync.conf of these nodes under this configuration."""
    profile = config.profile
    totem = Totem(
        transport=profile.transport,
        token_ms=profile.token_ms,
        consensus_ms=profile.consensus_ms,
        ping_interval_ms=profile.knet_ping_interval_ms,
        ping_timeout_ms=profile.knet_ping_timeout_ms,
        pong_count=profile.knet_pong_count,
        join_ms=profile.join_ms,
    )
    nodes = [RingNode(node.node_id, node.name, node.address, node.votes) for node in mesh.nodes()]
    return render_corosync_conf(config.cluster, nodes, totem, str(LOG_FILE) if can_log() else "")


def save_authkey(key: bytes) -> None:
    """Write Corosync's key, and first a note of its hash: by that it is known to be ours. Raises OSError."""
    from hashlib import sha256

    write_durably(survey.KEY_RECORD, sha256(key).hexdigest() + "\n", SECRET)
    write_durably(AUTHKEY_PATH, key, AUTHKEY_MODE)


def save_json(path: Path, value: object) -> None:
    """Write state that must survive a power cut. Raises OSError."""
    write_durably(path, json.dumps(value, indent=1) + "\n", SECRET)


def read_json(path: Path) -> object:
    """State that was saved; None when there is none, or when it cannot be read as such."""
    with suppress(OSError, ValueError):
        return json.loads(path.read_text())
    return None


def forget_earlier_life() -> None:
    """Delete what a node has noted as a member of a cluster that it left: it would be taken for news of the next one.

    A claim names a node by its id, which is another node there, and services would wait for that one.
    """
    for path in EARLIER_LIFE:
        path.unlink(missing_ok=True)


def forget_cluster() -> None:
    """Delete what makes this node a member. config.yml is kept under another name: it holds its owner's work.

    A Corosync that somebody else has set up here by now keeps its files.
    """
    found = survey.look(COROSYNC_CONF_PATH.parent)
    theirs = found.described is not None and found.described.foreign
    with suppress(FileNotFoundError):
        CONFIG_PATH.replace(CONFIG_PATH.with_name(CONFIG_PATH.name + KEPT_CONFIG_SUFFIX))
    corosyncs = () if theirs else (COROSYNC_CONF_PATH, *COROSYNC_STATE.glob("ringid_*"))
    keys = () if theirs and found.foreign_key else (AUTHKEY_PATH,)
    state = (STATE_PATH, TOKENS_PATH, REMOVAL_PATH, JOINING_PATH, survey.KEY_RECORD, UNSEALED_PATH, UNPAIRED_PATH)
    for path in (WIREGUARD_PATH, *keys, *corosyncs, *state, MESH_PATH):
        path.unlink(missing_ok=True)
