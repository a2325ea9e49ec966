"""What a member has promised and accepted, on the disk before anybody is told (C2)."""

import json
from pathlib import Path

from ...kit.durable import write_durably
from .core import Accepted, Acceptor, Roster, ballot_from_json, roster_from_json, roster_to_json

STATE_PATH = Path("/var/lib/sfha/roster.json")
SEALED, PAIRED = "sealed", "paired"
"""In a state that was stored by a version whose datagrams are sealed, and whose requests are signed for each pair."""


class StoreError(Exception):
    """The state cannot be read or written; the message says which file and why."""


def state_of(acceptor: Acceptor) -> str:
    """The state as text, to be taken before anything else can change it."""
    accepted = acceptor.accepted
    state = {
        SEALED: True,
        PAIRED: True,
        "roster": roster_to_json(acceptor.current),
        "promised": list(acceptor.promised),
        "accepted": [list(accepted.ballot), roster_to_json(accepted.roster)] if accepted else None,
    }
    return json.dumps(state, indent=1) + "\n"


def store(state: str, path: Path = STATE_PATH) -> None:
    """Write a state down. Raises StoreError."""
    try:
        write_durably(path, state)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def restore(first: Roster, path: Path = STATE_PATH) -> Acceptor:
    """The state as it was stored; an acceptor of ``first`` where nothing newer was. Raises StoreError."""
    try:
        state = json.loads(path.read_text())
        current = roster_from_json(state["roster"])
        promised = ballot_from_json(state["promised"])
        kept = state["accepted"]
        accepted = Accepted(ballot_from_json(kept[0]), roster_from_json(kept[1])) if kept else None
    except FileNotFoundError:
        return Acceptor(first)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreError(
            f"{path}: cannot be used ({error}); a node that forgot what it promised must not vote: "
            "remove it from the cluster on another node, and join anew"
        ) from error
    return Acceptor(current, promised, accepted)
