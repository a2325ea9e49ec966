"""What somebody asked the daemon to do, from the question to the end. Pure.

A request that needs a person waits for one; whoever answers it says why, and is written down. What was approved is
looked at again before it is done: the risk may be another by then.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum

APPROVAL_FOR_S = 24 * 3600.0
"""How long a question waits; nobody is to approve what was seen yesterday."""


class State(Enum):
    """Where a request is."""

    WAITING = "waiting for approval"
    READY = "ready"
    """May be done; not begun."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    REFUSED = "refused"
    EXPIRED = "expired"


S = State
TRANSITIONS: Mapping[State, Mapping[str, State]] = {
    S.WAITING: {"approve": S.READY, "refuse": S.REFUSED, "expire": S.EXPIRED},
    S.READY: {"begin": S.RUNNING, "block": S.BLOCKED, "ask": S.WAITING},
    S.RUNNING: {"done": S.DONE, "failed": S.FAILED, "again": S.READY},
    S.DONE: {},
    S.FAILED: {},
    S.BLOCKED: {},
    S.REFUSED: {},
    S.EXPIRED: {},
}
"""State -> word -> next state; ``again``: the daemon was killed while it ran."""


class NotNow(Exception):
    """The request is not in a state for that; the message says in which it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """One of them; times are UTC, in seconds since 1970."""

    id: str
    act: str
    arguments: Mapping[str, str]
    asked_by: str
    asked_at_s: float
    state: State
    risk: str = "low"
    reasons: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at_s: float = 0.0
    decided_why: str = ""
    outcome: str = ""

    @property
    def approved(self) -> bool:
        """Whether a person did."""
        return bool(self.decided_by) and self.state in (S.READY, S.RUNNING, S.DONE, S.FAILED)

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return not TRANSITIONS[self.state]


@dataclass(frozen=True, slots=True)
class Requests:
    """All that are remembered, the oldest first."""

    by_id: Mapping[str, Request] = field(default_factory=dict)

    def put(self, one: Request, keep: int = 500) -> "Requests":
        """With this one in its place; of those that ended, the oldest are forgotten."""
        known = {**self.by_id, one.id: one}
        ended = [each.id for each in known.values() if each.ended]
        for old in ended[: max(0, len(known) - keep)]:
            del known[old]
        return Requests(known)


def moved(one: Request, word: str, *, outcome: str = "") -> Request:
    """In its next state. Raises NotNow."""
    row = TRANSITIONS[one.state]
    if word not in row:
        raise NotNow(f"request {one.id} is {one.state.value}: it cannot be {_PARTICIPLES.get(word, word)} any more")
    return replace(one, state=row[word], outcome=outcome or one.outcome)


_PARTICIPLES = {"approve": "approved", "refuse": "refused", "begin": "begun"}


def answered(one: Request, word: str, who: str, at_s: float, why: str) -> Request:
    """Approved or refused by a person. Raises NotNow."""
    return replace(moved(one, word), decided_by=who, decided_at_s=at_s, decided_why=why)


def expired(one: Request, now_s: float) -> bool:
    """Whether it has waited too long."""
    return one.state is S.WAITING and now_s - one.asked_at_s > APPROVAL_FOR_S


def after_a_restart(one: Request) -> Request:
    """What ran when the daemon ended is done again: a move goes on by its journal, the rest may be repeated."""
    return moved(one, "again") if one.state is S.RUNNING else one


def to_json(one: Request) -> dict[str, object]:
    """For the disk and for whoever asks."""
    return asdict(one) | {"state": one.state.value, "arguments": dict(one.arguments), "reasons": list(one.reasons)}


def from_json(document: Mapping[str, object]) -> Request:
    """The inverse. Raises ValueError."""
    try:
        known = dict(document)
        known["state"] = State(known["state"])
        known["reasons"] = tuple(str(one) for one in known["reasons"])  # type: ignore[attr-defined]
        return Request(**known)  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a request: {error}") from error
