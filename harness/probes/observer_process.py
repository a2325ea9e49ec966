"""Driving the observer process of a run."""

from pathlib import Path
from typing import Self

from harness.probes.commands import Command, as_request
from harness.probes.line_process import LineProcess


class Observer:
    """The observer process of one run; everything it sees is appended to ``history``.

    Usable as ``async with Observer(history)``, then ``await observer.do(WatchNode(...))``.
    """

    def __init__(self, history: Path) -> None:
        self._process = LineProcess("harness.probes.observer", (str(history),), history.with_name("observer.log"))

    @property
    def pid(self) -> int | None:
        """The process, while it is meant to run."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process; it can be told what to watch when this returns."""
        await self._process.start()

    async def do(self, command: Command) -> None:
        """Tell the observer something (see harness.probes.commands); it holds when this returns.

        Stopping what is not there is no error. Raises HarnessError with the observer's own words.
        """
        await self._process.ask(as_request(command))

    async def close(self) -> None:
        """End the process; everything seen up to now is in the history. Idempotent."""
        await self._process.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
