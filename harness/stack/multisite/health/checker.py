"""Looks at every backend, again and again, and keeps who takes traffic up to date."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ..inventory.seen import Seen
from ..inventory.snapshot import Backend, Snapshot
from .core import HealthCore, Key, Outcome, Rhythm, Rotation, Rules, Verdict
from .look import Asked

TICK_S = 0.25
"""How often leases are looked through."""
SOON_S = 0.1
"""Within this each is looked at for the first time, or has its turn to be."""
_PAUSES = 4
"""To publish takes longer the more backends there are: so many times as long as it took, there is no other."""


class Checker:
    """``publish`` gets the rotation when it may have changed, ``keep`` every look that is worth keeping."""

    def __init__(
        self, rules: Rules, rhythm: Rhythm, publish: Callable[[Rotation], None], keep: Callable[[Seen], None]
    ) -> None:
        self.core, self._rhythm = HealthCore(rules), rhythm
        self._told, self._keep = publish, keep
        self._tasks: dict[Key, tuple[Backend, asyncio.Task[None]]] = {}
        self._turn = asyncio.Semaphore(rhythm.at_once)
        self._unseen: set[Key] = set()
        self._silent: frozenset[str] = frozenset()
        self._all_seen = asyncio.Event()
        self._sampled_s: dict[Key, float] = {}
        self._next_s = 0.0
        self._later: asyncio.TimerHandle | None = None
        self.looks = 0

    def watch(self, snapshot: Snapshot) -> None:
        """From now on these backends; the looks of those that stay go on undisturbed."""
        self.core.watch(snapshot)
        wanted = {backend.key: backend for backend in snapshot.backends if not backend.idle}
        for key, (backend, task) in list(self._tasks.items()):
            other = wanted.get(key)
            if other is None or other.health != backend.health:
                task.cancel()
                del self._tasks[key]
                self._unseen.discard(key)
        for key, backend in wanted.items():
            if key not in self._tasks:
                self._unseen.add(key)
                self._tasks[key] = (backend, asyncio.create_task(self._look_again_and_again(backend), name=f"{key}"))
        if not self._unseen:
            self._all_seen.set()
        self._publish()

    async def first_round(self) -> None:
        """Wait until each has been looked at once."""
        await self._all_seen.wait()

    async def run(self) -> None:
        """Let leases run out; until cancelled, and then no look goes on."""
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self._publish()
        finally:
            if self._later is not None:
                self._later.cancel()
            for _, task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self._tasks.values()), return_exceptions=True)

    def _publish(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        begun_s = time.monotonic()
        rotation = self.core.rotation(begun_s)
        self._silent = rotation.silent
        self._told(rotation)
        ended_s = time.monotonic()
        self._next_s = ended_s + _PAUSES * (ended_s - begun_s)

    def _publish_soon(self) -> None:
        """At once, or with what else there is by then where that would be all that this does."""
        if self._later is None:
            wait_s = self._next_s - time.monotonic()
            if wait_s <= 0:
                self._publish()
            else:
                self._later = asyncio.get_running_loop().call_later(wait_s, self._publish)

    async def _look_again_and_again(self, backend: Backend) -> None:
        asked, interval_s = Asked(backend), self._rhythm.interval_s
        # All are known soon. From then on they are spread over the interval: all at once would keep the loop busy.
        next_s = time.monotonic() + random.uniform(0, min(interval_s, SOON_S))
        pause_s = random.uniform(0, interval_s)
        try:
            while True:
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))
                async with self._turn:
                    begun_s = time.monotonic()
                    outcome, detail = await asked.look(self._rhythm.timeout_s)
                self._seen(backend, outcome, detail, begun_s)
                # Steady while answers are quick; what was missed is not made up for.
                next_s, pause_s = max(next_s + pause_s, time.monotonic()), interval_s
        finally:
            asked.close()

    def _seen(self, backend: Backend, outcome: Outcome, detail: str, begun_s: float) -> None:
        now_s, key = time.monotonic(), backend.key
        self.looks += 1
        news = self.core.looked(key, outcome, detail, now_s)
        heard = outcome is not Outcome.silence and backend.address in self._silent
        is_first = key in self._unseen
        self._unseen.discard(key)
        if is_first and not self._unseen:
            self._publish()  # whoever waits for all goes by what is published
            self._all_seen.set()
        elif news is not None or is_first or heard:
            self._publish_soon()
        due = now_s - self._sampled_s.get(key, float("-inf")) >= self._rhythm.sample_s
        if due or news is not None:
            self._sampled_s[key] = now_s
        latency_ms = round((now_s - begun_s) * 1000, 3) if outcome is not Outcome.silence else None
        healthy = self.core.verdict(key, now_s) is not Verdict.down
        event = due or news is not None
        self._keep(Seen(*key, healthy, datetime.now(UTC), latency_ms, detail or None, event))
