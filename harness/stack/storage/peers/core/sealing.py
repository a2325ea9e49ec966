"""Messages between hosts that have one key: nobody else can make one, and none can be played again.

Each side gives a nonce, and what it says is sealed (HMAC with SHA-256, RFC 2104) together with both, with both names
and with which side says it. What is said can be read on the way: it is not encrypted.
"""

import hashlib
import hmac
import json
from typing import Any, Literal

from .report import BadReport

NONCE_BYTES = 16
KEY_BYTES = 32
MOST_BYTES = 1 << 20
"""Of one message."""
Side = Literal["asks", "answers"]


def seal(key: bytes, side: Side, names: tuple[str, str], nonces: tuple[bytes, bytes], body: bytes) -> str:
    """``names`` are of sender and receiver, ``nonces`` of who asks and of who answers."""
    parts = [b"mfs-autonomy peers 1", side.encode(), *(name.encode() for name in names), *nonces, body]
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, joined, hashlib.sha256).hexdigest()


def written(key: bytes, side: Side, names: tuple[str, str], nonces: tuple[bytes, bytes], body: bytes) -> bytes:
    """The whole message."""
    sealed = seal(key, side, names, nonces, body)
    nonce = nonces[0] if side == "asks" else nonces[1]
    document = {"from": names[0], "to": names[1], "nonce": nonce.hex(), "body": body.decode(), "seal": sealed}
    return json.dumps(document, separators=(",", ":")).encode()


def opened(
    key: bytes, side: Side, receiver: str, content: bytes, *, given: bytes, known_nonce: bytes | None = None
) -> tuple[str, bytes, Any]:
    """Who says it, his nonce, and what he says, read only once the seal is right. Raises BadReport.

    ``given`` is the nonce of ours that it answers to; ``known_nonce`` the other's, where he gave it before.
    """
    document = _json(content)
    words = [
        document.get(name) if isinstance(document, dict) else None for name in ("from", "to", "nonce", "body", "seal")
    ]
    if not all(isinstance(word, str) for word in words):
        raise BadReport("not a message of ours")
    sender, to, nonce_hex, body, sealed = map(str, words)
    try:
        nonce, raw = bytes.fromhex(nonce_hex), body.encode()
        names = (sender.encode().decode(), to.encode().decode())  # half of a surrogate is no text
    except ValueError:
        raise BadReport("not a message of ours") from None
    if nonce.hex() != nonce_hex:
        raise BadReport("not a message of ours")
    if known_nonce is not None and nonce != known_nonce:
        raise BadReport("its nonce is another one")
    nonces = (nonce, given) if side == "asks" else (given, nonce)
    if not hmac.compare_digest(sealed.encode(errors="replace"), seal(key, side, names, nonces, raw).encode()):
        raise BadReport("the seal is not right: another key, or a message that was played again")
    if to != receiver:
        raise BadReport(f"it is for {to}")
    return sender, nonce, _json(raw)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise BadReport("not a message of ours") from None
