"""A spoke: this machine's end of the tunnel, from its first key on; it goes on by what it heard last."""

import asyncio
import contextlib
import ipaddress
import json
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from ...kit.durable import write_durably
from ...kit.ports import Log
from ...kit.tasks import Tasks
from ...kit.wireguard import WireGuardError
from ..inventory.reports import TunnelAnswer, TunnelReport
from .core import Care, Peer, Telling, anew, in_force, peers_of_spoke
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
        self._care, self._telling, self._tasks = Care(), Telling(), Tasks(log)
        self._news, self._addressed = asyncio.Event(), asyncio.Event()
        self._source = ""
        self._stands: tuple[str, ...] = ()
        self._hub_place, self._hub, self._found_for, self._find_again = ("", 0), "", "", False
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
            self._shake()
        self._log("key", key=self._keys.now.public, generation=self._keys.now.generation)
        self._news.set()

    async def _watching(self) -> None:
        while True:
            known = self._known
            if known is not None:
                try:
                    await self._find_hub(known.hub_endpoint)
                    await asyncio.to_thread(self._look, known)
                    self._trouble("tunnel", None)
                except (WireGuardError, OSError) as error:
                    self._trouble("tunnel", str(error))
                    await asyncio.sleep(AGAIN_AFTER_S)
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self, known: TunnelAnswer) -> None:
        with self._turn:
            self._bring_about(known)

    def _bring_about(self, known: TunnelAnswer) -> None:
        stands = (self._keys.now.public, known.address, known.network)
        if stands != self._stands or not self._interface.is_there():
            self._interface.up(self._keys.now.private, known.address, known.network)
            self._stands = stands
        seen = self._interface.seen()
        wanted = peers_of_spoke(known.hub_key, known.hub_next_key, self._hub, known.network, seen)
        self._interface.tell(self._telling.changes(wanted, seen))
        source = _source_towards(self._hub_place)
        received = sum(one.received_bytes for one in seen.values())
        if self._care.due(received, source, time.monotonic()):
            self._shake()
            moved = source != self._source
            self._find_again = not moved
            self._log("handshake", source=source, moved=moved)
        if source and source != self._source:
            self._source = source
            self._news.set()

    def _shake(self) -> None:
        known = self._known
        if known is None:
            return
        seen = self._interface.seen()
        chosen = in_force(known.hub_key, known.hub_next_key, seen)
        self._interface.tell([anew(Peer(chosen, known.network, self._hub))])

    async def _find_hub(self, endpoint: str) -> None:
        """Where it is, as an address: wg would look a name up for as long as that takes."""
        host, _, port = endpoint.rpartition(":")
        host = host.strip("[]")
        try:
            place = str(ipaddress.ip_address(host))
        except ValueError:
            if self._found_for == endpoint and not self._find_again:
                return
            self._find_again = False
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
            except OSError:
                if self._found_for == endpoint:
                    return  # where it was is the best that is known
                raise
            place = str(found[0][4][0])
        self._found_for = endpoint
        self._hub_place = (place, int(port))
        self._hub = f"[{place}]:{port}" if ":" in place else f"{place}:{port}"

    async def _asking(self) -> None:
        """So that there is always something to hear."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            if self._known is not None and self._stands:
                self._tasks.start("ask the hub", _asked(self._known.hub_address))

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


def _source_towards(place: tuple[str, int]) -> str:
    """The address that this machine would speak from; empty where there is no way."""
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(place)
        except OSError:
            return ""
        return str(probe.getsockname()[0])


async def _asked(host: str) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, DISCARD_PORT)
            writer.close()
