"""Keeps the edge at the configuration that it should have: after changes, and when somebody else changed it."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ...kit.durable import write_durably
from ...kit.ports import Log
from ..routing.core import canonical, digest
from .admin import Admin, EdgeError, EdgeRefused
from .program import validate

LOOK_EVERY_S = 0.5
AGAIN_AFTER_REFUSAL_S = 10.0


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """What is known of the edge. ``repairs`` counts what was put right without a change of ours."""

    reachable: bool = False
    in_force: str | None = None
    wanted: str | None = None
    loads: int = 0
    repairs: int = 0
    error: str | None = None


class Journal(Protocol):
    """Where versions are noted; must not raise, since the edge has to be kept also without a database."""

    async def applied(self, digest: str) -> None: ...

    async def refused(self, digest: str, why: str) -> None: ...


class ConfigSync:
    """One edge. ``want`` says what it should have; ``run`` sees to it."""

    def __init__(self, admin: Admin, program: str | None, last_good: Path, journal: Journal, log: Log) -> None:
        self._admin, self._program, self._last_good = admin, program, last_good
        self._journal, self._log = journal, log
        self._wanted: Mapping[str, Any] | None = None
        self._news = asyncio.Event()
        self._refused: tuple[str, float] | None = None
        self._applied: str | None = None
        self.status = EdgeStatus()

    def want(self, document: Mapping[str, Any]) -> None:
        """From now on this configuration."""
        hash_ = digest(document)
        if hash_ != self.status.wanted:
            self._wanted = document
            self._refused = None
            self.status = replace(self.status, wanted=hash_)
            self._news.set()

    async def run(self) -> None:
        """Look, again and again; until cancelled."""
        while True:
            await self.look()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()

    async def look(self) -> None:
        """Compare once, and put right what is not."""
        try:
            found = await self._admin.configuration()
            in_force = hashlib.sha256(canonical(found).encode()).hexdigest() if found is not None else None
            in_order = self._wanted is None or in_force == self.status.wanted
            self._note(reachable=True, in_force=in_force, error=None if in_order else self.status.error)
            if not in_order:
                await self._put_right()
        except EdgeError as error:
            self._note(reachable=False, in_force=None, error=str(error))

    async def _put_right(self) -> None:
        document, hash_ = self._wanted, self.status.wanted
        if document is None or hash_ is None:
            return
        if self._refused is not None and time.monotonic() - self._refused[1] < AGAIN_AFTER_REFUSAL_S:
            return
        try:
            # What the edge had already it takes again; only what is new is asked about first.
            if self._program is not None and hash_ != self._applied:
                await validate(self._program, document)
            await self._admin.load(document)
        except EdgeRefused as error:
            self._refused = (hash_, time.monotonic())
            self._note(error=f"refused: {error}")
            await self._journal.refused(hash_, str(error))
            return
        repaired = hash_ == self._applied
        self._applied = hash_
        self._note(in_force=hash_, error=None, loads=self.status.loads + 1, repairs=self.status.repairs + int(repaired))
        self._log("edge-repaired" if repaired else "edge-configured", version=hash_[:16])
        await asyncio.to_thread(write_durably, self._last_good, canonical(document))
        await self._journal.applied(hash_)

    def _note(self, **changes: Any) -> None:
        before = self.status
        self.status = replace(self.status, **changes)
        if self.status.error and self.status.error != before.error:
            self._log("edge-error", message=self.status.error)
        if self.status.reachable and not before.reachable:
            self._log("edge-reached")
