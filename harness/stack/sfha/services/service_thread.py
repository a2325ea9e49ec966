"""The thread in which services are run and health is looked at; nothing is imported before it is needed.

All of it is done in a loop of its own, in a thread of its own: to fork and to execute a program takes its time, most of
all from a disk that hangs, and the lease's loop must not wait for it.
"""

import _thread
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from ...kit.ports import Log
    from ..config.resources import Check, Service
    from .core import Signal
    from .runner import Runner

Reported = Callable[["Signal"], None]
Probed = Callable[[str, int, str | None], None]


class ServiceThread:
    """Implements ports.ServicePort; what comes of things is reported in the loop that ``report_to`` was called in."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._reported: Reported = lambda _signal: None
        self._probed: Probed = lambda _name, _round, _error: None
        self._services: Sequence[Service] = ()
        self._runner: Runner | None = None
        self._lease_loop: asyncio.AbstractEventLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def report_to(self, reported: Reported, probed: Probed) -> None:
        """Who is told what came of things, in the running loop."""
        import asyncio

        self._reported, self._probed = reported, probed
        self._lease_loop = asyncio.get_running_loop()

    def configure(self, services: "Sequence[Service]") -> None:
        """How services are started from now on."""
        self._services = services
        if self._runner is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._runner.configure, services)

    async def clear(self) -> list[str]:
        """End what an earlier life of the daemon has left, processes and units; the names of its services."""
        if not self._services:
            return []
        import asyncio

        runner = self._the_runner()

        async def clear() -> list[str]:
            return [*runner.clear(), *await runner.clear_units()]

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(clear(), self._the_loop()))

    def start(self, name: str) -> None:
        """Start a service."""
        self._the_loop().call_soon_threadsafe(self._the_runner().start, name)

    def stop(self, name: str, *, kill: bool) -> None:
        """Stop a service."""
        runner = self._the_runner()
        self._the_loop().call_soon_threadsafe(lambda: runner.stop(name, kill=kill))

    def probe(self, name: str, round_: int, check: "Check") -> None:
        """Look at something's health."""
        self._the_loop().call_soon_threadsafe(self._begin, self._look(name, round_, check))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        self._tasks.start("health check", work)

    async def _look(self, name: str, round_: int, check: "Check") -> None:
        from ..health.probes import look

        error = await look(check)
        self._tell(lambda: self._probed(name, round_, error))

    # --- the thread ---

    def _the_loop(self) -> "asyncio.AbstractEventLoop":
        if self._loop is None:
            import asyncio

            from ...kit.tasks import Tasks
            from ...kit.threads import OwnThreads

            self._tasks = Tasks(self._log_there)
            self._loop = loop = asyncio.new_event_loop()
            loop.set_default_executor(OwnThreads())
            # Services end with the thread that started them (see the runner), so it lives as long as the daemon.
            _thread.start_new_thread(loop.run_forever, ())
        return self._loop

    def _the_runner(self) -> "Runner":
        if self._runner is None:
            from .runner import Runner

            self._runner = Runner(lambda signal: self._tell(lambda: self._reported(signal)), self._log_there)
            self._runner.configure(self._services)
        return self._runner

    def _log_there(self, event: str, **fields: object) -> None:
        """The log is written by the lease's loop."""
        self._tell(lambda: self._log(event, **fields))

    def _tell(self, report: Callable[[], None]) -> None:
        assert self._lease_loop is not None
        with suppress(RuntimeError):  # that loop has ended, and nobody wants to know any more
            self._lease_loop.call_soon_threadsafe(report)
