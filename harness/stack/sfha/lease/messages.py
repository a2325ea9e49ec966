"""What nodes tell each other about the lease."""

from dataclasses import dataclass

View = tuple[int, int, int]
"""Which roster counts: its epoch, and the ballot in which the next one was accepted (zeros: it was not)."""
FIRST_VIEW: View = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """ "May I hold the lease?" ``incarnation`` is the sender's, ``number`` counts its requests, ``view`` see (R7)."""

    incarnation: int
    number: int
    view: View = FIRST_VIEW


@dataclass(frozen=True, slots=True)
class Vote:
    """The answer to a request. ``wait_s`` says how long an earlier promise still stands in the way."""

    incarnation: int
    number: int
    granted: bool
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Release:
    """ "My gate is closed, and nothing up to request ``number`` can open it again." """

    incarnation: int
    number: int


Message = Request | Vote | Release
