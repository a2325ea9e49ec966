"""Who is let in: signatures, freshness, replays, sizes and rates. Pure; times are arguments.

A request is signed with a key that its sender and its receiver have, and nobody else, over everything that
matters: method, path, who sends it, to whom, when, a number used once, and the body. The number ends with
the *life* of the receiver, which it makes anew at each start: what was signed for an earlier one, and may
have been carried out by it, is not carried out again. Who does not know the life and is genuine is told it.
The answer is signed with the same key over the number, so that it answers this request and no other. Whoever
is not let in is told 404 and nothing else, whatever is wrong.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MAX_HEAD_BYTES = 8 << 10
MAX_BODY_BYTES = 256 << 10
FRESH_FOR_S = 60.0
"""How far apart the clocks of two nodes may be, and how long a number is remembered (twice that)."""
MAX_NUMBERS = 20_000
RATE_PER_S = 50.0
BURST = 100.0
MAX_CALLERS = 512
STRANGERS = ""
"""All addresses that are nobody's, together."""
LIFE_MARK = "."
_PURPOSE, _PURPOSE_OF_PAIR = b"sfha p2p 1", b"sfha p2p 2"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came, or is to go; ``at_s`` is wall-clock time, ``mac`` 64 hexadecimal digits."""

    method: str
    path: str
    sender: str
    to: str
    at_s: int
    nonce: str
    body: bytes
    mac: str = ""


def key_of_pair(secret: bytes) -> bytes:
    """The key of two daemons, from what their tunnel keys have in common: no other member has it."""
    return hmac.digest(secret, _PURPOSE_OF_PAIR, "sha256")


def key_of_cluster(authkey: bytes) -> bytes:
    """The key that all daemons had in common, and everybody that was removed has still: for peers not yet upgraded."""
    return hmac.digest(authkey, _PURPOSE, "sha256")


def key_of_token(secret: bytes, token_id: str) -> bytes:
    """The key that a join token carries: good for that token's registration, worthless afterwards.

    ``secret`` is the seeder's alone, so that nobody makes it who has not seen the token.
    """
    return hmac.digest(secret, b"sfha join token " + token_id.encode(), "sha256")


def sign(key: bytes, request: Request) -> str:
    """The signature of a request."""
    parts = (request.method, request.path, request.sender, request.to, str(request.at_s), request.nonce)
    text = b"\n".join([_PURPOSE, *(part.encode() for part in parts), hashlib.sha256(request.body).hexdigest().encode()])
    return hmac.digest(key, text, "sha256").hex()


def sign_answer(key: bytes, nonce: str, status: int, body: bytes) -> str:
    """The signature of an answer to the request with this number."""
    text = b"\n".join(
        [_PURPOSE, b"answer", nonce.encode(), str(status).encode(), hashlib.sha256(body).hexdigest().encode()]
    )
    return hmac.digest(key, text, "sha256").hex()


def nonce_for(random: str, life: str) -> str:
    """A number used once, for this life of the receiver ("" where it is not known)."""
    return f"{random}{LIFE_MARK}{life}" if life else random


def same(mac: str, other: str) -> bool:
    """Compare signatures in a time that does not depend on where they differ."""
    return hmac.compare_digest(mac.encode(), other.encode())


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


@dataclass(slots=True)
class Door:
    """Lets requests in or not. ``keys_for`` gives the keys that a sender may sign with from an address: mostly one.

    ``life`` is random, for each start another. ``knows`` says whether an address is somebody's at all, and
    ``is_older`` whether a sender has yet to be upgraded to a version that knows of lives.
    """

    keys_for: Callable[[str, str], Sequence[bytes]]
    life: str
    knows: Callable[[str], bool] = field(default=lambda _address: True)
    is_older: Callable[[str], bool] = field(default=lambda _sender: False)
    _numbers: dict[str, float] = field(default_factory=dict)
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def caller(self, address: str) -> str:
        """Whose share of everything a connection from this address uses up."""
        return address if self.knows(address) else STRANGERS

    def may_knock(self, caller: str, now_s: float) -> bool:
        """Whether this caller has not called too often (``now_s`` is monotonic). Costs it one call."""
        bucket = self._buckets.get(caller)
        if bucket is None:
            if len(self._buckets) >= MAX_CALLERS:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[caller] = _Bucket(BURST, now_s)
        bucket.left = min(BURST, bucket.left + (now_s - bucket.at_s) * RATE_PER_S)
        bucket.at_s = now_s
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    def admit(self, request: Request, address: str, wall_s: float) -> bytes | None:
        """The key to sign the answer with when the request is genuine, fresh, of this life and new; None otherwise."""
        key = self._key_of_genuine(request, address, wall_s)
        if key is None or not self._is_of_this_life(request):
            return None
        return key if self._is_new(f"{request.sender} {request.nonce}", wall_s) else None

    def greet(self, request: Request, address: str, wall_s: float) -> bytes | None:
        """The key to sign this life with, for a genuine and fresh request that lacks no more than that."""
        return None if self._is_of_this_life(request) else self._key_of_genuine(request, address, wall_s)

    def _key_of_genuine(self, request: Request, address: str, wall_s: float) -> bytes | None:
        keys = self.keys_for(request.sender, address)
        key = next((key for key in keys if same(sign(key, request), request.mac)), None)
        return key if abs(wall_s - request.at_s) <= FRESH_FOR_S else None

    def _is_of_this_life(self, request: Request) -> bool:
        life = request.nonce.rpartition(LIFE_MARK)[2] if LIFE_MARK in request.nonce else ""
        return same(life, self.life) or (not life and self.is_older(request.sender))

    def _is_new(self, number: str, wall_s: float) -> bool:
        if number in self._numbers:
            return False
        if len(self._numbers) >= MAX_NUMBERS:
            self._numbers = {known: end_s for known, end_s in self._numbers.items() if end_s > wall_s}
            if len(self._numbers) >= MAX_NUMBERS:
                return False  # better deaf than letting an old request in again
        self._numbers[number] = wall_s + 2 * FRESH_FOR_S
        return True
