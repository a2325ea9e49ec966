"""Join tokens on the seeder: making them, letting their holders in, and knowing what became of them."""

import asyncio
import base64
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Interface
from pathlib import Path

from ...kit.messages import message
from ..membership.core import COROSYNC_PORT
from ..mesh import wireguard
from ..mesh.core import TunnelPeer
from ..p2p.core import key_of_token
from ..token.core import MAX_TTL_S, Token, TokenError, TokenPeer, allocate, encode
from .applied_roster import AppliedRoster
from .files import TOKENS_PATH, read_json, save_json
from .own_endpoint import guess_endpoint

KEPT_AFTER_EXPIRY_S = 24 * 3600
SENDER_PREFIX = "token:"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was made here, and how far its holder has come.

    ``state``: issued, pending, done or failed, and expired for one that came to nothing.
    """

    token_id: str
    introduction: str
    address: str
    expires_at_s: int
    state: str = "issued"
    name: str = ""
    public_key: str = ""
    error: str = ""


class JoinTokens:
    """The tokens of this node, on the disk, so that a daemon that starts again still lets their holders in."""

    def __init__(self, applied: AppliedRoster, secret: bytes, path: Path = TOKENS_PATH) -> None:
        """``secret`` is this node's own: what tokens carry is made from it, and no other member can make it."""
        self._applied, self._secret, self._path = applied, secret, path
        self._making, self._writing = asyncio.Lock(), asyncio.Lock()
        found = read_json(path)
        rows = found if isinstance(found, list) else []
        self._issued: dict[str, Issued] = {row["token_id"]: Issued(**row) for row in rows if isinstance(row, dict)}

    def named(self, token_id: str) -> Issued | None:
        """A token of this node, expired or not."""
        return self._issued.get(token_id)

    def key_for(self, sender: str, address: str) -> bytes | None:
        """The key of a token's holder that calls from the tunnel; None for tokens that are unknown, expired or used."""
        issued = self._issued.get(sender.removeprefix(SENDER_PREFIX))
        if issued is None or not sender.startswith(SENDER_PREFIX):
            return None
        if self.has_expired(issued) or self._is_used(issued):
            return None
        return key_of_token(self._secret, issued.token_id) if self._may_come_from(issued, address) else None

    @staticmethod
    def has_expired(issued: Issued) -> bool:
        """Whether its time is over, however far its holder has come."""
        return issued.state == "expired" or time.time() >= issued.expires_at_s

    def _is_used(self, issued: Issued) -> bool:
        """Whether its holder has what it came for: it votes, so its daemon is up. Before, it may ask again."""
        if issued.state != "done":
            return False
        member = self._applied.roster().named(issued.name)
        return member is None or member.voter or member.public_key != issued.public_key

    def key_of(self, issued: Issued) -> str:
        """The authentication key that the token carries, as text."""
        return base64.b64encode(key_of_token(self._secret, issued.token_id)).decode()

    def _may_come_from(self, issued: Issued, address: str) -> bool:
        member = self._applied.roster().named(issued.name) if issued.name else None
        return address in {issued.address, member.address if member else issued.address}

    def introductions(self) -> frozenset[str]:
        """The keys that may knock though they are no member's."""
        now_s = time.time()
        open_ = {
            one.introduction for one in self._issued.values() if one.state == "issued" and one.expires_at_s > now_s
        }
        pending = {one.public_key for one in self._issued.values() if one.state == "pending"}
        return frozenset(open_ | pending)

    def addresses(self) -> set[str]:
        """From where the holders of tokens may call."""
        return {one.address for one in self._issued.values() if not self.has_expired(one)}

    def reserved(self) -> list[str]:
        """The addresses of tokens that are still good."""
        now_s = time.time()
        return [one.address for one in self._issued.values() if one.state == "issued" and one.expires_at_s > now_s]

    async def make(
        self, ttl_s: int, wanted: str | None, endpoint: str | None, reserved_elsewhere: Iterable[str] = ()
    ) -> tuple[str, Issued]:
        """A new token as text, good for ``ttl_s``, for an address that no other node has promised to anybody.

        Raises TokenError, WireGuardError and OSError.
        """
        if not 1 <= ttl_s <= MAX_TTL_S:
            raise TokenError(message("token.ttl", most=MAX_TTL_S))
        async with self._making:  # the next one has to know which address this one takes
            return await self._make(ttl_s, wanted, endpoint, reserved_elsewhere)

    async def _make(
        self, ttl_s: int, wanted: str | None, endpoint: str | None, reserved_elsewhere: Iterable[str]
    ) -> tuple[str, Issued]:
        applied, roster = self._applied, self._applied.roster()
        mesh = applied.mesh
        network = str(IPv4Interface(f"{mesh.own.address}/{mesh.prefix}").network)
        now_s = int(time.time())
        vips = [vip.address for vip in applied.node.status().vips if ":" not in vip.address]
        used = [*(one.address for one in roster.members), *vips, *self.reserved(), *reserved_elsewhere]
        address = allocate(network, used, [one.address for one in self._issued.values()], wanted)
        private = await asyncio.to_thread(wireguard.new_private_key)
        introduction = await asyncio.to_thread(wireguard.public_key_of, private)
        guessed = await asyncio.to_thread(guess_endpoint, mesh.port) if not endpoint else ""
        issued = Issued(os.urandom(12).hex(), introduction, address, now_s + ttl_s)
        own = next(one for one in roster.members if one.node_id == mesh.own.node_id)
        token = Token(
            token_id=issued.token_id,
            cluster=applied.config.cluster,
            seeder=mesh.own.name,
            endpoint=endpoint or own.endpoint or guessed,
            public_key=own.public_key,
            auth_key=self.key_of(issued),
            introduction_key=private,
            mesh_network=network,
            mesh_ip=mesh.own.address,
            corosync_port=COROSYNC_PORT,
            assigned_ip=address,
            used_ips=tuple(one.address for one in roster.members),
            peers=tuple(
                TokenPeer(one.name, one.public_key, one.endpoint, one.address)
                for one in roster.members
                if one is not own
            ),
            issued_at_s=now_s,
            expires_at_s=issued.expires_at_s,
        )
        await applied.set_peer(TunnelPeer(introduction, "", address))
        await self._keep(issued)
        self.expire_later(issued)
        applied.log("token-made", token=issued.token_id, address=address, expires_in_s=ttl_s)
        return encode(token), issued

    async def reopen(self) -> None:
        """After a start of the daemon: let the holders of good tokens knock again, forget old ones."""
        now_s = time.time()
        self._issued = {key: one for key, one in self._issued.items() if one.expires_at_s + KEPT_AFTER_EXPIRY_S > now_s}
        taken = {one.address for one in self._applied.roster().members}
        for one in self._issued.values():
            if one.state != "issued" and not self.has_expired(one):
                self.expire_later(one)
            # Where another node promised the address as well, it may be a member's, and must stay with that one.
            if one.state == "issued" and one.expires_at_s > now_s and one.address not in taken:
                await self._applied.set_peer(TunnelPeer(one.introduction, "", one.address))
                self.expire_later(one)

    def expire_later(self, issued: Issued) -> None:
        """Have the door shut when the token's time is over."""
        delay_s = max(0.0, issued.expires_at_s - time.time())
        self._applied.tasks.start_later(delay_s, "token", lambda: self._expire(issued.token_id))

    async def _expire(self, token_id: str) -> None:
        issued = self._issued.get(token_id)
        if issued is None or issued.state not in ("issued", "failed"):
            return
        await self.advance(token_id, state="expired")  # for good, should the clock be set back
        if issued.state == "issued":
            await self._applied.remove_tunnel(issued.introduction)
            self._applied.log("token-expired", token=token_id)

    async def advance(self, token_id: str, **changes: str) -> Issued:
        """Note how far the holder has come."""
        issued = replace(self._issued[token_id], **changes)  # type: ignore[arg-type]
        await self._keep(issued)
        return issued

    async def _keep(self, issued: Issued) -> None:
        self._issued[issued.token_id] = issued
        async with self._writing:  # several holders may come at a time, and the newest state is written last
            await asyncio.to_thread(save_json, self._path, [asdict(one) for one in self._issued.values()])
