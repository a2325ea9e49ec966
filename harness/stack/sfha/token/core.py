"""The join token: ``sfha-join://`` and base64url JSON, versioned, signed, and good until it expires. Pure.

A token brings a key pair of its own for the tunnel, which the seeder lets in under the assigned address
until the node has registered with the key it made itself; and an authentication key that is good for
this one registration only. The cluster's own keys are handed over inside the tunnel, and to nobody but
the node that has registered: it proves that it has the private half of the tunnel key that it made. So a
token that lies around opens nothing: not on that node, whose other users may have read it, and nowhere
once the node is a member or the token's time is over.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from ipaddress import IPv4Address, IPv4Network

from ...kit.messages import Message, message

PREFIX = "sfha-join://"
REPLY_PREFIX = "sfha-reply://"
VERSION = 2
DEFAULT_TTL_S = 3600
MAX_TTL_S = 30 * 24 * 3600
MAX_TOKEN_CHARACTERS = 16_384
MAC_FIELD = "mac"


_REGISTRATION = b"sfha registration "


class TokenError(Exception):
    """The token cannot be used; the message says why and what to do."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class TokenPeer:
    """A node that the cluster has at the time of the token."""

    name: str
    public_key: str
    endpoint: str
    address: str


@dataclass(frozen=True, slots=True)
class Token:
    """Everything in a join token. Times are wall-clock seconds; keys are base64 as WireGuard has them."""

    token_id: str
    cluster: str
    seeder: str
    endpoint: str
    public_key: str
    auth_key: str
    introduction_key: str
    mesh_network: str
    mesh_ip: str
    corosync_port: int
    assigned_ip: str
    used_ips: tuple[str, ...]
    peers: tuple[TokenPeer, ...]
    issued_at_s: int
    expires_at_s: int


def encode(token: Token) -> str:
    """The token as text."""
    value = {"version": VERSION, **asdict(token)}
    value[MAC_FIELD] = _mac(token.auth_key, value)
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    return PREFIX + base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode(text: str, now_s: float) -> Token:
    """The token of a text. Raises TokenError when it is not one, was changed, or has expired at ``now_s``."""
    value = _read(text.strip())
    version = value.pop("version", None)
    if version != VERSION:
        raise TokenError(message("token.version", given=str(version), spoken=VERSION))
    mac = value.pop(MAC_FIELD, None)
    token = _token(value)
    if not isinstance(mac, str) or not hmac.compare_digest(
        mac.encode(), _mac(token.auth_key, {"version": VERSION, **asdict(token)}).encode()
    ):
        raise TokenError(message("token.tampered"))
    if now_s >= token.expires_at_s:
        ago_s = int(now_s - token.expires_at_s)
        raise TokenError(message("token.expired", seconds=ago_s, seeder=token.seeder))
    return token


def proof_of_key(secret: bytes, token_id: str) -> str:
    """What only the node that registered and its seeder can say; ``secret`` is what their keys have in common."""
    return hmac.digest(secret, _REGISTRATION + token_id.encode(), "sha256").hex()


def _read(text: str) -> dict[str, object]:
    if not text.startswith(PREFIX):
        raise TokenError(message("token.none", prefix=PREFIX))
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise TokenError(message("token.none", prefix=PREFIX))
    body = text.removeprefix(PREFIX)
    try:
        value = json.loads(base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise TokenError(message("token.damaged")) from error
    if not isinstance(value, dict):
        raise TokenError(message("token.damaged"))
    return value


def _token(value: dict[str, object]) -> Token:
    damaged = TokenError(message("token.damaged"))
    try:
        raw_peers, used = value.pop("peers"), value.pop("used_ips")
        if not isinstance(raw_peers, list) or not isinstance(used, list):
            raise damaged
        peers = tuple(TokenPeer(**{key: str(one[key]) for key in one}) for one in raw_peers)
        token = Token(**value, peers=peers, used_ips=tuple(map(str, used)))  # type: ignore[arg-type]
        network = IPv4Network(token.mesh_network)
        inside = all(IPv4Address(address) in network for address in (token.mesh_ip, token.assigned_ip))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged from error
    numbers = {"corosync_port", "issued_at_s", "expires_at_s"}
    texts = {field.name for field in fields(Token)} - numbers - {"peers", "used_ips"}
    if not all(isinstance(getattr(token, name), str) for name in texts):
        raise damaged
    if not all(type(getattr(token, name)) is int for name in numbers) or not inside:
        raise damaged
    return token


def _mac(auth_key: str, value: dict[str, object]) -> str:
    signed = {key: value[key] for key in value if key != MAC_FIELD}
    text = json.dumps(signed, separators=(",", ":"), sort_keys=True).encode()
    return hmac.digest(auth_key.encode(), text, "sha256").hex()


# --- reply tokens: the way without a tunnel to register through ----------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node that cannot register by itself has its administrator carry to the seeder."""

    token_id: str
    name: str
    public_key: str
    endpoint: str
    mesh_ip: str


def encode_reply(reply: Reply, auth_key: str) -> str:
    """The reply as text, signed with the token's key."""
    value: dict[str, object] = {**asdict(reply)}
    value[MAC_FIELD] = _mac(auth_key, value)
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    return REPLY_PREFIX + base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_reply(text: str) -> tuple[Reply, str]:
    """The reply of a text, and its signature, to be checked with ``reply_is_genuine``. Raises TokenError."""
    body = text.strip().removeprefix(REPLY_PREFIX)
    try:
        value = json.loads(base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True))
        mac = str(value.pop(MAC_FIELD))
        reply = Reply(**value)
        if not all(isinstance(getattr(reply, field.name), str) for field in fields(Reply)):
            raise TypeError("not texts")
    except (ValueError, binascii.Error, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise TokenError(message("token.damaged")) from error
    return reply, mac


def reply_is_genuine(reply: Reply, mac: str, auth_key: str) -> bool:
    """Whether the holder of the token with this key made the reply."""
    return hmac.compare_digest(mac.encode(), _mac(auth_key, {**asdict(reply)}).encode())


# --- addresses of the mesh -----------------------------------------------------------------------


def allocate(network: str, taken: Sequence[str], ever: Sequence[str] = (), wanted: str | None = None) -> str:
    """An address of the network that nobody has, preferably one that nobody ever had; or the one wanted.

    ``taken`` are those of members and of tokens that are still good. Raises TokenError.
    """
    subnet = IPv4Network(network)
    used = {IPv4Address(address) for address in taken}
    if wanted is not None:
        return _check_wanted(subnet, used, wanted)
    hosts = [address for address in subnet.hosts() if address not in used] if subnet.prefixlen >= 16 else None
    if hosts is None:  # a very large network is not listed, it is walked through
        hosts = []
        for address in subnet.hosts():
            if address not in used:
                hosts.append(address)
            if len(hosts) > len(ever):
                break
    if not hosts:
        raise TokenError(message("token.mesh-full", network=network))
    before = {IPv4Address(address) for address in ever}
    return str(next((address for address in hosts if address not in before), hosts[0]))


def _check_wanted(subnet: IPv4Network, used: set[IPv4Address], wanted: str) -> str:
    try:
        address = IPv4Address(wanted)
    except ValueError as error:
        raise TokenError(message("token.not-address", given=wanted, network=str(subnet))) from error
    if address not in subnet or address in (subnet.network_address, subnet.broadcast_address):
        raise TokenError(message("token.not-address", given=wanted, network=str(subnet)))
    if address in used:
        raise TokenError(message("token.address-taken", given=wanted))
    return wanted
