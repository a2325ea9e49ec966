"""Makes the snapshots that are due, and one before something is mended; all of it is in the audit log first."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...kit.ports import Log
from ..autonomy.core import Act, Level, decide
from ..mapping.ports import PortFailed
from ..snapshots.core import NOTHING, Due, Taken
from ..snapshots.taking import Snapshots, Wanted, covering
from .audit import ITSELF, AuditLog
from .core.alerts import Alert


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one folder, at the last look."""

    taken: tuple[Taken, ...] = ()
    due: Due = NOTHING
    trouble: str = ""
    """Why there are none, or fewer than were meant."""


class Snapshotting:
    """One loop beside the others; ``seen`` is for whoever asks."""

    def __init__(self, wanted: Wanted, audit: AuditLog, level: Callable[[], Level], log: Log) -> None:
        self.wanted, self._audit, self._level, self._log = wanted, audit, level, log
        self.seen: dict[Path, Seen] = {}
        self.made = self.dropped = 0
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self.wanted.every_s)

    async def look(self) -> None:
        """Once, at all folders; below level 2 it is only seen what is due."""
        async with self._lock:
            for folder in self.wanted.folders:
                self.seen[folder] = await asyncio.to_thread(self._look, Snapshots(folder))

    @property
    def _allowed(self) -> bool:
        return decide(self._level(), Act.SNAPSHOT).verdict == "allowed"

    def _look(self, one: Snapshots) -> Seen:
        try:
            due = one.due(self.wanted.policy)
            troubles: list[str] = []
            if self._allowed:
                troubles += [due.waits] if due.waits else []
                for volume in due.make:
                    troubles += self._made(one, volume)
                for taken in due.drop:
                    self._drop(one, taken)
            return Seen(one.taken(), due, "; ".join(dict.fromkeys(troubles)))
        except (PortFailed, OSError) as error:
            self._log("snapshots", folder=str(one.folder), error=str(error))
            return Seen(trouble=str(error))

    def _made(self, one: Snapshots, volume: str) -> list[str]:
        """Why there is none: what one volume lacks keeps no other from its own."""
        self._audit.write(ITSELF, "makes a snapshot", "by the schedule", subject=str(one.folder / volume))
        try:
            one.make(volume)
        except (PortFailed, OSError) as error:
            return [str(error)]
        self.made += 1
        return []

    def _drop(self, one: Snapshots, taken: Taken) -> None:
        self._audit.write(ITSELF, "deletes a snapshot", "more than are kept", snapshot=str(one.into / taken.name))
        one.drop(taken)
        self.dropped += 1

    async def before(self, subject: str) -> None:
        """One of the volume that is about to be mended, where the settings have a folder of it.

        Where none can be made that is written down, and it is mended all the same: until then nobody can use it.
        """
        found = covering(self.wanted, Path(subject))
        if found is None or not self._allowed:
            return
        one, volume = found
        async with self._lock:
            self._audit.write(ITSELF, "makes a snapshot", "before it is mended", subject=str(one.folder / volume))
            try:
                await asyncio.to_thread(one.make, volume, "before")
            except (PortFailed, OSError) as error:
                self._audit.write(ITSELF, "failed: snapshot", str(error), subject=str(one.folder / volume))
            else:
                self.made += 1

    def alerts(self) -> list[Alert]:
        """Folders whose volumes have no snapshots that they should have."""
        return [
            Alert("no-snapshot", str(folder), "warning", seen.trouble)
            for folder, seen in self.seen.items()
            if seen.trouble
        ]
