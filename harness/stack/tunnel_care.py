"""Care for the tunnel's handshakes: where node and mesh meet, for peers that are not heard."""

import time
from collections.abc import Callable

from .config import Mesh
from .mesh import wireguard
from .mesh.core import HandshakeCare, Silence, TunnelPeer
from .node import Node
from .ports import Log

LOOK_EVERY_S = 0.3


def begins_with(mesh: Mesh) -> list[str]:
    """The peers, by public key, with whom this node begins the handshake: those with a higher id."""
    return [peer.public_key for peer in mesh.peers if peer.node_id > mesh.own.node_id]


class TunnelCare:
    """Sees to lost handshakes sooner than WireGuard would."""

    def __init__(self, node: Node, log: Log, mesh_now: Callable[[], Mesh], silent_after_s: float) -> None:
        """``mesh_now`` gives the mesh as it is at the moment: peers come and go."""
        self._node, self._log, self._mesh_now, self._silent_after_s = node, log, mesh_now, silent_after_s
        self._handshakes = HandshakeCare()

    def look(self) -> None:
        """To be called every LOOK_EVERY_S; costs nothing while every peer is heard."""
        mesh = self._mesh_now()
        silent = {peer.public_key: peer for peer in mesh.peers if not self._is_heard(peer.node_id)}
        if not silent:
            return
        try:
            ages_s = wireguard.handshake_ages_s(mesh.interface)
            silences = {
                key: Silence(self._node.heard_s_ago(peer.node_id), ages_s.get(key)) for key, peer in silent.items()
            }
            overdue = self._handshakes.overdue(silences, begins_with(mesh), time.monotonic())
            if overdue:
                peers = [silent[key] for key in overdue]
                wireguard.set_anew(
                    mesh.interface, [TunnelPeer(peer.public_key, peer.endpoint, peer.address) for peer in peers]
                )
                self._log("handshake-started-anew", peers=sorted(peer.node_id for peer in peers))
        except wireguard.WireGuardError as error:
            self._log("warning", what="handshakes", message=str(error))

    def _is_heard(self, peer: int) -> bool:
        heard_s_ago = self._node.heard_s_ago(peer)
        return heard_s_ago is not None and heard_s_ago < self._silent_after_s
