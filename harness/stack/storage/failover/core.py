"""When a metalogger is made the master, and when it is refused. Pure.

Who may be the master is not decided here: that is whoever has the master's address, which something with a lease
hands out (sfha). So there are never two that clients can reach. What is decided is whether this host, once it has the
address, can be one without losing what was acknowledged: its metadata has to be whole, its changelogs without a gap.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from ..autonomy.core import Act, Level, decide

INTERRUPTION_S = (30, 120)
"""What is said to users: how long clients may wait. Not true HA; what was under way may have to be asked again."""


class Phase(Enum):
    """Where this host is."""

    FOLLOWING = "following"
    """The master answers."""
    SUSPECTING = "suspecting"
    """It has not answered for some heartbeats; not enough yet."""
    WAITING = "waiting"
    """It does not answer, and its address is not here."""
    REFUSED = "refused"
    PROMOTING = "promoting"
    CHECKING = "checking"
    """The new master answers; whether all is there is being looked at."""
    MASTER = "master"
    FAILED = "failed"
    STEPPING_DOWN = "stepping down"
    """The address is elsewhere, so somebody else may be the master."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The metadata that is here. Without ``problems`` it is proven to be usable."""

    problems: tuple[str, ...]
    version: int = 0
    """Of the file."""
    last: int = 0
    """Of the last change that is in the changelogs."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One heartbeat."""

    now_s: float
    answers: bool
    holds_address: bool
    master_here: bool
    candidate: Candidate | None = None
    """Looked at only where it matters: the master does not answer, and the address is here."""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered from one heartbeat to the next."""

    phase: Phase = Phase.FOLLOWING
    misses: int = 0
    silent_since_s: float = 0.0
    reasons: tuple[str, ...] = ()
    mine: bool = False
    """Whether the master that runs here was made by us."""
    gave_up: str = ""
    """How a promotion failed: until the master answers again, a person has to look."""


Do = Literal["nothing", "promote", "check", "step down", "tell"]


def step(state: State, heard: Heard, level: Level, misses: int) -> tuple[State, Do]:
    """The next state, and what is to be done; ``misses`` in a row make a master dead."""
    if state.phase in (Phase.PROMOTING, Phase.CHECKING, Phase.STEPPING_DOWN):
        return state, "nothing"
    if state.mine and heard.master_here and not heard.holds_address:
        return replace(
            state, phase=Phase.STEPPING_DOWN, reasons=("the master's address is elsewhere by now",)
        ), "step down"
    if heard.answers:
        phase = Phase.MASTER if heard.master_here and heard.holds_address else Phase.FOLLOWING
        return State(phase, mine=state.mine and heard.master_here), "nothing"
    count = state.misses + 1
    since_s = state.silent_since_s if state.misses else heard.now_s
    silent = replace(state, misses=count, silent_since_s=since_s)
    if count < misses:
        return replace(silent, phase=Phase.SUSPECTING, reasons=()), "nothing"
    if not heard.holds_address:
        return _told(state, replace(silent, phase=Phase.WAITING, reasons=("the master's address is not on this host",)))
    return _candidate(state, silent, heard, level)


def _candidate(before: State, silent: State, heard: Heard, level: Level) -> tuple[State, Do]:
    reasons: tuple[str, ...]
    decision = decide(level, Act.PROMOTE)
    if decision.verdict != "allowed":
        reasons = decision.reasons
    elif heard.candidate is None:
        reasons = ("there is no metadata here",)
    else:
        reasons = heard.candidate.problems
    if reasons:
        return _told(before, replace(silent, phase=Phase.REFUSED, reasons=reasons))
    if silent.gave_up:
        return _told(before, replace(silent, phase=Phase.FAILED, reasons=(silent.gave_up,)))
    return replace(silent, phase=Phase.PROMOTING, reasons=()), "promote"


def _told(before: State, now: State) -> tuple[State, Do]:
    """Said once, not at each heartbeat."""
    return now, "nothing" if (before.phase, before.reasons) == (now.phase, now.reasons) else "tell"


def ended(state: State, error: str = "") -> tuple[State, Do]:
    """What was begun has come to its end; ``error`` says how it failed."""
    match state.phase, error:
        case Phase.PROMOTING, "":
            return State(Phase.CHECKING, mine=True), "check"
        case Phase.CHECKING, "":
            return State(Phase.MASTER, mine=True), "tell"
        case Phase.STEPPING_DOWN, "":
            return State(Phase.WAITING), "tell"
    mine = state.mine or state.phase is Phase.CHECKING
    return State(Phase.FAILED, reasons=(error,), mine=mine, gave_up=error), "tell"


def enough_metadata(signature: bytes, end: bytes, version: int, changes: frozenset[int]) -> Candidate:
    """Whether a file of metadata and the numbers of all changes in changelogs make a master. See ``metadata``."""
    problems = []
    if not signature:
        problems.append(NOTHING)
    elif not signature.startswith(SIGNATURE) or signature[len(SIGNATURE) :].strip() == b"NEW":
        problems.append(f"the metadata begins with {signature!r}: it is of no master that ever stored any")
    elif end != END:
        problems.append("the metadata has no end: its download was cut off")
    last = max((one for one in changes if one >= version), default=version - 1)
    missing = [one for one in range(version, last + 1) if one not in changes]
    if not problems and missing:
        problems.append(f"changes {missing[0]} to {missing[-1]} are in no changelog, and later ones are")
    return Candidate(tuple(problems), version, last)


NOTHING = (
    "there are changelogs at most, and no metadata that they belong to: mfssupervisor -s on the master, "
    "then mfsmetalogger restart here"
)
SIGNATURE, END = b"MFSM ", b"[MFS EOF MARKER]"
