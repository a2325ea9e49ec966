"""The seeder's side of a join: who knocks with a good token registers its own key, and becomes a member."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Interface

from ...kit.messages import Message, from_json, message
from ..config.load import CONFIG_PATH
from ..config.names import fault_of_node_name
from ..config.own_process import read_apart
from ..datagrams.core.curve import WrongKey, key_from_text, shared_secret
from ..membership.corosync import CorosyncError
from ..mesh import wireguard
from ..mesh.core import TunnelPeer
from ..roster.core import Member, Roster, RosterError, roster_to_json
from ..roster.store import StoreError
from ..token.core import Reply, TokenError, allocate, proof_of_key, read_reply, reply_is_genuine
from .applied_roster import AppliedRoster
from .files import shared_part
from .join_tokens import SENDER_PREFIX, Issued, JoinTokens
from .own_endpoint import is_endpoint
from .roster_changes import Body, RosterChanges

KEY_BYTES = 32
KNOCK_TIMEOUT_S = 20.0
KNOCK_LOOK_EVERY_S = 0.02
TOLD_WITHIN_S = 5.0
"""A joining node asks many times a second how far it is."""
TOKEN_PATHS = frozenset({"/ping", "/register", "/registration"})


class RegistrationRefused(Exception):
    """The node cannot become a member like this; the message says why."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


class Registrations:
    """Takes registrations, one join at a time through Changes, and tells the joiner when it is a member."""

    def __init__(self, applied: AppliedRoster, changes: RosterChanges, tokens: JoinTokens, authkey: bytes) -> None:
        self._applied, self._changes, self._tokens, self._authkey = applied, changes, tokens, authkey
        self._admitting: dict[str, asyncio.Task[None]] = {}
        self._in_turn = asyncio.Lock()
        self._proofs: dict[str, str] = {}

    def routes(self) -> dict[tuple[str, str], Callable[[str, Body], Awaitable[tuple[int, Body]]]]:
        """What the holder of a token may ask."""
        return {("POST", "/register"): self._register, ("POST", "/registration"): self._registration}

    async def _register(self, sender: str, body: Body) -> tuple[int, Body]:
        issued = self._tokens.named(sender.removeprefix(SENDER_PREFIX))
        if issued is None or body.get("action") != "register":
            return 400, {"error": message("join.not-register").to_json()}
        texts = {key: body[key] for key in ("name", "pubkey", "endpoint", "meshIp")}
        if not all(isinstance(value, str) for value in texts.values()):
            raise ValueError("texts wanted")
        reply = Reply(issued.token_id, *(str(texts[key]) for key in ("name", "pubkey", "endpoint", "meshIp")))
        try:
            address = await self._begin(issued, reply)
        except (RegistrationRefused, TokenError) as error:
            self._applied.log("registration-refused", token=issued.token_id, name=reply.name, error=str(error))
            return 409, {"error": error.why.to_json()}
        return 202, {"meshIp": address, "cluster": self._applied.config.cluster}

    async def by_hand(self, text: str) -> str:
        """Register from a reply token that somebody carried here; returns the node's name.

        Raises TokenError and RegistrationRefused.
        """
        reply, mac = read_reply(text)
        issued = self._tokens.named(reply.token_id)
        if issued is None or not reply_is_genuine(reply, mac, self._tokens.key_of(issued)):
            raise TokenError(message("token.foreign-reply"))
        await self._begin(issued, reply)
        return reply.name

    async def _begin(self, issued: Issued, reply: Reply) -> str:
        """Check the registration and have it carried out; returns the address that the node gets."""
        self._check(reply)
        if self._tokens.has_expired(issued):
            late_s = max(0, int(time.time() - issued.expires_at_s))
            raise RegistrationRefused(message("token.expired", seconds=late_s, seeder=self._applied.mesh.own.name))
        if issued.state != "issued" and issued.public_key != reply.public_key:
            raise RegistrationRefused(message("join.token-used", name=issued.name))
        known = self._applied.roster().named(reply.name)
        if known is not None and known.public_key != reply.public_key:
            online = known.node_id in self._applied.node.status().members
            key = "roster.name-taken" if online else "roster.name-taken-offline"
            raise RegistrationRefused(message(key, name=reply.name))
        address = known.address if known is not None else self._address(issued, reply.mesh_ip)
        # Now, while its words still come through: nodes that do not reach each other may promise one address twice.
        self._refuse_taken(reply, address)
        running = self._admitting.get(issued.token_id)
        if issued.state != "done" and (running is None or running.done()):
            await self._tokens.advance(
                issued.token_id, state="pending", name=reply.name, public_key=reply.public_key, error=""
            )
            # Handshakes only, until the node has taken its own key: the address still is the introduction's.
            await self._applied.set_peer(TunnelPeer(reply.public_key, reply.endpoint, ""))
            self._applied.log("registration-received", name=reply.name, address=address, endpoint=reply.endpoint)
            self._admitting[issued.token_id] = self._applied.tasks.start("join", self._admit(issued, reply, address))
        return address

    def _check(self, reply: Reply) -> None:
        why = fault_of_node_name(reply.name)
        if why is not None:
            raise RegistrationRefused(why)
        try:
            key = base64.b64decode(reply.public_key, validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES or not is_endpoint(reply.endpoint):
            raise RegistrationRefused(message("join.bad-endpoint", endpoint=reply.endpoint))
        if not self._applied.node.status().quorate:
            raise RegistrationRefused(message("join.seeder-without-quorum", name=self._applied.mesh.own.name))

    def _address(self, issued: Issued, wanted: str) -> str:
        if wanted == issued.address:
            return wanted
        vips = [vip.address for vip in self._applied.node.status().vips if ":" not in vip.address]
        taken = [*(one.address for one in self._applied.roster().members), *vips]
        own = self._applied.mesh.own.address
        network = f"{own}/{self._applied.mesh.prefix}"
        return allocate(str(IPv4Interface(network).network), taken, wanted=wanted)

    async def _admit(self, issued: Issued, reply: Reply, address: str) -> None:
        """Steps 5 to 8: tunnel, membership, everybody else, and the word that it is done."""
        try:
            await self._wait_for_knock(reply)
            async with self._in_turn:  # who joins next gets its turn when this one is through
                self._refuse_taken(reply, address)  # before the tunnel gives the address to another key
                await self._applied.set_peer(TunnelPeer(reply.public_key, reply.endpoint, address))
                await self._applied.remove_tunnel(issued.introduction)
                self._step(5, "tunnel", reply)
                await self._make_member(reply, address)
            await self._tokens.advance(issued.token_id, state="done")
            self._step(8, "acknowledge", reply)
            self._applied.log("node-joined", name=reply.name, address=address)
        except (RosterError, RegistrationRefused) as error:
            await self._give_up(issued, reply, error.why)
        except (wireguard.WireGuardError, CorosyncError, StoreError, OSError) as error:
            await self._give_up(issued, reply, message("join.seeder-failed", error=str(error)))

    async def _wait_for_knock(self, reply: Reply) -> None:
        deadline_s = asyncio.get_running_loop().time() + KNOCK_TIMEOUT_S
        while not (await asyncio.to_thread(wireguard.handshakes, self._applied.mesh.interface)).get(reply.public_key):
            if asyncio.get_running_loop().time() > deadline_s:
                raise RegistrationRefused(message("join.no-knock", name=reply.name, seconds=KNOCK_TIMEOUT_S))
            await asyncio.sleep(KNOCK_LOOK_EVERY_S)

    async def _make_member(self, reply: Reply, address: str) -> None:
        def make(base: Roster) -> Roster:
            known = base.named(reply.name)
            if known is not None and known.public_key == reply.public_key:
                return base
            member = Member(base.highest_id + 1, reply.name, address, 1, reply.public_key, reply.endpoint)
            return base.with_member(member)

        await self._changes.change(make)
        await self._applied.add_tunnels()
        # Every node's file first, then one reload, which makes every node read its own.
        await self._applied.write_corosync()
        self._step(6, "corosync", reply)
        answers = await self._changes.spread(reload=False)
        for name, answer in answers.items():
            if answer.error is not None and name != reply.name:
                self._applied.log(
                    "warning", what="join", message=f"{name} was not told of {reply.name}: {answer.error}"
                )
        self._step(7, "broadcast", reply)
        await self._applied.reload_corosync()
        self._applied.advertise()

    def _refuse_taken(self, reply: Reply, address: str) -> None:
        for one in self._applied.roster().members:
            if one.address == address and one.name != reply.name:
                raise RegistrationRefused(message("roster.address-taken", address=address, name=one.name))

    def _step(self, number: int, step: str, reply: Reply) -> None:
        """The numbers are those that the joining node shows."""
        self._applied.log("join-step", name=reply.name, number=number, step=step)

    async def _give_up(self, issued: Issued, reply: Reply, why: Message) -> None:
        self._applied.log("join-failed", name=reply.name, error=str(why))
        await self._tokens.advance(issued.token_id, state="failed", error=json.dumps(why.to_json()))
        self._applied.tasks.start("join", self._shut_out(issued, reply))

    async def _shut_out(self, issued: Issued, reply: Reply) -> None:
        """Take a node that did not become a member out of the tunnel, when it has had time to hear why."""
        try:
            await self._applied.add_tunnels()  # a member's address is that member's, at once
            await asyncio.sleep(TOLD_WITHIN_S)
            now = self._tokens.named(issued.token_id)
            failed = now is None or now.state in ("failed", "expired")
            comes_again = reply.public_key in self._tokens.introductions()  # a node keeps its key for another token
            if failed and not comes_again and self._applied.roster().named(reply.name) is None:
                await self._applied.remove_tunnel(reply.public_key)
        except wireguard.WireGuardError as error:
            self._applied.log("warning", what="join", message=str(error))

    def _proves_its_key(self, issued: Issued, body: Body) -> bool:
        """Whether whoever asks is the node that registered, not another that has seen the token: its users, for one."""
        if issued.token_id not in self._proofs:
            keys = key_from_text(self._applied.mesh.private_key), key_from_text(issued.public_key)
            self._proofs[issued.token_id] = proof_of_key(shared_secret(*keys), issued.token_id)
        return hmac.compare_digest(str(body.get("proof")).encode(), self._proofs[issued.token_id].encode())

    async def _registration(self, sender: str, body: Body) -> tuple[int, Body]:
        """How far it is; when it is done, everything that a member needs to have."""
        issued = self._tokens.named(sender.removeprefix(SENDER_PREFIX))
        if issued is None:
            return 400, {"error": message("join.not-register").to_json()}
        if issued.state == "issued":
            return 200, {"state": issued.state}
        try:
            proven = self._proves_its_key(issued, body)
        except WrongKey:
            proven = False
        if not proven:
            return 400, {"error": message("join.not-register").to_json()}
        if issued.state == "failed":
            return 200, {"state": "failed", "error": from_json(json.loads(issued.error)).to_json()}  # type: ignore[union-attr]
        if issued.state != "done":
            return 200, {"state": issued.state}
        roster = self._applied.roster()
        return 200, {
            "state": "done",
            "seen_endpoint": await self._applied.seen_endpoint(issued.public_key),
            "roster": roster_to_json(roster),
            "shared": await asyncio.to_thread(_shared),
            "authkey": base64.b64encode(self._authkey).decode(),
            "prefix": self._applied.mesh.prefix,
            "mtu": self._applied.mesh.mtu,
        }


def _shared() -> Body:
    text = CONFIG_PATH.read_text(encoding="utf-8")
    return read_apart(len(text), shared_part, text)
