"""The peers of an interface as WireGuard tells of them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeenPeer:
    """A peer as WireGuard tells of it: the endpoint it would send to, whatever that was learnt from.

    ``handshake_at_s`` is on the wall clock (0: there was none).
    """

    public_key: str
    endpoint: str
    allowed: str
    handshake_at_s: int
    received_bytes: int
    keepalive_s: int


def parse_peers(dump: str) -> dict[str, SeenPeer]:
    """The peers of `wg show INTERFACE dump` (wg(8)) by public key."""
    seen: dict[str, SeenPeer] = {}
    for line in dump.splitlines()[1:]:  # the first line is the interface's own, with its private key
        fields = line.split("\t")
        if len(fields) < 8 or not (fields[4].isdigit() and fields[5].isdigit()):
            continue
        key, _, endpoint, allowed, handshake, received, _, keepalive = fields[:8]
        endpoint, allowed = ("" if text == "(none)" else text for text in (endpoint, allowed))
        every_s = int(keepalive) if keepalive.isdigit() else 0
        seen[key] = SeenPeer(key, endpoint, allowed, int(handshake), int(received), every_s)
    return seen
