"""Follows the inventory: whoever changes it, here or elsewhere, it is seen within half a second."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...kit.ports import Log
from ..inventory import placed, stored, versions
from ..inventory.database import Database
from ..inventory.errors import InventoryError
from ..inventory.snapshot import Snapshot, snapshot_of
from ..routing.core import Json, Layout, configuration, digest

LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Edition:
    """An inventory, and the configuration that the edge should have: its own, or one that was put back (``held``)."""

    snapshot: Snapshot
    document: Mapping[str, Any]
    held: bool


class Follower:
    """``found`` gets each new edition. While the database is gone the last one stays in force."""

    def __init__(self, database: Database, layout: Layout, found: Callable[[Edition], None], log: Log) -> None:
        self._database, self._layout, self._found, self._log = database, layout, found, log
        self._news = asyncio.Event()
        self._seen: tuple[int, int | None] | None = None
        self._loop = asyncio.get_running_loop()
        self.error: str | None = None

    def poke(self) -> None:
        """Look now. From any thread."""
        self._loop.call_soon_threadsafe(self._news.set)

    def anew(self) -> None:
        """Look now, and take what is there for new, whatever its number. From any thread."""
        self._seen = None
        self.poke()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            await self.look()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Once."""
        try:
            newest = await asyncio.to_thread(self._database.edition)
            if newest != self._seen:
                self._seen = newest
                try:
                    edition = await asyncio.to_thread(self._read)
                except InventoryError:
                    self._seen = None
                    raise
                self._log("inventory", edition=newest[0], backends=len(edition.snapshot.backends), held=edition.held)
                self._found(edition)
            self._say(None)
        except InventoryError as error:
            self._say(str(error))

    def _read(self) -> Edition:
        with self._database.writing() as session:
            snapshot = snapshot_of(stored.whole(session, reported=True), placed.places(session))
            document: Json = configuration(snapshot, self._layout)
            versions.noted(session, digest(document), document, datetime.now(UTC))
            held = versions.held(session)
            return Edition(snapshot, held.document if held else document, held is not None)

    def _say(self, error: str | None) -> None:
        if error != self.error:
            self._log("database-back" if error is None else "database-gone", message=error)
        self.error = error
