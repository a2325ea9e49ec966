"""The clients of a run: a process that carries out loads and notes every operation in the history."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.probes.line_process import LineProcess
from harness.probes.workload import Settings

_GRACE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Operations so far. ``invoked`` exceeds the sum of the others by those under way."""

    invoked: int
    ok: int
    failed: int
    unknown: int


class Clients:
    """A process in a client's namespace that carries out loads at their rates.

    Usable as ``async with Clients(settings)``; start it early, it takes a moment, and it sends
    only inside ``async with clients.running()``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process = LineProcess(
            "harness.probes.workload", (settings.to_json(),), Path(settings.history).with_name("workload.log")
        )

    async def start(self) -> None:
        """Start the process; nothing is sent yet."""
        await self._process.start()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Send at the rates of the loads; at the end, wait for the operations under way."""
        await self._process.ask({"do": "begin"})
        try:
            yield self
        finally:
            longest_s = max((load.timeout_s for load in self._settings.loads), default=0.0)
            await self._process.ask({"do": "pause"}, within_s=longest_s + _GRACE_S)

    async def counts(self) -> Counts:
        """How many operations were invoked, and how they ended."""
        found = await self._process.ask({"do": "counts"})
        assert isinstance(found, dict)
        return Counts(**{name: int(str(number)) for name, number in found.items()})

    async def first_acknowledged_after(self, t_s: float) -> float | None:
        """When the first operation after ``t_s`` was acknowledged, or None so far (fit for harness.wait.until)."""
        found = await self._process.ask({"do": "first_acknowledged_after", "t_s": float(t_s)})
        return found if isinstance(found, float) else None

    async def read_back(self, node: str, address: str, *, within_s: float = 10.0) -> int:
        """Record everything one member holds of the ledger, asked directly; gives the number of values.

        To be done after the heal. Raises HarnessError when the member could not be read in time.
        """
        request = {"do": "read_back", "node": node, "address": address, "within_s": float(within_s)}
        found = await self._process.ask(request, within_s=within_s + 2 * _GRACE_S)
        assert isinstance(found, int)
        return found

    async def look_at_the_end(self, *, without: Collection[str] = (), within_s: float = 10.0) -> None:
        """Read every object of the other loads by every route, and drain every queue; ``without`` these members.

        To be done after the heal. Raises HarnessError when something could not be read in time.
        """
        request = {"do": "look_at_the_end", "without": [*without], "within_s": float(within_s)}
        await self._process.ask(request, within_s=within_s + 2 * _GRACE_S)

    async def close(self) -> None:
        """End the process; everything it noted is in the history. Idempotent."""
        await self._process.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
