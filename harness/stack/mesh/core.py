"""The peers of the tunnel as WireGuard wants to be told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TunnelPeer:
    """A peer: what it may send from (its mesh address alone) and where it is reached ("ip:port")."""

    public_key: str
    endpoint: str
    address: str


RECENT_HANDSHAKE_S = 180
"""WireGuard makes a new handshake every two minutes while there is traffic; an older one means: not reached."""


def parse_handshakes(text: str) -> dict[str, int]:
    """Public key to the wall-clock second of the latest handshake (0: never), from `wg show ... latest-handshakes`."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def recent(handshakes: Mapping[str, int], now_s: float) -> frozenset[str]:
    """The peers that were reached lately."""
    return frozenset(key for key, at_s in handshakes.items() if at_s and now_s - at_s < RECENT_HANDSHAKE_S)


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
