"""What the roster means on this node: lease votes, heartbeats, tunnel, files, Corosync."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ...kit.tasks import Tasks
from ..config.load import Config, Mesh
from ..datagrams.link import DatagramLink
from ..membership import corosync
from ..mesh import wireguard
from ..mesh.address_book import EndpointBook, with_addresses
from ..mesh.core import TunnelPeer, change_of
from ..mesh.reach import knock
from ..node.node import Node
from ..roster.core import Acceptor, Ballot, Member, Roster
from ..roster.store import state_of, store
from .files import corosync_conf, mesh_with, save_mesh, tunnel_peers

GOODBYE_WITHIN_S = 20.0
"""It stops its Corosync before, which takes seconds where that hangs."""
Log = Callable[..., None]


async def _nothing_to_give_up() -> None:
    """Nobody repairs the tunnel."""


def _nothing_to_see_to() -> None:
    """Nobody sees to it that Corosync reads its file."""


class AppliedRoster:
    """Brings this node in line with a roster. Slow things run in threads: a lease cannot wait for a disk."""

    def __init__(
        self,
        config: Config,
        mesh: Mesh,
        acceptor: Acceptor,
        *,
        node: Node,
        link: DatagramLink,
        log: Log,
        book: EndpointBook | None = None,
    ) -> None:
        self.book = book or EndpointBook()
        self.config, self.mesh, self.acceptor = config, mesh, acceptor
        self.node, self.log, self.tasks = node, log, Tasks(log)
        self._link = link
        self._one_at_a_time = asyncio.Lock()
        self.give_up_tunnel: Callable[[], Awaitable[None]] = _nothing_to_give_up
        """To be called before this node takes its tunnel down for good: the daemon repairs it else."""
        self.corosync_written: Callable[[], None] = _nothing_to_see_to
        """Called when corosync.conf is another one, which the running Corosync is to read."""
        self._public_keys: dict[str, str] = {}
        """Of everybody who is a member, or was one since this daemon started."""
        self._leavers: dict[str, tuple[Member, float]] = {}
        self.has_newcomers = asyncio.Event()
        self._look_for_newcomers()

    def roster(self) -> Roster:
        """The present roster, with this node's own key and endpoint in it."""
        return self.acceptor.current

    def addresses(self) -> dict[str, str]:
        """The peers: name to mesh address."""
        return {peer.name: peer.address for peer in self.mesh.peers}

    def public_key(self, name: str) -> str:
        """The tunnel key of a peer, or of one that was a peer; the empty string for nobody's."""
        peer = next((peer for peer in self.mesh.peers if peer.name == name), None)
        return peer.public_key if peer is not None else self._public_keys.get(name, "")

    def remember(self, name: str, public_key: str) -> None:
        """This is the key of one that was a member, maybe before this daemon started."""
        self._public_keys.setdefault(name, public_key)

    def leaver(self, name: str) -> Member | None:
        """Who has left by itself, a moment ago, and may say goodbye. Who was removed is not asked for its word."""
        member, until_s = self._leavers.get(name, (None, 0.0))
        return member if time.monotonic() < until_s else None

    def leavers(self) -> list[Member]:
        """All of them."""
        return [member for name in self._leavers if (member := self.leaver(name)) is not None]

    async def stored(self) -> None:
        """Vote as the acceptor says, and have its state on the disk before anything is answered (C2, C3)."""
        voting = self.acceptor.voting()
        self.node.voting_changed(voting.view, voting.groups, voting.floor)
        async with self._one_at_a_time:
            await asyncio.to_thread(store, state_of(self.acceptor))

    async def learn(self, roster: Roster, decided_in: Ballot | None = None) -> bool:
        """Take a decided roster: votes, names, heartbeats and mesh.json; not yet tunnel and Corosync. True when new."""
        before = self.acceptor.current
        if not self.acceptor.learn(roster, decided_in):
            return False
        leaver = before.named(roster.leaver) if roster.leaver else None
        if leaver is not None:
            self._leavers[leaver.name] = leaver, time.monotonic() + GOODBYE_WITHIN_S
        self._public_keys |= {one.name: one.public_key for one in before.members}
        self._look_for_newcomers()
        self.mesh = mesh_with(self.mesh, roster)
        self._link.set_peers(self.mesh.peers)
        self.node.roster_changed({one.node_id: one.name for one in roster.members})
        await self.stored()
        async with self._one_at_a_time:
            await asyncio.to_thread(save_mesh, self.mesh)
        endpoints = {one.name: one.endpoint for one in before.members}
        moved = [one.name for one in roster.members if endpoints.get(one.name, one.endpoint) != one.endpoint]
        if moved:
            await self.reach_anew(moved)
        self.log("roster-changed", epoch=roster.epoch, cause=roster.cause, nodes=[one.name for one in roster.members])
        return True

    def _look_for_newcomers(self) -> None:
        if self.acceptor.current.newcomers():
            self.has_newcomers.set()
        else:
            self.has_newcomers.clear()

    def advertise(self) -> None:
        """Let the others hear in the heartbeats that there is a newer roster: whoever missed it asks for it.

        Not before everybody was told in the order in which things have to happen.
        """
        self.node.epoch = self.acceptor.current.epoch

    async def add_tunnels(self) -> None:
        """Have every peer of the roster in the tunnel."""
        await asyncio.to_thread(self._tell_tunnel, tunnel_peers(self.mesh))

    def _tell_tunnel(self, peers: list[TunnelPeer]) -> None:
        """Tell WireGuard what it does not know yet. Names are looked up before, and cost their own peer only."""
        seen = wireguard.peers(self.mesh.interface)
        self.book.refresh(peer.endpoint for peer in peers)
        for peer in with_addresses(peers, self.book):
            change = change_of(peer, seen.get(peer.public_key))
            if change is not None:
                wireguard.set_peer(self.mesh.interface, change)

    async def seen_endpoint(self, public_key: str) -> str:
        """From where a peer was last heard; the empty string where it was not. Raises WireGuardError."""
        seen = (await asyncio.to_thread(wireguard.peers, self.mesh.interface)).get(public_key)
        return seen.endpoint if seen is not None and seen.handshake_at_s else ""

    async def reach_anew(self, names: list[str]) -> None:
        """Shake hands with these members where they are said to be; who is heard is reached already."""
        given = await asyncio.to_thread(self.book.given)
        peers = [
            TunnelPeer(one.public_key, given.get(one.name, one.endpoint), one.address)
            for one in self.mesh.peers
            if one.name in names and not self._is_heard(one.node_id)
        ]
        try:
            await asyncio.to_thread(self._shake_hands, peers)
        except wireguard.WireGuardError as error:
            self.log("warning", what="tunnel", message=str(error))

    def _is_heard(self, node_id: int) -> bool:
        heard_s_ago = self.node.heard_s_ago(node_id)
        return heard_s_ago is not None and heard_s_ago < self.config.profile.suspect_after_s

    def _shake_hands(self, peers: list[TunnelPeer]) -> None:
        self.book.refresh(peer.endpoint for peer in peers)
        found = [peer for peer in with_addresses(peers, self.book) if peer.endpoint]
        if found:
            wireguard.set_anew(self.mesh.interface, found)
            knock(peer.address for peer in found)

    async def remove_tunnel(self, public_key: str) -> None:
        """Take a peer out of the tunnel."""
        await asyncio.to_thread(wireguard.remove_peer, self.mesh.interface, public_key)

    async def remove_strangers(self, also_known: frozenset[str]) -> None:
        """Take peers out of the tunnel that are neither in the roster nor ``also_known``."""
        known = {peer.public_key for peer in self.mesh.peers} | also_known
        for key in await asyncio.to_thread(wireguard.peer_keys, self.mesh.interface) - known:
            await self.remove_tunnel(key)

    async def set_peer(self, peer: TunnelPeer) -> None:
        """Let a key into the tunnel, under an address or (without one) for handshakes only."""
        await asyncio.to_thread(self._tell_tunnel, [peer])

    async def write_corosync(self) -> bool:
        """Write this node's corosync.conf as the roster says; True when it differs from what was there."""
        async with self._one_at_a_time:
            is_news = await asyncio.to_thread(corosync.write_conf, corosync_conf(self.config, self.mesh))
        if is_news:
            self.corosync_written()
        return is_news

    async def reload_corosync(self) -> None:
        """Have the running Corosyncs read their files; nothing where none runs. Raises CorosyncError."""
        if await asyncio.to_thread(corosync.running):
            await asyncio.to_thread(corosync.reload)
            self.log("corosync-reloaded", nodes=[one.name for one in self.mesh.nodes()])

    async def follow(self) -> None:
        """Bring tunnel and Corosync in line with the roster (a node that had missed changes)."""
        await self.add_tunnels()
        if await self.write_corosync():
            await self.reload_corosync()
        self.advertise()
