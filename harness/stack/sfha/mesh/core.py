"""The peers of the tunnel as WireGuard wants to be told, and which of them to shake hands with anew. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...kit.wireguard_peers import SeenPeer

REJECT_AFTER_S = 180.0
"""Keys that are older are no longer used by either side (WireGuard white paper, 6.1: Reject-After-Time)."""
FIRST_NUDGE_S, LAST_NUDGE_S, NUDGE_GROWTH = 0.3, 2.0, 1.5
YIELDING_NUDGE_S = 0.6
"""The first pause on the side that lets the other one begin."""
HANDSHAKE_CLOCK_S = 1.0
"""wg(8) tells handshakes in whole seconds."""
KEEPALIVE_S = 25
"""For every peer, since nobody can tell for certain whether a NAT lies between: its memory of a flow is 30 s and more.

It costs nothing while daemons run, for nothing is sent where anything else was.
"""
INITIATION_BYTES, RESPONSE_BYTES = 148, 92
MOST_HANDSHAKES = 6
"""Of one kind, between two looks; more would be taken for something heard."""
FRUITLESS_HANDSHAKES = 4
PATIENT_NUDGE_S = 30.0
"""For a peer that shakes hands and says nothing more: its next word may be a keep-alive, KEEPALIVE_S later."""


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
        lines.append(f"PersistentKeepalive = {KEEPALIVE_S}")
    return "\n".join(lines) + "\n"


def change_of(peer: TunnelPeer, seen: SeenPeer | None) -> TunnelPeer | None:
    """What WireGuard has to be told of a peer; None: nothing.

    An endpoint that a handshake came from stays: behind a NAT it is the only one that works, and the peer's own word
    for where it is reached leads nowhere.
    """
    if seen is None:
        return peer
    keeps = bool(seen.endpoint) and (seen.handshake_at_s > 0 or not peer.endpoint)
    endpoint = "" if keeps or peer.endpoint == seen.endpoint else peer.endpoint
    allowed = f"{peer.address}/32" if peer.address else ""
    if not endpoint and allowed == seen.allowed and seen.keepalive_s == KEEPALIVE_S:
        return None
    return replace(peer, endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class Silence:
    """A peer whose daemon is not heard: since when nothing at all came through its tunnel, and its newest handshake.

    ``heard_s_ago`` is None when nothing ever came, ``handshake_s_ago`` when there was no handshake. What counts is
    the tunnel, not the daemon: a peer whose daemon is stopped still answers with Corosync, or its kernel does.
    """

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


class Ear:
    """When something was last heard from each peer under its keys, from WireGuard's counters.

    Handshakes are counted as received bytes, too, and prove nothing: a peer that tries in vain sends them for ever.
    """

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}
        self._heard_at_s: dict[str, float] = {}

    def listen(self, seen: Iterable[SeenPeer], now_s: float) -> None:
        """Take the counters as they are now."""
        for peer in seen:
            before = self._bytes.get(peer.public_key)
            self._bytes[peer.public_key] = peer.received_bytes
            if before is not None and not only_handshakes(peer.received_bytes - before):
                self._heard_at_s[peer.public_key] = now_s

    def forget(self, public_key: str) -> None:
        """It was set anew: its counter begins again at nothing."""
        self._bytes[public_key] = 0

    def heard_s_ago(self, public_key: str, now_s: float) -> float | None:
        """How long ago; None: never since this ear listens."""
        at_s = self._heard_at_s.get(public_key)
        return None if at_s is None else now_s - at_s


def only_handshakes(received_bytes: int) -> bool:
    """Whether so many bytes can be handshake messages and nothing else (white paper, 5.4: 148 and 92 bytes).

    Whatever is sent under keys is 32 bytes and a multiple of 16.
    """
    if received_bytes <= 0:
        return True
    return any(
        received_bytes == first * INITIATION_BYTES + second * RESPONSE_BYTES
        for first in range(MOST_HANDSHAKES)
        for second in range(MOST_HANDSHAKES)
    )


class Endpoints:
    """Which of a peer's endpoints to try next: the one that last worked, then what else is known of it, in turn."""

    def __init__(self) -> None:
        self._worked: dict[str, str] = {}
        self._set: dict[str, str] = {}
        self._tries: dict[str, int] = {}

    def worked(self, public_key: str, endpoint: str) -> None:
        """A peer is heard from there, so that one comes first as soon as it does not answer any more."""
        self._worked[public_key] = endpoint
        self._tries.pop(public_key, None)

    def saw(self, peer: SeenPeer) -> None:
        """WireGuard would send there: where nobody told it to, it learnt that from a packet that was genuine."""
        if peer.endpoint and peer.handshake_at_s and self._set.get(peer.public_key) != peer.endpoint:
            self._worked[peer.public_key] = peer.endpoint

    def next(self, public_key: str, known: Iterable[str]) -> str:
        """The endpoint to try now; the empty string where none is known: then the peer has to begin."""
        candidates = list(dict.fromkeys(one for one in (self._worked.get(public_key, ""), *known) if one))
        if not candidates:
            return ""
        tried = self._tries.get(public_key, 0)
        self._tries[public_key] = tried + 1
        chosen = self._set[public_key] = candidates[tried % len(candidates)]
        return chosen


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
        self._fruitless: dict[str, int] = {}
        """How often a peer was set anew although it had shaken hands since the time before."""

    def overdue(self, silent: Mapping[str, Silence], begins_with: Collection[str], now_s: float) -> list[str]:
        """The peers to be set anew now, of those that are not heard (by public key).

        ``begins_with`` are the public keys of the peers with whom this side is to begin. Peers that
        answer again, or have usable keys, start from the beginning.
        """
        hopeless = {key for key, silence in silent.items() if silence.without_keys()}
        for table in (self._silent_since_s, self._pause_s, self._fruitless):
            for key in set(table) - hopeless:
                del table[key]
        due = []
        for key in sorted(hopeless):
            since_s = self._silent_since_s.setdefault(key, now_s)
            first_s = FIRST_NUDGE_S if key in begins_with else YIELDING_NUDGE_S
            pause_s = self._pause_s.setdefault(key, first_s)
            fresh = silent[key].handshake_s_ago
            answered = fresh is not None and fresh <= now_s - since_s + HANDSHAKE_CLOCK_S
            if answered and self._fruitless.get(key, 0) >= FRUITLESS_HANDSHAKES:
                pause_s = PATIENT_NUDGE_S
            if now_s - since_s >= pause_s:
                due.append(key)
                self._fruitless[key] = self._fruitless.get(key, 0) + 1 if answered else 0
                self._silent_since_s[key] = now_s
                self._pause_s[key] = min(self._pause_s[key] * NUDGE_GROWTH, LAST_NUDGE_S)
        return due
