"""Care for the tunnel while the daemon runs: its interface, which others may break, and the handshakes of silent peers.

Here node and mesh meet.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...kit.ports import Log
from ...kit.wireguard_peers import SeenPeer
from ..config.load import Mesh, MeshNode
from ..mesh import wireguard
from ..mesh.address_book import EndpointBook, is_address
from ..mesh.core import Condition, Ear, Endpoints, HandshakeCare, Silence, TunnelPeer
from ..node.node import Node

LOOK_EVERY_S = 0.3
INTERFACE_EVERY_S, LAST_PAUSE_S = 1.0, 30.0
"""How often the interface is looked at; a repair that fails is tried again ever more rarely."""
NAMES_EVERY_S = 300.0
"""How often names are looked up while all is well, so that what is remembered of them is not too old."""
NAMES_AGAIN_S = 5.0
"""The same while a peer is not reached: it may have moved."""


def begins_with(mesh: Mesh) -> list[str]:
    """The peers, by public key, with whom this node begins the handshake: those with a higher id."""
    return [peer.public_key for peer in mesh.peers if peer.node_id > mesh.own.node_id]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look is about: the mesh as it is, and of each silent peer's daemon (by key) when it was last heard."""

    mesh: Mesh
    heard_s_ago: Mapping[str, float | None]


class TunnelCare:
    """Repairs the interface, and sees to lost handshakes sooner than WireGuard would.

    Asking and telling the kernel and WireGuard, and names, take their time in a thread: the lease's loop only says who
    is silent.
    """

    def __init__(
        self,
        node: Node,
        log: Log,
        mesh_now: Callable[[], Mesh],
        repair: "TunnelRepair",
        *,
        silent_after_s: float,
        book: EndpointBook,
    ) -> None:
        """``mesh_now`` gives the mesh as it is at the moment: peers come and go."""
        self._node, self._log, self._mesh_now, self._silent_after_s = node, log, mesh_now, silent_after_s
        self._repair, self._tender = repair, _Tender(log, book)
        self._looks: queue.SimpleQueue[_Look] = queue.SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._ended = False
        self._due_s = 0.0
        threading.Thread(target=self._work, name="tunnel", daemon=True).start()

    async def end(self) -> None:
        """Look at nothing any more, and have nothing under way: whoever takes the tunnel away from now on means it."""
        import asyncio  # not with the daemon's first programs: a start does not wait for it

        self._ended = True
        await asyncio.to_thread(self._idle.wait)

    def look(self) -> None:
        """To be called every LOOK_EVERY_S; costs next to nothing while every peer is heard."""
        mesh = self._mesh_now()
        silent = {peer.public_key: peer for peer in mesh.peers if not self._is_heard(peer.node_id)}
        now_s = time.monotonic()
        if self._ended or not self._idle.is_set() or not (silent or now_s >= self._due_s):
            return
        self._due_s = now_s + INTERFACE_EVERY_S
        self._idle.clear()
        self._looks.put(_Look(mesh, {key: self._node.heard_s_ago(peer.node_id) for key, peer in silent.items()}))

    def _is_heard(self, peer: int) -> bool:
        heard_s_ago = self._node.heard_s_ago(peer)
        return heard_s_ago is not None and heard_s_ago < self._silent_after_s

    def _work(self) -> None:
        while True:
            look = self._looks.get()
            try:
                if self._repair.see_to(look.mesh, time.monotonic()):
                    self._tender.tend(look)
            except Exception as error:  # whatever it is, the next look may be luckier; and nobody else would say so
                self._log("warning", what="tunnel", message=f"{type(error).__name__}: {error}")
            self._idle.set()


class TunnelRepair:
    """Brings the interface back to what mesh.json says: somebody deleted it, set it down or took its address away."""

    def __init__(
        self, bring_up: Callable[[Mesh], object], log: Log, look: Callable[[str], Condition] = wireguard.condition
    ) -> None:
        """``bring_up`` may take seconds, and raises whatever it likes when it cannot."""
        self._bring_up, self._log, self._look = bring_up, log, look
        self._due_s = self._pause_s = 0.0
        self._is_well = True
        self._said = ""

    def see_to(self, mesh: Mesh, now_s: float) -> bool:
        """Look at the interface if it is time to, and repair it; whether it is as it should be."""
        if now_s >= self._due_s:
            self._is_well = self._is_repaired(mesh)
            self._pause_s = INTERFACE_EVERY_S if self._is_well else min(2 * self._pause_s, LAST_PAUSE_S)
            self._due_s = now_s + self._pause_s
        return self._is_well

    def _is_repaired(self, mesh: Mesh) -> bool:
        now = self._look(mesh.interface)
        if now.serves(mesh.own.address):
            self._said = ""
            return True
        try:
            self._bring_up(mesh)
        except Exception as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log("warning", what="tunnel", message=str(error))
            return False
        self._log("tunnel-repaired", interface=mesh.interface, was_there=now.there, was_up=now.up)
        return True


class _Tender:
    """The part that takes its time; one thread calls it."""

    def __init__(self, log: Log, book: EndpointBook) -> None:
        self._log, self._book = log, book
        self._handshakes, self._ear, self._endpoints = HandshakeCare(), Ear(), Endpoints()
        self._names_due_s, self._names_looked_s = 0.0, 0.0
        self._looking_up = threading.Event()
        self._unresolved: frozenset[str] = frozenset()
        self._said = ""

    def tend(self, look: _Look) -> None:
        mesh, now_s = look.mesh, time.monotonic()
        if now_s >= self._names_due_s and not self._looking_up.is_set():
            self._names_due_s, self._names_looked_s = now_s + NAMES_EVERY_S, now_s
            self._looking_up.set()
            # Apart: peers whose address is known are not to wait for a resolver that hangs.
            threading.Thread(target=self._look_names_up, args=(mesh,), name="names", daemon=True).start()
        if not look.heard_s_ago:
            self._names_due_s = self._names_looked_s + NAMES_EVERY_S
            return
        try:
            seen = wireguard.peers(mesh.interface)
            self._ear.listen(seen.values(), now_s)
            for peer in seen.values():
                self._endpoints.saw(peer)
            silences = {key: self._silence(key, heard, seen.get(key)) for key, heard in look.heard_s_ago.items()}
            for key, silence in silences.items():
                if not silence.without_keys() and key in seen:
                    self._endpoints.worked(key, seen[key].endpoint)
            overdue = self._handshakes.overdue(silences, begins_with(mesh), now_s)
            if overdue:
                self._names_due_s = min(self._names_due_s, now_s + NAMES_AGAIN_S)
                self._begin_anew(mesh, overdue, seen)
            self._said = ""
        except wireguard.WireGuardError as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log("warning", what="handshakes", message=self._said)

    def _silence(self, key: str, daemon_s_ago: float | None, seen: SeenPeer | None) -> Silence:
        heard = [one for one in (daemon_s_ago, self._ear.heard_s_ago(key, time.monotonic())) if one is not None]
        age_s = max(0.0, time.time() - seen.handshake_at_s) if seen is not None and seen.handshake_at_s else None
        return Silence(min(heard, default=None), age_s)

    def _begin_anew(self, mesh: Mesh, keys: list[str], seen: Mapping[str, SeenPeer]) -> None:
        given = self._book.given()
        tried: list[int] = []
        peers: list[TunnelPeer] = []
        for one in mesh.peers:
            if one.public_key not in keys:
                continue
            endpoint = self._endpoints.next(one.public_key, self._known(one, given))
            if endpoint or one.public_key not in seen:  # who can only wait must not spoil what the peer begins
                peers.append(TunnelPeer(one.public_key, endpoint, one.address))
                tried.append(one.node_id)
        if not peers:
            return
        wireguard.set_anew(mesh.interface, peers)
        for peer in peers:
            self._ear.forget(peer.public_key)
        self._log("handshake-started-anew", peers=sorted(tried))

    def _known(self, peer: MeshNode, given: Mapping[str, str]) -> list[str]:
        return [self._book.known(one) for one in (given.get(peer.name, ""), peer.endpoint) if one]

    def _look_names_up(self, mesh: Mesh) -> None:
        names = [one for one in (*(peer.endpoint for peer in mesh.peers), *self._book.given().values()) if one]
        self._book.refresh(names)
        unresolved = frozenset(one for one in names if not is_address(one) and not self._book.known(one))
        for name in sorted(unresolved - self._unresolved):
            self._log("endpoint-unresolved", endpoint=name)
        self._unresolved = unresolved
        self._looking_up.clear()
