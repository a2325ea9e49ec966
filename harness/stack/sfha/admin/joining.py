"""`sfha join`: the eight steps by which a node becomes a member.

Steps 5 to 7 are the seeder's (see registration.py). The node's key is made once and kept until it is a member, so
that a join that was interrupted anywhere is taken up again by the same command.
"""

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network

from ...kit.messages import Message, from_json, message
from ..config.load import MESH_PATH, Mesh, MeshNode, load_mesh
from ..datagrams.core.curve import key_from_text, shared_secret
from ..membership import corosync
from ..mesh import wireguard
from ..mesh.address_book import EndpointBook, with_addresses
from ..mesh.core import TunnelPeer, change_of, render_setconf
from ..p2p.client import Answer, Caller, OneKey
from ..roster.core import Acceptor, Roster, roster_from_json
from ..roster.store import state_of, store
from ..token.core import Reply, Token, encode_reply, proof_of_key
from .files import (
    JOINING_PATH,
    WRITTEN,
    corosync_conf,
    forget_earlier_life,
    mesh_with,
    read_json,
    save_authkey,
    save_json,
    save_mesh,
    tunnel_peers,
)
from .founding import (
    INTERFACE,
    FoundingFailed,
    adopt_config,
    own_name,
    refuse_endpoint,
    refuse_members,
    refuse_other_corosync,
    refuse_port,
    refuse_shared_network,
    stop_lone_corosync,
)
from .join_tokens import SENDER_PREFIX
from .own_endpoint import guess_endpoint, refuse_unreachable, unresolved
from .undo import Undo

MTU = 1420
CONNECT_WITHIN_S, ADMITTED_WITHIN_S, BY_HAND_WITHIN_S = 6.0, 45.0, 900.0
TRY_TIMEOUT_S, TRY_EVERY_S = 0.4, 0.05
NAMES_WITHIN_S = 10.0
SILENT_FOR_S = 25.0
"""A seeder that was there and answers nothing for so long is gone. While others join by way of it, the tunnel does not
know the node's own key yet."""

Said = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Joiner:
    """What a join is carried out with."""

    token: Token
    name: str
    endpoint: str
    wanted_ip: str
    port: int
    private_key: str
    public_key: str
    said: Said
    by_hand: bool = False

    @property
    def proof(self) -> str:
        """That it is this node which asks, and not another that has seen its token."""
        keys = key_from_text(self.private_key), key_from_text(self.token.public_key)
        return proof_of_key(shared_secret(*keys), self.token.token_id)

    @property
    def reply(self) -> str:
        """The reply token, for the way by hand."""
        reply = Reply(self.token.token_id, self.name, self.public_key, self.endpoint, self.wanted_ip)
        return encode_reply(reply, self.token.auth_key)


def prepare(
    token: Token,
    *,
    endpoint: str | None,
    ip: str | None,
    port: int,
    said: Said,
    by_hand: bool = False,
    name: str | None = None,
) -> Joiner:
    """Check what was asked for, and have a key; what can be known now is refused now, and leaves nothing behind.

    Raises FoundingFailed, ConfigError, EndpointUnknown, WireGuardError and OSError.
    """
    refuse_members()
    refuse_other_corosync()
    name = own_name(name)
    refuse_shared_network(IPv4Network(token.mesh_network), "join.shared-network")
    seeder_host = token.endpoint.rpartition(":")[0]
    endpoint = endpoint or guess_endpoint(port, seeder_host)
    refuse_endpoint(endpoint)
    wireguard.take_down(INTERFACE)  # without a mesh.json nobody uses it: an interrupted join left it
    refuse_port(port)
    refuse_unreachable(token.endpoint, token.seeder)
    match read_json(JOINING_PATH):
        case {"private_key": str(private)}:
            pass
        case _:
            private = wireguard.new_private_key()
    public = wireguard.public_key_of(private)
    return Joiner(token, name, endpoint, ip or token.assigned_ip, port, private, public, said, by_hand)


def join(joiner: Joiner, undo: Undo) -> Mesh:
    """Become a member; afterwards the daemon can be started.

    When it fails, nothing stays but the node's key, and that only where the seeder has heard of it.
    Raises FoundingFailed, ConfigError, EndpointUnknown, WireGuardError, CorosyncError and OSError.
    """
    prefix = IPv4Network(joiner.token.mesh_network).prefixlen
    undo.keep(*WRITTEN)
    undo.tunnel(INTERFACE)
    answer, address = asyncio.run(_register(joiner, prefix))
    mesh = _settle(joiner, answer, address, prefix)
    undo.settled = True
    return mesh


def not_started() -> Mesh | None:
    """The mesh of a node that became a member, but whose daemon could not be started then."""
    match read_json(JOINING_PATH):
        case {"settled": True} if MESH_PATH.exists():
            return load_mesh()
    return None


def started() -> None:
    """The join is over."""
    JOINING_PATH.unlink(missing_ok=True)


async def _register(joiner: Joiner, prefix: int) -> tuple[dict[str, object], str]:
    token, said = joiner.token, joiner.said
    caller = Caller(SENDER_PREFIX + token.token_id, OneKey(base64.b64decode(token.auth_key)))
    key = joiner.private_key if joiner.by_hand else token.introduction_key
    first_ip = joiner.wanted_ip if joiner.by_hand else token.assigned_ip
    _tunnel_up(joiner, key, f"{first_ip}/{prefix}")
    said("join.step.tunnel", peers=1 + len(token.peers))
    if joiner.by_hand:
        _remember_key(joiner)
        said("join.by-hand", reply=joiner.reply, seeder=token.seeder)
        return await _await_admission(joiner, caller, BY_HAND_WITHIN_S, BY_HAND_WITHIN_S), first_ip
    address = joiner.wanted_ip
    # A join that was interrupted after step 4 goes on where it was: the seeder knows the node's own key by now.
    if not await _reach(caller, joiner, CONNECT_WITHIN_S):
        wireguard.set_private_key(INTERFACE, joiner.private_key)
        wireguard.set_address(INTERFACE, f"{joiner.wanted_ip}/{prefix}")
        if not await _reach(caller, joiner, CONNECT_WITHIN_S):
            raise FoundingFailed(message("join.unreachable", endpoint=token.endpoint, seeder=token.seeder))
    said("join.step.connected", seeder=token.seeder)
    body = {
        "action": "register",
        "name": joiner.name,
        "pubkey": joiner.public_key,
        "endpoint": joiner.endpoint,
        "meshIp": joiner.wanted_ip,
    }
    _remember_key(joiner)
    answer = await caller.call(token.seeder, token.mesh_ip, "/register", body)
    if not answer.ok:
        raise FoundingFailed(message("join.refused", seeder=token.seeder, why=_why(answer)))
    address = str(answer.body["meshIp"])
    said("join.step.registered", address=address)
    wireguard.set_private_key(INTERFACE, joiner.private_key)
    wireguard.set_address(INTERFACE, f"{address}/{prefix}")
    return await _await_admission(joiner, caller, ADMITTED_WITHIN_S, SILENT_FOR_S), address


def _remember_key(joiner: Joiner) -> None:
    """From now on the seeder may know the key, and takes this node for the same one only with it."""
    save_json(JOINING_PATH, {"private_key": joiner.private_key})


def _tunnel_up(joiner: Joiner, private_key: str, address: str) -> None:
    token = joiner.token
    peers = [TunnelPeer(token.public_key, token.endpoint, token.mesh_ip)]
    peers += [TunnelPeer(peer.public_key, peer.endpoint, peer.address) for peer in token.peers]
    book = EndpointBook()
    book.refresh((peer.endpoint for peer in peers), NAMES_WITHIN_S)
    if not book.known(token.endpoint):
        raise unresolved(token.endpoint, book.why_not(token.endpoint), token.seeder)
    wireguard.take_down(INTERFACE)
    setconf = render_setconf(private_key, joiner.port, with_addresses(peers, book))
    wireguard.bring_up(INTERFACE, address, MTU, setconf)


async def _reach(caller: Caller, joiner: Joiner, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while True:
        answer = await caller.call(joiner.token.seeder, joiner.token.mesh_ip, "/ping", timeout_s=TRY_TIMEOUT_S)
        if answer.ok:
            return True
        if time.monotonic() > deadline_s:
            return False
        await asyncio.sleep(TRY_EVERY_S)


async def _await_admission(joiner: Joiner, caller: Caller, within_s: float, silent_s: float) -> dict[str, object]:
    """Step 8: the seeder says that all of it is done, and hands over what a member has.

    Waits ``within_s`` at most, and no longer than ``silent_s`` for a seeder that does not answer.
    """
    token, proof, began_s = joiner.token, {"proof": joiner.proof}, time.monotonic()
    heard_s = began_s
    why: Message | str = "-"
    while time.monotonic() < min(began_s + within_s, heard_s + silent_s):
        last = await caller.call(token.seeder, token.mesh_ip, "/registration", proof, timeout_s=TRY_TIMEOUT_S)
        if last.ok:
            heard_s = time.monotonic()
        why = last.error or "-"
        state = last.body.get("state") if last.ok else None
        if state == "done":
            return last.body
        if state == "failed":
            refusal = from_json(last.body.get("error", ""))
            raise FoundingFailed(message("join.refused", seeder=token.seeder, why=refusal))
        await asyncio.sleep(TRY_EVERY_S)
    waited_s = round(time.monotonic() - began_s)
    where = {"seeder": token.seeder, "endpoint": joiner.endpoint}
    raise FoundingFailed(message("join.no-ack", seconds=waited_s, why=why, **where))


def _why(answer: Answer) -> Message | str:
    return answer.error or "-"


def _settle(joiner: Joiner, answer: dict[str, object], address: str, prefix: int) -> Mesh:
    """Write what a member has. mesh.json comes last: it is what makes the node one."""
    roster = roster_from_json(answer["roster"])
    member = roster.named(joiner.name)
    shared, authkey, mtu = answer["shared"], answer["authkey"], answer["mtu"]
    if member is None or not isinstance(shared, dict) or not isinstance(authkey, str) or not isinstance(mtu, int):
        raise FoundingFailed(message("join.odd-ack", seeder=joiner.token.seeder))
    stop_lone_corosync(joiner.said)
    forget_earlier_life()
    config = adopt_config(shared, joiner.name)
    mesh = _mesh(joiner, roster, prefix, mtu)
    corosync.write_conf(corosync_conf(config, mesh))
    save_authkey(base64.b64decode(authkey))
    store(state_of(Acceptor(roster)))
    seen, book, peers = wireguard.peers(INTERFACE), EndpointBook(), tunnel_peers(mesh)
    book.refresh((peer.endpoint for peer in peers), NAMES_WITHIN_S)
    for peer in with_addresses(peers, book):
        change = change_of(peer, seen.get(peer.public_key))
        if change is not None:
            wireguard.set_peer(INTERFACE, change)
    save_mesh(mesh)
    save_json(JOINING_PATH, {"settled": True})
    seen_at = str(answer.get("seen_endpoint", ""))  # a seeder of an earlier version does not say
    announced = EndpointBook().known(joiner.endpoint)
    if seen_at and announced and seen_at != announced:
        joiner.said("join.seen-elsewhere", seen=seen_at, announced=joiner.endpoint, seeder=joiner.token.seeder)
    joiner.said("join.step.member", name=joiner.name, nodes=", ".join(one.name for one in roster.members))
    return mesh


def _mesh(joiner: Joiner, roster: Roster, prefix: int, mtu: int) -> Mesh:
    member = roster.named(joiner.name)
    assert member is not None
    own = MeshNode(member.node_id, member.name, member.address, member.votes, endpoint=joiner.endpoint)
    return mesh_with(Mesh(joiner.private_key, own, prefix, (), INTERFACE, joiner.port, mtu), roster)
