"""What a fault is to whoever injects it: something done to a cluster, seen from outside, and undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from harness.events import Json
from harness.healing import HealAction

Where_contra = TypeVar("Where_contra", contravariant=True)


class Effect(Enum):
    """How much of what a fault does is there."""

    ALL = "all of it"
    SOME = "some of it"
    NONE = "nothing of it"


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a fault's effect, and the evidence: a sentence."""

    effect: Effect
    evidence: str


class Fault(Protocol[Where_contra]):
    """Something done to a cluster. It goes through ``lacks``, ``aim``, ``inject`` and ``see``, in this order.

    It is healed by ``end``, and then by carrying out what ``aim`` returned. That is written down before ``inject``, so
    that whoever else has to heal it does the very same. One look from outside, ``see``, tells both that it bites and
    that it is gone.
    """

    name: str
    targets: tuple[str, ...]
    """Whom it hits, by the names that the reader of a report knows; set by ``aim``."""
    bites_within_s: float
    """All of the effect is there within this time after ``inject``."""
    gone_within_s: float
    """Nothing of the effect is left within this time after the heal."""

    @property
    def parameters(self) -> Mapping[str, Json]:
        """Its arguments, apart from whom to hit."""

    def lacks(self, cluster: Where_contra) -> str | None:
        """Why it is impossible on this engine and host, and what would make it possible; None when it is possible."""

    def aim(self, cluster: Where_contra) -> tuple[HealAction, ...]:
        """Decide whom to hit; returns what undoes it. After NothingToAimAt it is called again in a moment."""

    async def inject(self, cluster: Where_contra) -> None:
        """Do it."""

    async def see(self, cluster: Where_contra) -> Seen:
        """Look once, from outside, how much of the effect is there. May be called again."""

    async def end(self, cluster: Where_contra) -> None:
        """Stop what the fault itself goes on doing. May be called again."""
