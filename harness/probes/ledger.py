"""The ledger: what clients wrote through the VIP, how each write ended, and what is there afterwards."""

import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.probes.line_process import LineProcess
from harness.probes.workload import Settings

_GRACE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Writes so far. ``invoked`` exceeds the sum of the others by those under way."""

    invoked: int
    ok: int
    failed: int
    unknown: int


class Ledger:
    """A process in a client's namespace that writes at a steady rate; every write is in the history.

    Usable as ``async with Ledger(settings)``; start it early, it takes a moment, and it writes
    only inside ``async with ledger.writing()``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process = LineProcess(
            "harness.probes.workload",
            (json.dumps(dataclasses.asdict(settings)),),
            Path(settings.history).with_name("workload.log"),
        )

    async def start(self) -> None:
        """Start the process; nothing is written yet."""
        await self._process.start()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Self]:
        """Write at the rate of the settings; at the end, wait for the writes under way."""
        await self._process.ask({"do": "write"})
        try:
            yield self
        finally:
            await self._process.ask({"do": "pause"}, within_s=self._settings.timeout_s + _GRACE_S)

    async def counts(self) -> Counts:
        """How many writes were invoked, and how they ended."""
        found = await self._process.ask({"do": "counts"})
        assert isinstance(found, dict)
        return Counts(**{name: int(str(number)) for name, number in found.items()})

    async def first_acknowledged_after(self, t_s: float) -> float | None:
        """When the first write after ``t_s`` was acknowledged, or None so far (fit for harness.wait.until)."""
        found = await self._process.ask({"do": "first_acknowledged_after", "t_s": float(t_s)})
        return found if isinstance(found, float) else None

    async def read_back(self, node: str, address: str, *, within_s: float = 10.0) -> int:
        """Record everything one member holds, asked directly at its own address; gives the number of values.

        To be done after the heal. Raises HarnessError when the member could not be read in time.
        """
        request = {"do": "read_back", "node": node, "address": address, "within_s": float(within_s)}
        found = await self._process.ask(request, within_s=within_s + 2 * _GRACE_S)
        assert isinstance(found, int)
        return found

    async def close(self) -> None:
        """End the process; everything it noted is in the history. Idempotent."""
        await self._process.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
