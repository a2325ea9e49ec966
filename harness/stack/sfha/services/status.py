"""What a node tells of its services and health checks when asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as it stands on this node; ``healthy`` is None where no check has said anything yet."""

    name: str
    type: str
    state: str
    healthy: bool | None
    critical: bool
    exclusive: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """One health check; ``healthy`` is None where it is not being done, which is everywhere but on the leader."""

    name: str
    type: str
    target: str
    healthy: bool | None
    error: str | None
