"""Brings what was seen into the database; keeps it while the database is gone."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from ...kit.ports import Log
from ..inventory import seen, versions
from ..inventory.database import Database
from ..inventory.errors import InventoryError
from ..inventory.seen import Seen

EVERY_S = 1.0
MOST_EVENTS = 20_000
KEPT = timedelta(days=7)
FORGET_EVERY_S = 3600.0
Work = Callable[[Session], object]


class Recorder:
    """Of looks without news only the newest of each backend is kept; of news, the last ``MOST_EVENTS``."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database, self._log = database, log
        self._newest: dict[tuple[str, str], Seen] = {}
        self._events: deque[Seen] = deque(maxlen=MOST_EVENTS)
        self._forgot_s = float("-inf")

    def keep(self, look: Seen) -> None:
        """It will be written within a second."""
        if look.event:
            self._events.append(look)
        else:
            self._newest[(look.service, look.address)] = look

    async def run(self) -> None:
        """Until cancelled; what is there by then is written."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self._write()
                now_s = asyncio.get_running_loop().time()
                if now_s - self._forgot_s > FORGET_EVERY_S:
                    self._forgot_s = now_s
                    await self._forget()
        finally:
            await self._write()

    async def applied(self, digest: str) -> None:
        """The edge took a configuration."""
        await self._noted(lambda session: versions.applied(session, digest, datetime.now(UTC)))

    async def refused(self, digest: str, why: str) -> None:
        """The edge did not take it."""
        await self._noted(lambda session: versions.refused(session, digest, why))

    async def _write(self) -> None:
        events, newest = list(self._events), dict(self._newest)
        looks = sorted([*events, *newest.values()], key=lambda one: one.at)
        if looks and await self._noted(lambda session: seen.record(session, looks)):
            for _ in events:
                self._events.popleft()
            self._newest = {key: one for key, one in self._newest.items() if newest.get(key) is not one}

    async def _forget(self) -> None:
        await self._noted(lambda session: seen.forget_before(session, datetime.now(UTC) - KEPT))

    async def _noted(self, work: Work) -> bool:
        def in_a_thread() -> None:
            with self._database.writing() as session:
                work(session)

        try:
            await asyncio.to_thread(in_a_thread)
        except InventoryError:
            return False  # the follower says so; we try again
        return True
