"""What the agent needs of the world."""

from collections.abc import Sequence
from typing import Protocol

from ..inventory.reports import Answer, Assignment, Report
from .core import Container


class EngineError(Exception):
    """Docker does not do what it is asked; says why in one line."""


class PlatformError(Exception):
    """The platform does not answer, or refuses; says why in one line."""


class Engine(Protocol):
    """Containers of this machine. Every method blocks, and raises EngineError."""

    def containers(self) -> Sequence[Container]:
        """Those with our labels, running or not."""

    def create(self, name: str, assignment: Assignment) -> None:
        """Make one, and start it; its image is fetched if it is not here."""

    def start(self, name: str) -> None:
        """Start one that is there."""

    def stop(self, name: str) -> None:
        """Ask it to end, and end it if it does not."""

    def remove(self, name: str) -> None:
        """Remove one that has ended."""


class Platform(Protocol):
    """The API."""

    async def report(self, report: Report) -> Answer:
        """Say how the machine is, and hear what it is to run. Raises PlatformError."""
