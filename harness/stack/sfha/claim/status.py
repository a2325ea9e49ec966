"""What a node tells of fencing when asked."""

from dataclasses import dataclass

from ..notices.status import NoticeStatus


@dataclass(frozen=True, slots=True)
class FencedStatus:
    """What fencing says of one node: when it is due, or why it is due but must not be (see fencing/signals.py)."""

    name: str
    configured: bool
    off: bool
    due_in_s: float | None
    refused: str | None
    told: NoticeStatus | None = None
    """What the program `stonith.notify` was told of it; None where there is none, or nothing was said."""


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
    notify: str | None = None
    """The program that is told of dead nodes."""
