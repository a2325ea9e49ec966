"""The peers of the tunnel as WireGuard wants to be told, and which of them to shake hands with anew. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

REJECT_AFTER_S = 180.0
"""Keys that are older are no longer used by either side (WireGuard white paper, 6.1: Reject-After-Time)."""
FIRST_NUDGE_S, LAST_NUDGE_S, NUDGE_GROWTH = 0.3, 2.0, 1.5
YIELDING_NUDGE_S = 0.6
"""The first pause on the side that lets the other one begin."""
HANDSHAKE_CLOCK_S = 1.0
"""wg(8) tells handshakes in whole seconds."""


@dataclass(frozen=True, slots=True)
class TunnelPeer:
    """A peer: what it may send from (its mesh address alone) and where it is reached ("ip:port")."""

    public_key: str
    endpoint: str
    address: str


@dataclass(frozen=True, slots=True)
class Condition:
    """How an interface is: whether it is there, whether it is up, its IPv4 addresses and its MTU."""

    there: bool = False
    up: bool = False
    addresses: frozenset[str] = frozenset()
    mtu: int = 0

    def serves(self, address: str) -> bool:
        """Whether traffic to and from that address ("a.b.c.d/nn" or without the prefix) can go through it."""
        return self.up and address.partition("/")[0] in self.addresses


def parse_handshakes(text: str) -> dict[str, int]:
    """Public key to the wall-clock second of the latest handshake (0: never), from `wg show ... latest-handshakes`."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def recent(handshakes: Mapping[str, int], now_s: float) -> frozenset[str]:
    """The peers that were reached lately."""
    return frozenset(key for key, at_s in handshakes.items() if at_s and now_s - at_s < REJECT_AFTER_S)


def render_setconf(private_key: str, port: int, peers: Sequence[TunnelPeer], waits_for: Collection[str] = ()) -> str:
    """The text `wg setconf` takes (wg(8)). Each peer may use its own mesh address only.

    Peers in ``waits_for`` (public keys) are given no endpoint: they begin, and their first packet tells it.
    """
    lines = ["[Interface]", f"PrivateKey = {private_key}", f"ListenPort = {port}"]
    for peer in peers:
        lines += ["", "[Peer]", f"PublicKey = {peer.public_key}", f"AllowedIPs = {peer.address}/32"]
        if peer.endpoint and peer.public_key not in waits_for:
            lines.append(f"Endpoint = {peer.endpoint}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Silence:
    """A peer that is not heard: for how long (None: never heard), and the age of its newest handshake (None: none)."""

    heard_s_ago: float | None
    handshake_s_ago: float | None

    def without_keys(self) -> bool:
        """Whether there are no keys that work both ways.

        Two handshakes that cross can leave each side with keys that the other does not use; so keys under which
        nothing was ever heard count for nothing.
        """
        age_s = self.handshake_s_ago
        if age_s is None or age_s > REJECT_AFTER_S:
            return True
        return self.heard_s_ago is None or self.heard_s_ago > age_s + HANDSHAKE_CLOCK_S


class HandshakeCare:
    """Says when to start the handshake with a peer afresh.

    WireGuard sends a lost handshake again only after 5 s (Rekey-Timeout), and at boot the first one is easily lost:
    the peer is not listening yet. A peer that is set anew is shaken hands with at once. That costs nothing where
    there are no usable keys; where there are, the peer is left alone, however silent it is.

    Of two sides one begins earlier, for handshakes that cross each other spoil each other.
    """

    def __init__(self) -> None:
        self._silent_since_s: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}

    def overdue(self, silent: Mapping[str, Silence], begins_with: Collection[str], now_s: float) -> list[str]:
        """The peers to be set anew now, of those that are not heard (by public key).

        ``begins_with`` are the public keys of the peers with whom this side is to begin. Peers that
        answer again, or have usable keys, start from the beginning.
        """
        hopeless = {key for key, silence in silent.items() if silence.without_keys()}
        for table in (self._silent_since_s, self._pause_s):
            for key in set(table) - hopeless:
                del table[key]
        due = []
        for key in sorted(hopeless):
            since_s = self._silent_since_s.setdefault(key, now_s)
            first_s = FIRST_NUDGE_S if key in begins_with else YIELDING_NUDGE_S
            pause_s = self._pause_s.setdefault(key, first_s)
            if now_s - since_s >= pause_s:
                due.append(key)
                self._silent_since_s[key] = now_s
                self._pause_s[key] = min(pause_s * NUDGE_GROWTH, LAST_NUDGE_S)
        return due
