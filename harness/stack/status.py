"""What a node says of itself and the cluster when asked. There is no key and no token in it, nor a place for one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node of the cluster as the asked one sees it: ``online`` says Corosync, ``sfhaRunning`` its heartbeats.

    A daemon that is dead while its Corosync lives is online and not running. The names are those that programs read
    in `sfha status --json`.
    """

    name: str
    node_id: int
    online: bool
    sfhaRunning: bool
    standby: bool
    leader: bool
    lacks: int = 0
    """How many addresses it could not offer."""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """What is known of a peer's daemon; ``heard_s_ago`` is None before its first heartbeat."""

    name: str
    node_id: int
    heard_s_ago: float | None
    alive: bool
    standby: bool
    ready: bool
    leader: int | None


@dataclass(frozen=True, slots=True)
class VipStatus:
    """One virtual address as this node sees it; ``lacks`` is why this node could not offer it, as a message."""

    name: str
    address: str
    interface: str
    held: bool
    present: bool
    error: str | None
    lacks: dict[str, object] | None = None


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


@dataclass(frozen=True, slots=True)
class FencedStatus:
    """What fencing says of one node: when it is due, or why it is due but must not be (see fencing/signals.py)."""

    name: str
    configured: bool
    off: bool
    due_in_s: float | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class FencingStatus:
    """Fencing as this node sees it; ``waits_for`` is the node that exclusive services wait for."""

    enabled: bool
    provider: str
    permitted: bool
    waits_for: str | None
    running: str | None
    grace_left_s: float
    nodes: tuple[FencedStatus, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The answer to `sfha status`. It holds no secret."""

    cluster: str
    node: str
    node_id: int
    profile: str
    ready: bool
    standby: bool
    quorate: bool
    members: tuple[int, ...]
    ring: int
    leader: int | None
    leader_name: str | None
    active: bool
    lease: str
    promised_to: int | None
    gate_egress: bool | None
    broken_on_purpose: tuple[str, ...]
    vips: tuple[VipStatus, ...]
    peers: tuple[PeerStatus, ...]
    nodes: tuple[NodeStatus, ...]
    services: tuple[ServiceStatus, ...] = ()
    health: tuple[HealthStatus, ...] = ()
    handing_over: bool = False
    ailing: bool = False
    preferred: int | None = None
    preferred_for_s: float = 0.0
    revision: int = 0
    stonith: FencingStatus | None = None
    """None where fencing is off."""
