"""Gives volumes the storage class that their use asks for, or asks a person; all of it are requests like others."""

import asyncio
import time

from ...kit.ports import Log
from ..autonomy.core import Act
from ..mapping.ports import PortFailed
from ..mapping.record import Stage
from ..tiering.core import Plan
from ..tiering.looking import Look, Wanted, look
from ..tiering.use import Rates
from .audit import ITSELF
from .autonomy import Autonomy
from .core.tiered import arguments_of, told


class Tiering:
    """One loop beside the others; ``seen`` is for whoever asks."""

    def __init__(self, wanted: Wanted, autonomy: Autonomy, log: Log) -> None:
        self._wanted, self._autonomy, self._log = wanted, autonomy, log
        self._rates = Rates()
        self.seen, self.looked_at_s = Look(), 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._wanted.every_s)

    async def look(self) -> None:
        """Once. Below level 3 it is only seen what would be done."""
        past, spent = told(self._autonomy.store.state.requests.by_id.values(), time.time())
        devices = self._devices()
        try:
            self.seen = await asyncio.to_thread(look, self._wanted, self._rates, devices, past, spent)
            self.looked_at_s = time.time()
            if self._autonomy.decided(Act.TIER).verdict != "blocked":
                for change in self.seen.plan.changes[:1]:  # the next one once its chunks are copied
                    await self._autonomy.ask(Act.TIER, arguments_of(change), ITSELF)
        except (PortFailed, OSError) as error:
            self.seen, self.looked_at_s = Look(plan=Plan(waits=str(error))), time.time()
            self._log("tiering", error=str(error))

    def _devices(self) -> dict[str, str]:
        facts = self._autonomy.facts
        if facts is None:
            return {}
        mapped = [one for one in facts.records if one.stage is Stage.MAPPED and one.boot == facts.boot]
        return {
            one.file: facts.devices[one.index] for one in mapped if one.index is not None and one.index in facts.devices
        }
