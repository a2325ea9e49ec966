"""What the API asks of the daemon that it runs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..copies.copies import Sharing
from ..inventory.reports import Answer, MachineState, ReplicaState, Report
from ..network.hub import Tunnels

Overall = Literal["ok", "degraded", "down"]
"""``ok``: everybody is up and the edge is as it should be; ``down``: a service has nobody; else ``degraded``."""


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

    @property
    def in_order(self) -> bool:
        """Whether it answers, and has what it should."""
        return self.reachable and self.in_force == self.wanted


def without_backends(backends: Sequence[BackendState]) -> list[str]:
    """The services that the edge sends to nobody."""
    served = {one.service for one in backends if one.in_use}
    return sorted({one.service for one in backends} - served)


def overall(backends: Sequence[BackendState], edge: EdgeState) -> Overall:
    """One word for all of it."""
    if without_backends(backends):
        return "down"
    return "ok" if all(one.verdict == "up" for one in backends) and edge.in_order else "degraded"


class Machines(Protocol):
    """Where containers are placed. Called from other threads than the daemon's."""

    def report(self, name: str, report: Report) -> Answer:
        """A machine has spoken. Raises InventoryError."""

    def machines(self) -> list[MachineState]:
        """Every machine. Raises InventoryError."""

    def replicas(self) -> list[ReplicaState]:
        """Every container. Raises InventoryError."""

    def remove_machine(self, name: str) -> None:
        """It is no more. Raises NotThere; Conflict while it may still run something."""


class Live(Protocol):
    """Called from other threads than the daemon's."""

    @property
    def placing(self) -> Machines:
        """Where containers are placed."""

    @property
    def hub(self) -> Tunnels:
        """Where tunnels meet."""

    @property
    def copies(self) -> Sharing:
        """The machines that keep the inventory together."""

    def backends(self) -> list[BackendState]:
        """Every backend that is watched."""

    def edge(self) -> EdgeState:
        """The edge."""

    def counters(self) -> Mapping[str, float]:
        """Name -> value, for the metrics."""

    def poke(self) -> None:
        """The database was changed: look now."""
