"""X25519 (RFC 7748): what two nodes know in common by their tunnel keys, and nobody else does.

Python's own library has none, and the package depends on nothing that does. It takes some milliseconds, once a peer.
"""

import base64

PRIME = 2**255 - 19
A24 = 121665
KEY_BYTES = 32
_LOW_BITS, _HIGH_BIT = ~7, 1 << 254


class WrongKey(Exception):
    """This is not a key of the tunnel."""


def key_from_text(text: str) -> bytes:
    """A key as WireGuard writes it. Raises WrongKey."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise WrongKey("not base64") from error
    if len(key) != KEY_BYTES:
        raise WrongKey(f"{len(key)} bytes instead of {KEY_BYTES}")
    return key


def shared_secret(private_key: bytes, public_key: bytes) -> bytes:
    """The same for both: one's private key with the other's public one. Raises WrongKey."""
    scalar = int.from_bytes(private_key, "little") & (_HIGH_BIT - 1) & _LOW_BITS | _HIGH_BIT
    secret = _ladder(scalar, int.from_bytes(public_key, "little") & (2**255 - 1))
    if not secret:
        raise WrongKey("the key of nobody: anyone would know what comes of it")
    return secret.to_bytes(KEY_BYTES, "little")


def _ladder(scalar: int, u: int) -> int:
    """The Montgomery ladder, in the letters of RFC 7748, section 5."""
    x1 = u % PRIME
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for place in range(254, -1, -1):
        bit = scalar >> place & 1
        if bit != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb = a * a % PRIME, b * b % PRIME
        da, cb = d * a % PRIME, c * b % PRIME
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % PRIME, x1 * (da - cb) ** 2 % PRIME
        x2, z2 = aa * bb % PRIME, e * (aa + A24 * e) % PRIME
    if swapped:
        x2, z2 = x3, z3
    return x2 * pow(z2, -1, PRIME) % PRIME if z2 else 0
