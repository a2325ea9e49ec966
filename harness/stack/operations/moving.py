"""Members that are reached elsewhere from now on: `sfha mesh endpoint`.

What a person says is kept on this node and used at once, so that nodes which all have new addresses find each other;
the cluster agrees on it as soon as a majority can.
"""

import asyncio

from ..languages.core import message
from ..membership.corosync import CorosyncError
from ..mesh.wireguard import WireGuardError
from ..roster.core import Roster, RosterError
from ..roster.store import StoreError
from .changes import Body, Changes
from .endpoint import is_endpoint
from .ground import Ground

AGREED_WITHIN_S = 8.0
AGAIN_EVERY_S = 2.0


class Moves:
    """Changes endpoints, here at once, everywhere when that is possible."""

    def __init__(self, ground: Ground, changes: Changes) -> None:
        self._ground, self._changes = ground, changes
        self._left_to_tell = asyncio.Event()
        self._telling: asyncio.Task[Exception | None] | None = None

    async def command(self, body: Body) -> Body:
        """`sfha mesh endpoint NODE HOST:PORT`. Raises RosterError and OSError."""
        name, endpoint = str(body.get("name")), str(body.get("endpoint"))
        roster = self._ground.roster()
        if roster.named(name) is None:
            known = ", ".join(one.name for one in roster.members)
            raise RosterError(message("mesh.endpoint.unknown", name=name, known=known))
        if not is_endpoint(endpoint):
            raise RosterError(message("join.bad-endpoint", endpoint=endpoint))
        book, own = self._ground.book, self._ground.mesh.own.name
        await asyncio.to_thread(book.give, name, endpoint)
        self._ground.log("endpoint-given", name=name, endpoint=endpoint)
        if name != own:
            await self._ground.reach_anew([name])
        resolved = name == own or bool(await asyncio.to_thread(book.known, endpoint))
        self._telling = telling = asyncio.create_task(self._tell())
        await asyncio.wait({telling}, timeout=AGREED_WITHIN_S)  # a change that is under way is not to be broken off
        agreed = telling.done() and telling.result() is None
        if not agreed:
            self._left_to_tell.set()
        return {"ok": True, "agreed": agreed, "resolved": resolved}

    async def mind(self) -> None:
        """For as long as the daemon runs: what could not be agreed on is tried again."""
        if await asyncio.to_thread(self._ground.book.given):
            self._left_to_tell.set()
        while True:
            await self._left_to_tell.wait()
            if await self._tell() is None:
                self._left_to_tell.clear()
            else:
                await asyncio.sleep(AGAIN_EVERY_S)

    async def _tell(self) -> Exception | None:
        """Have what was given here agreed on; None when it is, else why it cannot be yet."""
        given = await asyncio.to_thread(self._ground.book.given)

        def make(base: Roster) -> Roster:
            return base.with_endpoints(given)

        try:
            roster = await self._changes.change(make)
            await asyncio.to_thread(self._ground.book.settle, {one.name: one.endpoint for one in roster.members})
            await self._changes.spread(reload=False)
            self._ground.advertise()
        except (RosterError, StoreError, WireGuardError, CorosyncError, OSError) as error:
            return error
        return None
