"""The port through which a node runs services and looks at health; nothing is imported before it is needed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from .resources import Check, Service
    from .services.core import Signal
    from .services.runner import Runner

Reported = Callable[["Signal"], None]
Probed = Callable[[str, int, str | None], None]


class Caretaker:
    """Implements ports.ServicePort on the running event loop."""

    def __init__(self) -> None:
        self._reported: Reported = lambda _signal: None
        self._probed: Probed = lambda _name, _round, _error: None
        self._services: Sequence[Service] = ()
        self._runner: Runner | None = None
        self._looks: set[asyncio.Task[None]] = set()

    def report_to(self, reported: Reported, probed: Probed) -> None:
        """Who is told what came of things."""
        self._reported, self._probed = reported, probed

    def configure(self, services: "Sequence[Service]") -> None:
        """How services are started from now on."""
        self._services = services
        if services or self._runner is not None:
            self._the_runner().configure(services)

    def clear(self) -> list[str]:
        """End what an earlier life of the daemon has left; the names of its services."""
        return self._the_runner().clear() if self._services else []

    async def clear_units(self) -> list[str]:
        """The same for units of systemd."""
        return await self._the_runner().clear_units() if self._services else []

    def start(self, name: str) -> None:
        """Start a service."""
        self._the_runner().start(name)

    def stop(self, name: str, *, kill: bool) -> None:
        """Stop a service."""
        self._the_runner().stop(name, kill=kill)

    def probe(self, name: str, round_: int, check: "Check") -> None:
        """Look at something's health."""
        import asyncio

        task = asyncio.get_running_loop().create_task(self._look(name, round_, check))
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    async def _look(self, name: str, round_: int, check: "Check") -> None:
        from .health.probes import look

        self._probed(name, round_, await look(check))

    def _the_runner(self) -> "Runner":
        if self._runner is None:
            from .services.runner import Runner

            self._runner = Runner(self._tell)
        return self._runner

    def _tell(self, signal: "Signal") -> None:
        self._reported(signal)
