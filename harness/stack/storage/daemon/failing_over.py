"""Listens for the master of MooseFS, and makes one here where that is right; what it does is in the audit log first."""

import asyncio
import time

from ...kit.ports import Log
from ..failover.core import INTERRUPTION_S, Do, Phase, State, ended, step
from ..failover.promotion import Master
from ..mapping.ports import PortFailed
from .audit import ITSELF, AuditLog
from .autonomy import Autonomy

OPENLY = (
    f"not true HA: clients may wait {INTERRUPTION_S[0]} to {INTERRUPTION_S[1]} s, "
    "and what was under way may have to be asked again"
)


class FailingOver:
    """One loop beside the others; ``state`` is for whoever asks."""

    def __init__(self, master: Master, autonomy: Autonomy, every_s: float, misses: int, log: Log) -> None:
        self._master, self._autonomy, self._every_s, self._misses, self._log = master, autonomy, every_s, misses, log
        self._audit: AuditLog = autonomy.audit
        self.state = State(mine=master.was_made_here())
        self._least_version = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began_s = time.monotonic()
            try:
                heard = await asyncio.to_thread(self._master.heard)
            except OSError as error:
                self._log("heartbeat", error=str(error))
            else:
                self.state, todo = step(self.state, heard, self._autonomy.level, self._misses)
                self._least_version = heard.candidate.last if heard.candidate else self._least_version
                while todo != "nothing":
                    todo = await self._do(todo)
            await asyncio.sleep(max(0.0, began_s + self._every_s - time.monotonic()))

    async def _do(self, todo: Do) -> Do:
        if todo == "tell":
            self._tell()
            return "nothing"
        before = self.state
        silent_s = time.monotonic() - before.silent_since_s if before.silent_since_s else 0.0
        self._audit.write(ITSELF, todo, OPENLY if todo == "promote" else "", silent_s=round(silent_s, 1))
        self._log("failover", what=todo, openly=OPENLY)
        work = {
            "promote": self._master.promote,
            "step down": self._master.step_down,
            "check": lambda: self._master.check(self._least_version),
        }
        try:
            said, error = await asyncio.to_thread(work[todo]), ""
        except (PortFailed, OSError) as failed:
            said, error = "", str(failed)
        self._audit.write(ITSELF, f"{'failed' if error else 'done'}: {todo}", error or said)
        self.state, then = ended(before, error)
        return then

    def _tell(self) -> None:
        reasons = "; ".join(self.state.reasons)
        self._audit.write(ITSELF, f"failover: {self.state.phase.value}", reasons)
        self._log("failover", phase=self.state.phase.value, reasons=reasons)
        if self.state.phase in (Phase.REFUSED, Phase.FAILED):
            self._autonomy.worries = (f"failover {self.state.phase.value}: {reasons}",)
        else:
            self._autonomy.worries = ()
        self._autonomy.poke()
