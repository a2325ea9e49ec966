"""Moves that nobody goes on with."""

from ...autonomy.core import Act
from ..core.declared import Found, Incident, Limits
from ..core.facts import Facts


def interrupted_move(facts: Facts) -> Found:
    """Begun, not ended, and nobody is at it; also what was left over."""
    for identity, move in facts.moves.items():
        if not move.busy and not move.damaged:
            yield identity, f"{move.source} to {move.target}: it was left in '{move.phase}'"


def damaged_journal(facts: Facts) -> Found:
    """Nobody guesses what it said."""
    for identity, move in facts.moves.items():
        if move.damaged:
            yield identity, move.damaged


INCIDENTS = (
    Incident(
        "interrupted-move",
        "warning",
        interrupted_move,
        "mfs-autonomy move --resume",
        "go on with the move",
        Act.RESUME,
        Limits(tries=3, apart_s=60),
        proof=lambda facts, identity: identity not in facts.moves,
    ),
    Incident(
        "damaged-journal",
        "critical",
        damaged_journal,
        "look at source and target of the move: neither is deleted by anybody until its journal is taken away",
        "give up the move",
        Act.RESUME,
        Limits(tries=1, within_s=86400.0),
        proof=lambda facts, identity: identity not in facts.moves,
    ),
)
