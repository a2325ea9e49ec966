"""What a fault is to whoever injects it: something done to a cluster that is seen from outside, and undone."""

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
    """Something done to a cluster, in this order: it is asked what it lacks, aims, injects, and is looked at.

    It is healed by ``end`` and then by carrying out what ``aim`` gave, which is written down before ``inject``: so
    whoever else has to heal it does the very same. The same look from outside tells that it bites and that it is gone.
    """

    name: str
    targets: tuple[str, ...]
    """Whom it hits, as the reader of a report knows them; from ``aim`` on."""
    bites_within_s: float
    """How long after ``inject`` all of the effect is there at the latest."""
    gone_within_s: float
    """How long after the heal nothing of the effect is there at the latest."""

    @property
    def parameters(self) -> Mapping[str, Json]:
        """What it was told besides whom to hit."""

    def lacks(self, cluster: Where_contra) -> str | None:
        """Why it is impossible on this engine and host, and what could do it; None when it is possible."""

    def aim(self, cluster: Where_contra) -> tuple[HealAction, ...]:
        """Decide whom to hit; gives what undoes it. Raises NothingToAimAt, and is called again in a moment."""

    async def inject(self, cluster: Where_contra) -> None:
        """Do it."""

    async def see(self, cluster: Where_contra) -> Seen:
        """Look, from outside, how much of the effect is there: a moment's look, which may be repeated."""

    async def end(self, cluster: Where_contra) -> None:
        """Stop what the fault itself goes on doing. May be called again."""
