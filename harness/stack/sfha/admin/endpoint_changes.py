"""Members that are reached elsewhere from now on: `sfha mesh endpoint`.

What a person says is kept on this node and used at once, so that nodes which all have new addresses find each other;
the cluster agrees on it as soon as a majority can.
"""

import asyncio

from ...kit.messages import message
from ..membership.corosync import CorosyncError
from ..mesh.wireguard import WireGuardError
from ..roster.core import Roster, RosterError
from ..roster.store import StoreError
from .applied_roster import AppliedRoster
from .own_endpoint import is_endpoint
from .roster_changes import Body, RosterChanges

AGREED_WITHIN_S = 8.0
AGAIN_EVERY_S = 2.0


class EndpointChanges:
    """Changes endpoints, here at once, everywhere when that is possible."""

    def __init__(self, applied: AppliedRoster, changes: RosterChanges) -> None:
        self._applied, self._changes = applied, changes
        self._left_to_tell = asyncio.Event()

    async def command(self, body: Body) -> Body:
        """`sfha mesh endpoint NODE HOST:PORT`. Raises RosterError and OSError."""
        name, endpoint = str(body.get("name")), str(body.get("endpoint"))
        roster = self._applied.roster()
        if roster.named(name) is None:
            known = ", ".join(one.name for one in roster.members)
            raise RosterError(message("mesh.endpoint.unknown", name=name, known=known))
        if not is_endpoint(endpoint):
            raise RosterError(message("join.bad-endpoint", endpoint=endpoint))
        book, own = self._applied.book, self._applied.mesh.own.name
        await asyncio.to_thread(book.give, name, endpoint)
        self._applied.log("endpoint-given", name=name, endpoint=endpoint)
        if name != own:
            await self._applied.reach_anew([name])
        resolved = name == own or bool(await asyncio.to_thread(book.known, endpoint))
        telling = self._applied.tasks.start("mesh endpoint", self._tell())
        await asyncio.wait({telling}, timeout=AGREED_WITHIN_S)  # a change that is under way is not to be broken off
        agreed = telling.done() and telling.result() is None
        if not agreed:
            self._left_to_tell.set()
        return {"ok": True, "agreed": agreed, "resolved": resolved}

    async def mind(self) -> None:
        """For as long as the daemon runs: what could not be agreed on is tried again."""
        if await asyncio.to_thread(self._applied.book.given):
            self._left_to_tell.set()
        while True:
            await self._left_to_tell.wait()
            if await self._tell() is None:
                self._left_to_tell.clear()
            else:
                await asyncio.sleep(AGAIN_EVERY_S)

    async def _tell(self) -> Exception | None:
        """Have what was given here agreed on; None when it is, else why it cannot be yet."""
        given = await asyncio.to_thread(self._applied.book.given)

        def make(base: Roster) -> Roster:
            return base.with_endpoints(given)

        try:
            roster = await self._changes.change(make)
            await asyncio.to_thread(self._applied.book.settle, {one.name: one.endpoint for one in roster.members})
            await self._changes.spread(reload=False)
            self._applied.advertise()
        except (RosterError, StoreError, WireGuardError, CorosyncError, OSError) as error:
            return error
        return None
