"""A spoke: this machine's end of the tunnel, from its first key on; it goes on by what it heard last."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from ...kit.durable import write_durably
from ...kit.ports import Log
from ...kit.tasks import Tasks
from ...kit.wireguard import WireGuardError
from ..inventory.reports import HubSaid, TunnelAnswer, TunnelReport
from .core import Care, Choice, HubPlace, Peer, Telling, allowed_of, anew, in_force, peers_of_spoke
from .finding import Finding, Place
from .interface import Interface
from .keys import Keys

LOOK_EVERY_S, ASK_EVERY_S, REPORT_EVERY_S, AGAIN_AFTER_S = 0.1, 0.3, 0.5, 2.0
DISCARD_PORT = 9
"""Whoever is asked there says at once that nobody listens, which is an answer."""


class Unheard(Exception):
    """The platform does not answer, or refuses; says why."""


class Platform(Protocol):
    """The API."""

    async def tunnel(self, report: TunnelReport) -> TunnelAnswer:
        """Say how the tunnel is, and hear what it has. Raises Unheard."""


@dataclass(frozen=True, slots=True)
class SpokeSettings:
    """Of one machine."""

    machine: str
    site: str
    interface: str
    port: int
    state: Path


class Spoke:
    """Made within a running loop."""

    def __init__(self, settings: SpokeSettings, platform: Platform, log: Log) -> None:
        """Raises WireGuardError where there are no keys and none can be made."""
        self._settings, self._platform, self._log = settings, platform, log
        self._interface = Interface(settings.interface, settings.port)
        self._keys = Keys(settings.state / "wireguard.json", time.time())
        self._memory = settings.state / "tunnel.json"
        self._known = _remembered(self._memory)
        self._cares: dict[str, Care] = {}
        self._choice, self._telling, self._tasks = Choice(), Telling(), Tasks(log)
        self._news, self._addressed = asyncio.Event(), asyncio.Event()
        self._source = ""
        self._stands: tuple[str, ...] = ()
        self._finding, self._places = Finding(), dict[str, Place]()
        self._turn = threading.Lock()
        """Who sets a key and who looks whether the right one is set."""
        self._troubles: dict[str, str] = {}
        if self._known:
            self._addressed.set()

    async def run(self) -> None:
        """Until cancelled. The interface stays, and traffic goes on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watching())
            group.create_task(self._reporting())
            group.create_task(self._asking())

    async def address(self) -> str:
        """This machine's address in the tunnel, as soon as it has one."""
        await self._addressed.wait()
        assert self._known is not None
        return self._known.address

    async def _reporting(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._heard(await self._platform.tunnel(self._report()))
                self._trouble("platform", None)
            except Unheard as error:
                self._trouble("platform", str(error))
            except WireGuardError as error:
                self._trouble("keys", str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_EVERY_S):
                    await self._news.wait()

    def _report(self) -> TunnelReport:
        known, keys = self._known, self._keys
        return TunnelReport(
            site=self._settings.site,
            public_key=keys.now.public,
            next_public_key=keys.next.public if keys.next else "",
            generation=keys.now.generation,
            hub_key=(known.hub_next_key or known.hub_key) if known else "",
            endpoint=f"{self._source}:{self._settings.port}" if self._source else "",
        )

    async def _heard(self, answer: TunnelAnswer) -> None:
        keys = self._keys
        if answer != self._known:
            if self._known is not None and answer.address != self._known.address:
                self._log("tunnel-address", address=answer.address)
            lasting = answer.model_copy(update={"next_known": False})
            if self._known is None or lasting != self._known.model_copy(update={"next_known": False}):
                await asyncio.to_thread(write_durably, self._memory, lasting.model_dump_json())
            self._known = answer
            self._addressed.set()
        if keys.next is not None and answer.next_known:
            await asyncio.to_thread(self._change_key)
        elif keys.next is None and answer.generation > keys.now.generation:
            await asyncio.to_thread(keys.prepare, answer.generation, time.time())
            self._news.set()

    def _change_key(self) -> None:
        with self._turn:
            self._keys.change(time.time())
            self._interface.set_private_key(self._keys.now.private)
            for hub in self._hubs():
                self._shake(hub)
        self._log("key", key=self._keys.now.public, generation=self._keys.now.generation)
        self._news.set()

    async def _watching(self) -> None:
        while True:
            known = self._known
            if known is not None:
                try:
                    await self._find(hubs_of(known))
                    await asyncio.to_thread(self._look, known)
                    self._trouble("tunnel", None)
                except (WireGuardError, OSError) as error:
                    self._trouble("tunnel", str(error))
                    await asyncio.sleep(AGAIN_AFTER_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _find(self, hubs: Sequence[HubSaid]) -> None:
        """Raises OSError where none can be found; one of several is done without."""
        for hub in hubs:
            try:
                self._places[hub.address] = await self._finding.place(hub.endpoint)
            except OSError:
                if len(hubs) == 1:
                    raise

    def _look(self, known: TunnelAnswer) -> None:
        with self._turn:
            self._bring_about(known)

    def _bring_about(self, known: TunnelAnswer) -> None:
        stands = (self._keys.now.public, known.address, known.network)
        if stands != self._stands or not self._interface.is_there():
            self._interface.up(self._keys.now.private, known.address, known.network)
            self._stands = stands
        seen, hubs, now_s = self._interface.seen(), self._hubs(), time.monotonic()
        before = self._choice.by
        by = self._choice.choose({one.address: self._care(one).well(now_s) for one in hubs}, now_s)
        if before and by != before:
            self._log("hub", address=by, instead_of=before)
        self._interface.tell(self._telling.changes(peers_of_spoke(hubs, by, known.network, seen), seen))
        for hub in hubs:
            self._look_after(hub, sum(seen[key].received_bytes for key in (hub.key, hub.next_key) if key in seen))

    def _look_after(self, hub: HubPlace, received_bytes: int) -> None:
        source = self._places[hub.address].source()
        if self._care(hub).due(received_bytes, source, time.monotonic()):
            self._shake(hub)
            moved = source != self._source
            if not moved:
                self._finding.again(self._places[hub.address])
            self._log("handshake", hub=hub.address, source=source, moved=moved)
        if hub.address == self._choice.by and source and source != self._source:
            self._source = source
            self._news.set()

    def _shake(self, hub: HubPlace) -> None:
        known = self._known
        assert known is not None
        chosen = in_force(hub.key, hub.next_key, self._interface.seen())
        allowed = allowed_of(hub, self._choice.by, known.network)
        self._interface.tell([anew(Peer(chosen, allowed, hub.endpoint))])

    def _hubs(self) -> list[HubPlace]:
        """Those whose place is known."""
        return [
            HubPlace(one.address, one.key, one.next_key, self._places[one.address].endpoint)
            for one in (hubs_of(self._known) if self._known else ())
            if one.address in self._places
        ]

    def _care(self, hub: HubPlace) -> Care:
        return self._cares.setdefault(hub.address, Care())

    async def _asking(self) -> None:
        """So that there is always something to hear."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            if self._known is not None and self._stands:
                for hub in hubs_of(self._known):
                    self._tasks.start("ask the hub", _asked(hub.address))

    def _trouble(self, where: str, what: str | None) -> None:
        if self._troubles.get(where) == what:
            return
        self._log(
            "well-again" if what is None else "trouble", where=where, **({} if what is None else {"message": what})
        )
        if what is None:
            del self._troubles[where]
        else:
            self._troubles[where] = what


def _remembered(path: Path) -> TunnelAnswer | None:
    try:
        return TunnelAnswer.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def hubs_of(answer: TunnelAnswer) -> list[HubSaid]:
    """All hubs; a platform of before knows one, and says so in other words."""
    only = HubSaid(
        address=answer.hub_address, key=answer.hub_key, next_key=answer.hub_next_key, endpoint=answer.hub_endpoint
    )
    return answer.hubs or [only]


async def _asked(host: str) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, DISCARD_PORT)
            writer.close()
