"""Repair of the tunnel while the daemon runs: somebody deleted its interface, set it down or took its address away."""

from collections.abc import Callable

from .config import Mesh
from .mesh.core import Condition
from .mesh.wireguard import condition
from .ports import Log

LOOK_EVERY_S, LAST_PAUSE_S = 1.0, 30.0
"""A look costs some microseconds; a repair that fails is tried again ever more rarely."""


class TunnelRepair:
    """Brings the interface back to what mesh.json says, when it is not so any more."""

    def __init__(
        self,
        mesh_now: Callable[[], Mesh],
        bring_up: Callable[[Mesh], object],
        log: Log,
        look: Callable[[str], Condition] = condition,
    ) -> None:
        """``bring_up`` may take seconds, raises whatever it likes when it cannot, and is called in a thread."""
        self._mesh_now, self._bring_up, self._log, self._look = mesh_now, bring_up, log, look
        import asyncio  # not with the daemon's first programs: a start does not wait for it

        self._said = ""
        self._ended = False
        self._one_at_a_time = asyncio.Lock()

    async def end(self) -> None:
        """Repair nothing any more, and have no repair under way: whoever takes the tunnel away from now on means it."""
        self._ended = True
        async with self._one_at_a_time:
            pass

    async def watch(self) -> None:
        """Look until the end."""
        import asyncio

        pause_s = LOOK_EVERY_S
        while not self._ended:
            await asyncio.sleep(pause_s)
            well = await self.repair_if_needed()
            pause_s = LOOK_EVERY_S if well else min(2 * pause_s, LAST_PAUSE_S)

    async def repair_if_needed(self) -> bool:
        """Look once; whether the tunnel is as it should be afterwards."""
        async with self._one_at_a_time:
            return self._ended or await self._repair_if_needed()

    async def _repair_if_needed(self) -> bool:
        import asyncio

        mesh = self._mesh_now()
        now = await asyncio.to_thread(self._look, mesh.interface)  # the kernel may be busy with others' interfaces
        if now.serves(mesh.own.address):
            self._said = ""
            return True
        try:
            await asyncio.to_thread(self._bring_up, mesh)
        except Exception as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log("warning", what="tunnel", message=str(error))
            return False
        self._log("tunnel-repaired", interface=mesh.interface, was_there=now.there, was_up=now.up)
        return True
