"""Where a node stands with its own lease, and what takes it from there to where. Pure.

The table is the whole of it: the core has no other way to change its phase, so what is not a row here cannot
happen. What is said and done on the way is in core.py; docs/lease.md shows the table to people.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Phase(Enum):
    """Where a node stands with its own lease."""

    OUT = "out"
    """It has none, and asks for none. Its gate is closed, is being closed, or has run out."""
    ARMING = "arming"
    """The kernel is at work on the arming."""
    ASKING = "asking"
    """The arming lives; a majority is asked for its votes, and then the kernel to open."""
    HOLDING = "holding"
    """The gate is open, for a moment; it is kept open by votes that are asked for all the time."""


class Turn(Enum):
    """What takes a lease from one phase to the next: the node's own decisions, and what its kernel says."""

    ENTITLED = "entitled"
    """This node leads, may vote, and its gate is closed: the kernel is asked to arm."""
    ARMED = "armed"
    """The kernel executed the arming."""
    OPENED = "opened"
    """The kernel executed the opening."""
    RENEWED = "renewed"
    """The kernel executed the renewal."""
    REFUSED = "refused"
    """The kernel did not do what it was asked: an arming or a lease has run out, or the gate is broken."""
    TOO_LATE = "too-late"
    """The arming ran out before a majority had voted: the kernel is asked to arm again."""
    LEFT = "left"
    """No longer entitled, no majority in time, or shut down: the kernel is asked to close."""


class OutOfTurn(Exception):
    """Something was told that cannot have happened; the message says what, and in which phase."""

    def __init__(self, phase: Phase, turn: Turn) -> None:
        super().__init__(f"a lease that is {phase.value} cannot be {turn.value}")


TRANSITIONS: Mapping[Phase, Mapping[Turn, Phase]] = MappingProxyType(
    {
        Phase.OUT: {
            Turn.ENTITLED: Phase.ARMING,
            Turn.LEFT: Phase.OUT,  # given up once more: closed once more
        },
        Phase.ARMING: {
            Turn.ARMED: Phase.ASKING,
            Turn.REFUSED: Phase.OUT,
            Turn.LEFT: Phase.OUT,  # while the kernel is at work; its answer is not heard any more
        },
        Phase.ASKING: {
            Turn.OPENED: Phase.HOLDING,
            Turn.TOO_LATE: Phase.ARMING,
            Turn.REFUSED: Phase.OUT,
            Turn.LEFT: Phase.OUT,
        },
        Phase.HOLDING: {
            Turn.RENEWED: Phase.HOLDING,
            Turn.REFUSED: Phase.OUT,
            Turn.LEFT: Phase.OUT,
        },
    }
)


def after(phase: Phase, turn: Turn) -> Phase:
    """The phase that a turn leads to. Raises OutOfTurn where the table has no such row."""
    try:
        return TRANSITIONS[phase][turn]
    except KeyError:
        raise OutOfTurn(phase, turn) from None
