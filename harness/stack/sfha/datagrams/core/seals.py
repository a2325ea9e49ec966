"""Datagrams that only their sender can have made, for this receiver, in the present life of both, once. Pure.

Each direction between two nodes has a key of its own, made from what their two tunnel keys have in common: nobody else
has it, not even another member. A datagram says in which life of its sender it was made, and shows a *pass* that the
receiver gave to that life; so what was recorded before either of them started is worth nothing. Within a life datagrams
are counted, and none is taken twice. Neither clock nor disk is needed.

A pass is had by a *hello*, which says nothing else: who receives anything without a good pass answers with a hello and
a pass in it. So two nodes that start have each other's pass after three datagrams. What was to be said meanwhile is
kept, and said then.

    kind 1 | life 8 | pass 8 | count 8 | a message, or: whose life 8, its count 8, pass for it 8 | MAC 16
"""

import hmac
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import NamedTuple

MESSAGE, HELLO = 0xD1, 0xD2
"""No text begins like this."""
MAC_BYTES, LIFE_BYTES, SECRET_BYTES = 16, 8, 32
_HEAD, _WELCOME = struct.Struct(">B8s8sQ"), struct.Struct(">8sQ8s")
OVERHEAD_BYTES = _HEAD.size + MAC_BYTES
HELLO_BYTES = OVERHEAD_BYTES + _WELCOME.size
NOBODY = bytes(LIFE_BYTES)
WINDOW = 64
"""How far datagrams may overtake each other."""
KEPT = 8
"""How many messages wait for a pass: those of some heartbeats."""
_ALL_SEEN = (1 << WINDOW) - 1
_PURPOSE = b"sfha datagram 1"


@dataclass(slots=True)
class _Peer:
    """One peer, both directions."""

    secret: bytes
    key_out: bytes
    key_in: bytes
    pass_out: bytes = NOBODY
    answered: int = 0
    """The count of ours that its last welcome answered: an older welcome says nothing any more."""
    waiting: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT))
    life: bytes = NOBODY
    pass_in: bytes = NOBODY
    lives: int = 0
    """Another number for each life of it, so that passes given to earlier ones are good no more."""
    newest: int = 0
    seen: int = 0
    """A bit for each count up to the newest, which is the lowest bit."""


class Opened(NamedTuple):
    """What a genuine datagram brings: ``message`` for this node, and what is to be sent back at once."""

    message: bytes | None = None
    replies: tuple[bytes, ...] = ()


class Seals:
    """Seals and opens the datagrams of one node, in one life of it."""

    def __init__(self, own: int, life: bytes, secret: bytes) -> None:
        """``life`` and ``secret`` are random, made anew for each start."""
        self._own, self._life, self._secret = own, life, secret
        self._count = self._lives = 0
        self._peers: dict[int, _Peer] = {}
        self.replayed = 0

    def set_peers(self, secrets: Mapping[int, bytes]) -> None:
        """Talk to these (what this node has in common with each), and to nobody else from now on."""
        kept = {node: peer for node, peer in self._peers.items() if secrets.get(node) == peer.secret}
        self._peers = {node: kept.get(node) or self._stranger(node, secret) for node, secret in secrets.items()}

    def _stranger(self, node: int, secret: bytes) -> _Peer:
        def key(sender: int, receiver: int) -> bytes:
            return blake2s(_PURPOSE + struct.pack(">QQ", sender, receiver), key=secret).digest()

        self._lives += 1
        return _Peer(secret, key(self._own, node), key(node, self._own), lives=self._lives)

    def hello(self, to: int) -> bytes:
        """What asks a peer for a pass."""
        return self._hello(self._peers[to], NOBODY, 0)

    def seal(self, to: int, message: bytes) -> bytes:
        """The datagram for a peer; a hello where it has given no pass yet, and the message waits for that."""
        peer = self._peers[to]
        if peer.pass_out == NOBODY:
            peer.waiting.append(message)
            return self._hello(peer, NOBODY, 0)
        return self._datagram(peer, MESSAGE, message)

    def open(self, sender: int, datagram: bytes) -> Opened | None:
        """What a datagram from the address of ``sender`` brings; None for all that the sender has not made."""
        peer = self._peers.get(sender)
        kind = datagram[0] if len(datagram) >= OVERHEAD_BYTES else 0
        if peer is None or (kind != MESSAGE and (kind != HELLO or len(datagram) != HELLO_BYTES)):
            return None
        content, mac = datagram[:-MAC_BYTES], datagram[-MAC_BYTES:]
        if not hmac.compare_digest(blake2s(content, key=peer.key_in, digest_size=MAC_BYTES).digest(), mac):
            return None
        _, life, shown, count = _HEAD.unpack_from(content)
        good = (life == peer.life and shown == peer.pass_in) or self._begins(sender, peer, life, shown)
        if good and not self._is_new(peer, count):
            self.replayed += 1
            return None
        if good and kind == MESSAGE:
            return Opened(content[_HEAD.size :])
        replies = self._welcomed(peer, *_WELCOME.unpack_from(content, _HEAD.size)) if kind == HELLO else ()
        if good:
            return Opened(None, replies)
        welcome = self._hello(peer, life, count, self._pass_for(sender, peer, life))
        return Opened(None, (welcome, *replies))

    def _begins(self, sender: int, peer: _Peer, life: bytes, shown: bytes) -> bool:
        """Whether the sender has begun another life, and shows its pass. None that was offered before is good then."""
        if shown != self._pass_for(sender, peer, life):
            return False
        self._lives += 1
        peer.life, peer.pass_in, peer.lives, peer.newest, peer.seen = life, shown, self._lives, 0, 0
        return True

    def _pass_for(self, sender: int, peer: _Peer, life: bytes) -> bytes:
        if life == peer.life:
            return peer.pass_in
        text = struct.pack(">QQ", sender, peer.lives) + life
        return blake2s(text, key=self._secret, digest_size=LIFE_BYTES).digest()

    @staticmethod
    def _is_new(peer: _Peer, count: int) -> bool:
        ahead = count - peer.newest
        if ahead == 1:  # nearly always
            peer.newest, peer.seen = count, (peer.seen << 1 | 1) & _ALL_SEEN
            return True
        if ahead > 0:
            peer.newest = count
            peer.seen = (peer.seen << ahead | 1) & _ALL_SEEN if ahead < WINDOW else 1
            return True
        if ahead <= -WINDOW or peer.seen >> -ahead & 1:
            return False
        peer.seen |= 1 << -ahead
        return True

    def _welcomed(self, peer: _Peer, whose: bytes, count: int, offered: bytes) -> tuple[bytes, ...]:
        """Take a pass that was given to this life, and say what has waited for it."""
        if whose != self._life or not peer.answered < count <= self._count:
            return ()
        peer.answered, peer.pass_out = count, offered
        said = tuple(self._datagram(peer, MESSAGE, message) for message in peer.waiting)
        peer.waiting.clear()
        return said

    def _hello(self, peer: _Peer, whose: bytes, count: int, offered: bytes = NOBODY) -> bytes:
        return self._datagram(peer, HELLO, _WELCOME.pack(whose, count, offered))

    def _datagram(self, peer: _Peer, kind: int, content: bytes) -> bytes:
        self._count += 1
        text = _HEAD.pack(kind, self._life, peer.pass_out, self._count) + content
        return text + blake2s(text, key=peer.key_out, digest_size=MAC_BYTES).digest()
