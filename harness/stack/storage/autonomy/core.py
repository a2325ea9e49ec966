"""Five levels of autonomy, and what each allows: asked before everything that is done. Pure.

A level allows what those below it allow. What preflight calls a critical risk is blocked on every level, and by every
approval; a high one needs a person on every level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Literal

from ..preflight.core import Risk


class Level(IntEnum):
    """How far it may go."""

    READ_ONLY = 1
    """Looks, measures, reports."""
    SAFE = 2
    """Also sends alerts, makes snapshots, and puts in order what is its own and holds nobody's data."""
    STORAGE = 3
    """Also maps, unmaps and mends mappings; moves, each with a person's approval."""
    ADVANCED = 4
    """Also moves and tiers by itself, and ends programs that are in the way."""
    FAILOVER = 5
    """Also makes another machine the master of MooseFS."""


class Act(Enum):
    """What is asked for."""

    LOOK = "look"
    PREFLIGHT = "preflight"
    ALERT = "alert"
    TIDY = "tidy"
    """Take away or make anew what holds no data: links, sockets, modules, processes that serve nobody."""
    SNAPSHOT = "snapshot"
    """Keep what a volume has now; of snapshots that were made so, delete those that are more than are to be kept."""
    MAP = "map"
    UNMAP = "unmap"
    MEND = "mend"
    """Let go of a mapping that does not work, and map again."""
    RESUME = "resume"
    """Go on with a move that was approved and interrupted."""
    MOVE = "move"
    TIER = "tier"
    """Give a volume another storage class of MooseFS: more copies, or fewer."""
    END_PROGRAM = "end program"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Rule:
    """Of one act."""

    needs: Level
    alone_from: Level | None = None
    """Below this level a person approves it each time; None: never needed for this alone."""
    changes: bool = True
    """Whether anything is changed by it."""


RULES: Mapping[Act, Rule] = {
    Act.LOOK: Rule(Level.READ_ONLY, changes=False),
    Act.PREFLIGHT: Rule(Level.READ_ONLY, changes=False),
    Act.ALERT: Rule(Level.SAFE, changes=False),
    Act.TIDY: Rule(Level.SAFE),
    Act.SNAPSHOT: Rule(Level.SAFE),
    Act.MAP: Rule(Level.STORAGE),
    Act.UNMAP: Rule(Level.STORAGE),
    Act.MEND: Rule(Level.STORAGE),
    Act.RESUME: Rule(Level.STORAGE),
    Act.MOVE: Rule(Level.STORAGE, alone_from=Level.ADVANCED),
    Act.TIER: Rule(Level.STORAGE, alone_from=Level.ADVANCED),
    Act.END_PROGRAM: Rule(Level.STORAGE, alone_from=Level.ADVANCED),
    Act.PROMOTE: Rule(Level.FAILOVER),
}
"""The whole of it."""
Verdict = Literal["allowed", "needs approval", "blocked"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may be done, and why not."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def decide(
    level: Level, act: Act, risk: Risk = Risk.LOW, reasons: Sequence[str] = (), *, approved: bool = False
) -> Decision:
    """Whether it may be done now; ``reasons`` are preflight's for its risk, ``approved`` says that a person did."""
    rule = RULES[act]
    if level < rule.needs:
        why = (
            f"'{act.value}' needs level {rule.needs.value} ({rule.needs.name.lower()}), and the level is {level.value}"
        )
        return Decision("blocked", (why,))
    if not rule.changes:
        return Decision("allowed")
    if risk is Risk.CRITICAL:
        return Decision("blocked", ("the risk is critical", *reasons))
    if approved:
        return Decision("allowed")
    if risk is Risk.HIGH:
        return Decision("needs approval", ("the risk is high", *reasons))
    if rule.alone_from is not None and level < rule.alone_from:
        why = f"below level {rule.alone_from.value} each '{act.value}' is approved by a person"
        return Decision("needs approval", (why,))
    return Decision("allowed")
