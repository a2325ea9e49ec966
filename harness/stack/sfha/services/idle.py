"""A workload of nothing: for a node without services and health checks, which then need not even be imported."""

from typing import TYPE_CHECKING

from .status import HealthStatus, ServiceStatus

if TYPE_CHECKING:
    from ...kit.ports import Log
    from ..config.resources import Resources
    from .core import Signal
    from .ports import ServicePort
    from .workload import Workload

SHORTEST_HAND_OVER_S = 5.0


class IdleWorkload:
    """Answers as a Workload without anything in it would."""

    wake_s: float | None = None
    busy = False
    exclusive_stopped = True
    has_exclusive = False
    patience_s = SHORTEST_HAND_OVER_S

    def ailing(self, _now_s: float) -> bool:
        """Nothing can fail."""
        return False

    def forgive(self) -> None:
        """Nothing has failed."""

    def configure(self, _resources: "Resources", _now_s: float) -> None:
        """There is still nothing to run."""

    def conditions(
        self, *, run: bool, vips_up: frozenset[str], exclusive_permitted: bool, abrupt: bool, now_s: float
    ) -> None:
        """Nothing depends on them."""

    def service(self, _signal: "Signal", _now_s: float) -> None:
        """A late report of what was removed."""

    def probed(self, _name: str, _round: int, _error: str | None, _now_s: float) -> None:
        """A late answer about what was removed."""

    def wake(self, _now_s: float) -> None:
        """Never asked for."""

    def service_status(self) -> tuple[ServiceStatus, ...]:
        """None."""
        return ()

    def health_status(self) -> tuple[HealthStatus, ...]:
        """None."""
        return ()


def workload_for(resources: "Resources", port: "ServicePort", log: "Log") -> "IdleWorkload | Workload":
    """What runs these resources. Loading the real one takes 10 ms of processor time, too much for a start."""
    if not resources.services and not resources.health_checks:
        return IdleWorkload()
    from .workload import Workload

    return Workload(resources, port, log)
