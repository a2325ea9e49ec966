"""What the API asks of the daemon that it runs in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BackendState:
    """A backend as it is now. ``in_use``: the edge sends it traffic."""

    service: str
    site: str
    address: str
    verdict: str
    in_use: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class EdgeState:
    """The edge as it is now; ``in_force`` and ``wanted`` are hashes of configurations."""

    reachable: bool
    in_force: str | None
    wanted: str | None
    held: bool
    loads: int
    repairs: int
    error: str | None


class Live(Protocol):
    """Called from other threads than the daemon's."""

    def backends(self) -> list[BackendState]:
        """Every backend that is watched."""

    def edge(self) -> EdgeState:
        """The edge."""

    def counters(self) -> Mapping[str, float]:
        """Name -> value, for the metrics."""

    def poke(self) -> None:
        """The database was changed: look now."""
