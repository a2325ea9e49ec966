"""Claims, what a voter stores of them, and what the nodes say to each other about them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Ballot:
    """Ordered by round, then node; no node ever uses one twice. Round 0 belongs to nobody."""

    round: int
    node: int


NOBODYS = Ballot(0, 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """``ballot.node`` may be running exclusive services, unless the claim is ``over``: released, or fenced."""

    ballot: Ballot = NOBODYS
    over: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """What a voter has on its disk."""

    promised: Ballot = NOBODYS
    claim: Claim = Claim()


# --- messages between nodes ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """ "Promise me this ballot" or, with ``accept``, "write down its claim". ``waits_for`` is the claim in the way."""

    ballot: Ballot
    accept: bool
    waits_for: Ballot = NOBODYS


@dataclass(frozen=True, slots=True)
class Tell:
    """The answer to an Ask of this ballot: whether it was done, and what the voter has written down."""

    ballot: Ballot
    accept: bool
    ok: bool
    stored: Stored


@dataclass(frozen=True, slots=True)
class Over:
    """The claim of this ballot is over: its node runs nothing any more, or has no power."""

    ballot: Ballot


Message = Ask | Tell | Over
