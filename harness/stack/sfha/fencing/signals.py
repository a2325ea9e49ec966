"""What the fencing core is told, and what it answers. Pure. Nodes are node ids; times are seconds of one clock."""

from dataclasses import dataclass
from enum import Enum

from .outlook import Outlook

REMEMBERED = 100
"""So many fencings are kept."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The section ``stonith`` as far as it decides anything (node ids, seconds)."""

    enabled: bool
    nodes: frozenset[int]
    require_quorum: bool = True
    min_delay_s: float = 60.0
    storm_limit: int = 2
    grace_s: float = 120.0
    delay_s: float = 10.0
    tells: bool = False
    """Whether something wants to know of every node that has no power."""


class Refusal(Enum):
    """Why a node is not fenced, in the order in which it is checked."""

    OWN = "own"
    NOT_CONFIGURED = "not-configured"
    DISABLED = "disabled"
    NO_QUORUM = "no-quorum"
    BUSY = "busy"
    STARTUP_GRACE = "startup-grace"
    MIN_DELAY = "min-delay"
    STORM = "storm"
    LOOP = "loop"


OVERRIDABLE = frozenset({Refusal.STARTUP_GRACE, Refusal.MIN_DELAY, Refusal.STORM, Refusal.LOOP})
"""What a person may override (`--force`). Never quorum."""


@dataclass(frozen=True, slots=True)
class Fencing:
    """One fencing: of which node, by which, when it was begun, and how it ended (``ok`` None: not yet)."""

    node: int
    by: int
    at_s: float
    automatic: bool
    ok: bool | None = None
    error: str = ""

    def is_same(self, other: "Fencing") -> bool:
        """Whether both tell of the same fencing; its time may have travelled and lost a little on the way."""
        return self.node == other.node and self.by == other.by and abs(self.at_s - other.at_s) < 1.0


# --- signals -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A node said that it stops, or (``taken_back``) that it goes on."""

    node: int
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """Services wait for this node to be fenced or to release them (None: for nobody)."""

    node: int | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Another node fences, or has fenced (the same ``at_s`` again, with its end)."""

    fencing: Fencing


@dataclass(frozen=True, slots=True)
class Switched:
    """The switch reported how the power-off of a node ended (``error`` empty: it is off for certain)."""

    node: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """The switch said whether the node has power (None: it could not tell)."""

    node: int
    off: bool | None


@dataclass(frozen=True, slots=True)
class Forgiven:
    """A person looked at the node (`unfence`): fencings until ``at_s`` are no loop. Told here, or by another node."""

    node: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


Signal = Outlook | Goodbye | WaitsFor | Noted | Switched | Looked | Forgiven | Wake

# --- actions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PowerOff:
    """Take the node's power and be certain of it; then signal Switched."""

    node: int


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the switch whether the node has power; then signal Looked."""

    node: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Note a fencing, or its end, and tell the other nodes."""

    fencing: Fencing


@dataclass(frozen=True, slots=True)
class IsOff:
    """The node has no power."""

    node: int


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The node will be fenced at ``at_s`` unless something changes."""

    node: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It will not."""

    node: int
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was due, but must not be; ``again_s`` says when it will be tried again (None: not by itself)."""

    node: int
    why: Refusal
    again_s: float | None


Action = PowerOff | Look | Tell | IsOff | Scheduled | Cancelled | Refused
