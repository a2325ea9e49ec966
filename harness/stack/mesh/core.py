"""The peers of the tunnel as WireGuard wants to be told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TunnelPeer:
    """A peer: what it may send from (its mesh address alone) and where it is reached ("ip:port")."""

    public_key: str
    endpoint: str
    address: str


def render_setconf(private_key: str, port: int, peers: Sequence[TunnelPeer]) -> str:
    """The text `wg setconf` takes (wg(8)). Each peer may use its own mesh address only."""
    lines = ["[Interface]", f"PrivateKey = {private_key}", f"ListenPort = {port}"]
    for peer in peers:
        lines += [
            "",
            "[Peer]",
            f"PublicKey = {peer.public_key}",
            f"Endpoint = {peer.endpoint}",
            f"AllowedIPs = {peer.address}/32",
        ]
    return "\n".join(lines) + "\n"
