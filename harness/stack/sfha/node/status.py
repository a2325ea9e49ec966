"""What a node says of itself and the cluster when asked. There is no key and no token in it, nor a place for one."""

from dataclasses import dataclass

from ..claim.status import FencingStatus
from ..services.status import HealthStatus, ServiceStatus
from ..vips.status import VipStatus


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
    reluctant: tuple[str, ...] = ()
    """Why it would rather not lead, by name (`reluctant.NAME` is the sentence)."""


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
