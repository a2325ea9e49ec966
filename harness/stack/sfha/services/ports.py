"""What running services, and looking at health, needs from the outside world."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..config.resources import Check, Service


class ServicePort(Protocol):
    """Runs services and looks at health. Nothing waits: what came of it is reported to the node later."""

    def configure(self, services: "Sequence[Service]") -> None: ...
    def start(self, name: str) -> None: ...
    def stop(self, name: str, *, kill: bool) -> None: ...
    def probe(self, name: str, round_: int, check: "Check") -> None: ...


class NoServices:
    """For a node that runs none."""

    def configure(self, services: "Sequence[Service]") -> None:
        """Nothing to prepare."""

    def start(self, name: str) -> None:
        """Never called."""

    def stop(self, name: str, *, kill: bool) -> None:
        """Never called."""

    def probe(self, name: str, round_: int, check: "Check") -> None:
        """Never called."""


NO_SERVICES = NoServices()
