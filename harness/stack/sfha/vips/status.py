"""What a node tells of its virtual addresses when asked."""

from dataclasses import dataclass

from ..config.vip_settings import USUAL, VipSettings


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
    settings: VipSettings = USUAL
