"""The keys of requests between this node and the others: one for each pair, and for nobody else.

A key is made from what the two tunnel keys have in common. So a member cannot sign in another member's name, and from
the moment a roster lacks a node there is no key for it: whatever it kept, it is refused, by whichever way it comes.
"""

from collections.abc import Sequence

from ..config.load import MeshNode
from ..datagrams.link import DatagramLink
from ..datagrams.unsealed import Unsealed
from ..p2p.core import key_of_cluster, key_of_pair
from .applied_roster import AppliedRoster
from .join_tokens import SENDER_PREFIX, JoinTokens


class Keyring:
    """Which keys to ask with, and which to take; see p2p.client.Keys."""

    def __init__(
        self, applied: AppliedRoster, link: DatagramLink, tokens: JoinTokens, authkey: bytes, older: Unsealed
    ) -> None:
        """``older`` are peers that may still sign as all members did, with a key made from Corosync's."""
        self._applied, self._link, self._tokens, self._older = applied, link, tokens, older
        self._of_cluster = key_of_cluster(authkey)

    def of(self, to: str) -> Sequence[bytes]:
        """What to ask a node with. One that is not upgraded refuses the first key, and has done nothing then."""
        pair = self._pair(self._applied.public_key(to))
        return (*pair, self._of_cluster) if self._is_older(to) else pair

    def answered(self, to: str, key: bytes) -> None:
        """Who knows the pair's key is upgraded, and heard in no other way from now on."""
        peer = self._peer(to)
        if peer is not None and key != self._of_cluster and peer.node_id in self._older:
            self._older.heard_sealed(peer.node_id)

    def of_sender(self, sender: str, address: str) -> Sequence[bytes]:
        """What a sender may have signed with, who calls from this address."""
        if sender.startswith(SENDER_PREFIX):
            key = self._tokens.key_for(sender, address)
            return () if key is None else (key,)
        member = self._applied.roster().named(sender) or self._applied.leaver(sender)
        if member is None or member.address != address:
            return ()
        pair = self._pair(member.public_key)
        return (*pair, self._of_cluster) if self._is_older(sender) else pair

    def older(self) -> list[MeshNode]:
        """The peers that have yet to be upgraded."""
        return [peer for peer in self._applied.mesh.peers if peer.node_id in self._older]

    def _pair(self, public_key: str) -> tuple[bytes, ...]:
        secret = self._link.secret_with(public_key)
        return () if secret is None else (key_of_pair(secret),)

    def _is_older(self, name: str) -> bool:
        peer = self._peer(name)
        return peer is not None and peer.node_id in self._older

    def _peer(self, name: str) -> MeshNode | None:
        return next((peer for peer in self._applied.mesh.peers if peer.name == name), None)
