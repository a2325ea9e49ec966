"""The hub: hears of spokes, has WireGuard know them, changes keys, and forwards from site to site."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ...kit.ports import Log
from ...kit.wireguard import WireGuardError
from ...kit.wireguard_peers import SeenPeer
from ..inventory.database import Database
from ..inventory.errors import Conflict, InventoryError, NotThere
from ..inventory.reports import HubSaid, TunnelAnswer, TunnelReport, TunnelState
from . import stored
from .core import Spoke, Telling, anew, announced, generation_due, hub_address, in_force, peers_of_hub, where_it_is
from .interface import Interface
from .keys import Keys

LOOK_EVERY_S, LOOK_WHILE_CHANGING_S = 0.25, 0.05
HUB = "hub"
"""How people call the hub's own key."""
HEARD_LATELY_S = 5.0
LISTENS_S = 1.5
"""So long nobody is asked whether all know it: after a start, everybody is yet to be heard."""
PATIENCE_S = 15.0
"""The hub changes its key although somebody who was heard lately does not know it yet; he learns it later."""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """``endpoint`` is what spokes dial, ``place`` which of the hubs it is, from 0."""

    endpoint: str
    interface: str
    port: int
    network: str
    rotate_s: float
    keys: Path
    place: int = 0

    @property
    def address(self) -> str:
        """In the tunnel."""
        return hub_address(self.network, self.place)


class Tunnels(Protocol):
    """What the API asks. Called from other threads than the daemon's."""

    def report(self, name: str, report: TunnelReport, came_from: str) -> TunnelAnswer:
        """A machine says how its tunnel is. Raises InventoryError."""

    def tunnels(self) -> list[TunnelState]:
        """Every tunnel. Raises InventoryError."""

    def rotate(self, name: str) -> None:
        """A machine, or the hub, is to change its key. Raises InventoryError."""

    def remove(self, name: str) -> None:
        """The hub knows it no more. Raises NotThere."""


class NoHub:
    """Of a platform without tunnels."""

    def report(self, name: str, report: TunnelReport, came_from: str) -> TunnelAnswer:
        """There is none."""
        raise self._none()

    def tunnels(self) -> list[TunnelState]:
        """None."""
        return []

    def rotate(self, name: str) -> None:
        """There is none."""
        raise self._none()

    def remove(self, name: str) -> None:
        """There is none."""
        raise self._none()

    def _none(self) -> NotThere:
        return NotThere("this platform has no tunnels: its settings have no wireguard.endpoint")


class Hub:
    """``changed`` is called when a site was added. Of several hubs the one that ``leads`` hears machines, and tells
    them of all; ``says`` is called with what the others are to be told of this one."""

    def __init__(
        self,
        settings: HubSettings,
        database: Database,
        changed: Callable[[], None],
        log: Log,
        *,
        leads: Callable[[], bool] = lambda: True,
        says: Callable[[HubSaid], None] = lambda _said: None,
    ) -> None:
        self._leads, self._says = leads, says
        self._settings, self._database, self._changed, self._log = settings, database, changed, log
        self._interface = Interface(settings.interface, settings.port)
        self._keys: Keys | None = None
        self._telling, self._turn = Telling(), threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._seen: Mapping[str, SeenPeer] = {}
        self._spokes: list[Spoke] = []
        self._heard: dict[str, tuple[float, str]] = {}
        self._wanted, self._prepared_s = 0, 0.0
        self._stands: tuple[str, ...] = ()
        self._trouble: str | None = None

    async def run(self) -> None:
        """Until cancelled. The interface stays, and traffic goes on."""
        while True:
            await asyncio.to_thread(self.once)
            changing = any(one.next_key for one in self._spokes)
            await asyncio.sleep(LOOK_WHILE_CHANGING_S if changing else LOOK_EVERY_S)

    def once(self) -> None:
        """Look, and bring the interface to what it should be."""
        with self._turn:
            # Of a database that is gone the follower speaks; those who are known are known.
            with contextlib.suppress(InventoryError):
                self._spokes = self._read()
            try:
                self._bring_about()
                self._say(None)
            except WireGuardError as error:
                self._say(str(error))
            with contextlib.suppress(InventoryError):
                self._tell_of_itself()

    def report(self, name: str, report: TunnelReport, came_from: str) -> TunnelAnswer:
        """A machine says how its tunnel is, and hears what it has. Raises InventoryError."""
        self._heard[name] = (time.monotonic(), report.hub_key)
        endpoint = announced(report.endpoint, came_from)
        with self._database.reading() as session:
            known = stored.is_as_reported(session, name, report, endpoint)
        if not known:
            with self._database.changing() as session:
                stored.registered(
                    session, name, report, endpoint, network=self._settings.network, now=datetime.now(UTC)
                )
            self._log("spoke", machine=name, site=report.site, endpoint=endpoint or None, key=report.public_key)
            self._changed()
            self.once()
        keys = self._keys
        if keys is None:
            raise Conflict(f"the hub has no tunnel itself yet: {self._trouble or 'it begins'}")
        with self._database.reading() as session:
            row = stored.named(session, name)
            return TunnelAnswer(
                address=row.address,
                network=self._settings.network,
                hub_address=self._settings.address,
                hub_key=keys.now.public,
                hub_next_key=keys.next.public if keys.next else "",
                hub_endpoint=self._settings.endpoint,
                hubs=stored.hubs(session),
                generation=row.wanted,
                next_known=bool(report.next_public_key) and report.next_public_key in self._known,
            )

    def tunnels(self) -> list[TunnelState]:
        """Every tunnel. Raises InventoryError."""
        seen, now_s = self._seen, time.time()
        with self._database.reading() as session:
            return [
                TunnelState(
                    machine=row.machine,
                    site=row.site,
                    address=row.address,
                    endpoint=peer.endpoint if peer else row.endpoint,
                    public_key=row.public_key,
                    generation=row.generation,
                    since=row.since,
                    handshake_s=round(now_s - peer.handshake_at_s, 1) if peer and peer.handshake_at_s else None,
                )
                for row in stored.every(session)
                for peer in [seen.get(in_force(row.public_key, row.next_public_key, seen))]
            ]

    def heard_of(self, said: HubSaid) -> None:
        """Another hub says how it is. Raises InventoryError."""
        with self._database.reading() as session:
            known = said in stored.hubs(session)
        if not known:
            with self._database.changing() as session:
                stored.hub_is(session, said)
            self._log("hub", address=said.address, endpoint=said.endpoint, key=said.key)

    def rotate(self, name: str) -> None:
        """A machine, or the hub, is to change its key. Raises InventoryError."""
        if name == HUB:
            if self._keys is not None:
                self._wanted = self._keys.now.generation + 1
            return
        with self._database.changing() as session:
            row = stored.named(session, name)
            row.wanted = row.generation + 1

    def remove(self, name: str) -> None:
        """The hub knows it no more. Raises NotThere."""
        with self._database.changing() as session:
            session.delete(stored.named(session, name))
        self.once()

    def _read(self) -> list[Spoke]:
        with self._database.reading() as session:
            rows = stored.every(session)
            now = datetime.now(UTC)
            due = {
                row.machine: generation_due(
                    row.generation,
                    row.wanted,
                    (now - row.since).total_seconds(),
                    self._settings.rotate_s,
                    changing=bool(row.next_public_key),
                )
                for row in rows
            }
            old = [row.machine for row in rows if due[row.machine] != row.wanted]
            spokes = [stored.spoke(row) for row in rows]
        for machine in old if self._leads() else ():
            with self._database.changing() as session:
                stored.named(session, machine).wanted = due[machine]
        return spokes

    def _bring_about(self) -> None:
        keys = self._keys = self._keys or Keys(self._settings.keys, time.time())
        self._own_key(keys)
        stands = (keys.now.public, self._settings.network)
        if stands != self._stands or not self._interface.is_there():
            self._interface.up(keys.now.private, self._settings.address, self._settings.network)
            self._interface.forward()
            self._stands = stands
        seen = self._interface.seen()
        wanted = peers_of_hub(self._spokes, seen)
        changes = self._telling.changes(wanted, seen)
        self._interface.tell(changes)
        if changes:
            seen = self._interface.seen()
            self._log("tunnels", peers=len(wanted), changes=len(changes))
        self._seen, self._known = seen, frozenset(one.key for one in wanted)

    def _tell_of_itself(self) -> None:
        keys = self._keys
        if keys is None:
            return
        said = HubSaid(
            address=self._settings.address,
            key=keys.now.public,
            next_key=keys.next.public if keys.next else "",
            endpoint=self._settings.endpoint,
        )
        self._says(said)
        if self._leads():
            self.heard_of(said)

    def _own_key(self, keys: Keys) -> None:
        now_s = time.monotonic()
        if keys.next is None:
            now = keys.now
            age_s = time.time() - now.since_s
            due = generation_due(now.generation, self._wanted, age_s, self._settings.rotate_s, changing=False)
            if due > now.generation:
                keys.prepare(due, time.time())
                self._prepared_s = now_s
            return
        lately = [known for heard_s, known in self._heard.values() if now_s - heard_s < HEARD_LATELY_S]
        waited_s = now_s - self._prepared_s
        # Who does not lead hears nobody: it waits until the leader has told all.
        all_know = all(known == keys.next.public for known in lately) and waited_s > LISTENS_S and self._leads()
        if all_know or waited_s > PATIENCE_S:
            keys.change(time.time())
            self._interface.set_private_key(keys.now.private)
            # Those who know it wait for a handshake with it: that is what tells them.
            seen = self._interface.seen()
            self._interface.tell([anew(where_it_is(one, seen)) for one in peers_of_hub(self._spokes, seen)])
            self._log("hub-key", key=keys.now.public, generation=keys.now.generation)

    def _say(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._log("tunnels-well" if trouble is None else "tunnels-trouble", message=trouble)
        self._trouble = trouble
