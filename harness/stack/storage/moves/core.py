"""A move: what is to be done next, what a failure means there, and what is to be done after a crash. Pure.

The commit point is the record COMMIT on the disk. Before it the source is all that counts, and whatever goes wrong ends
in *failed and rolled back*; after it the target is all that counts, and what goes wrong is said and done again later,
but nothing is rolled back any more. A record that could not be written may be there all the same: then nobody decides
until the journal has been read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

GRACE_S = 30.0


class Phase(Enum):
    """Where a move is. Each is written down before anything is done in it."""

    PREFLIGHT = "preflight"
    SNAPSHOT = "snapshot"
    COPY = "copy"
    VERIFY = "verify"
    PLACE = "place"
    """The target gets its name; until here it has one of our own."""
    COMMIT = "commit"
    GRACE = "grace"
    DELETE_SOURCE = "delete source"
    CLEAN_UP = "clean up"
    ROLL_BACK = "roll back"
    DONE = "done"
    REFUSED = "refused"
    """Nothing was done."""
    ROLLED_BACK = "rolled back"
    LEFT_OVER = "left over"
    """Committed; something that was to be deleted is there still. To be resumed."""
    STOPPED = "stopped"
    """Before the end, and nobody knows more than the journal. To be resumed."""


P = Phase
Table = Mapping[Phase, Mapping[str, Phase]]
TRANSITIONS: Table = {
    P.PREFLIGHT: {"done": P.SNAPSHOT, "failed": P.REFUSED},
    P.SNAPSHOT: {"done": P.COPY, "failed": P.ROLL_BACK},
    P.COPY: {"done": P.VERIFY, "failed": P.ROLL_BACK},
    P.VERIFY: {"done": P.PLACE, "failed": P.ROLL_BACK},
    P.PLACE: {"done": P.COMMIT, "failed": P.ROLL_BACK},
    P.COMMIT: {"done": P.GRACE},
    P.GRACE: {"done": P.DELETE_SOURCE, "keep": P.CLEAN_UP},
    P.DELETE_SOURCE: {"done": P.CLEAN_UP, "failed": P.LEFT_OVER},
    P.CLEAN_UP: {"done": P.DONE, "failed": P.LEFT_OVER},
    P.ROLL_BACK: {"done": P.ROLLED_BACK, "failed": P.STOPPED},
    P.DONE: {},
    P.REFUSED: {},
    P.ROLLED_BACK: {},
    P.LEFT_OVER: {},
    P.STOPPED: {},
}
"""Phase -> outcome -> next phase."""
AFTER_A_CRASH: Mapping[Phase, Phase] = {
    P.PREFLIGHT: P.ROLL_BACK,
    P.SNAPSHOT: P.ROLL_BACK,
    P.COPY: P.ROLL_BACK,
    P.VERIFY: P.VERIFY,
    P.PLACE: P.VERIFY,
    P.COMMIT: P.GRACE,
    P.GRACE: P.GRACE,
    P.DELETE_SOURCE: P.DELETE_SOURCE,
    P.CLEAN_UP: P.CLEAN_UP,
    P.ROLL_BACK: P.ROLL_BACK,
    P.DONE: P.DONE,
    P.REFUSED: P.REFUSED,
    P.ROLLED_BACK: P.ROLLED_BACK,
}
"""Last phase that is written down -> where to go on. What was copied whole is not copied again, but verified."""
COMMITTED = {P.COMMIT, P.GRACE, P.DELETE_SOURCE, P.CLEAN_UP, P.DONE, P.LEFT_OVER}
WRITTEN = set(Phase) - {P.LEFT_OVER, P.STOPPED}
ENDS = {phase for phase, row in TRANSITIONS.items() if not row}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file is the one that was looked at, and unchanged since.

    Without the device: a reboot may give the file system another number, and names are compared in one folder only.
    """

    inode: int
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Move:
    """One move, as far as it is."""

    id: str
    source: str
    target: str
    phase: Phase = Phase.PREFLIGHT
    keep_source: bool = False
    verify_cached: bool = False
    """Whether the target may be verified out of the page cache where it cannot be read past it."""
    grace_s: float = GRACE_S
    before: Fingerprint | None = None
    """The source when the move began."""
    digest: str = ""
    """Of what was read from the source."""
    why: str = ""
    """What went wrong."""

    @property
    def part(self) -> str:
        """The target until it gets its name."""
        return self._beside(self.target, "part")

    @property
    def snapshot(self) -> str:
        """What keeps the source's content while it is copied."""
        return self._beside(self.source, "snapshot")

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done now."""
        return self.phase in ENDS

    @property
    def committed(self) -> bool:
        """Whether the target is what counts."""
        return self.phase in COMMITTED

    def _beside(self, path: str, what: str) -> str:
        folder, _, name = path.rpartition("/")
        return f"{folder}/.{name}.mfs-move-{self.id}.{what}"

    def outcome(self) -> str:
        """One line for a person."""
        match self.phase:
            case Phase.DONE:
                kept = "; the source is kept" if self.keep_source else ""
                return f"moved, and verified ({self.digest[:16]}){kept}"
            case Phase.REFUSED:
                return f"refused, nothing was done: {self.why}"
            case Phase.ROLLED_BACK:
                return f"failed and rolled back: {self.why or 'it was interrupted'}"
            case Phase.LEFT_OVER:
                return (
                    f"moved, and verified; something is left over: {self.why}: `mfs-autonomy move --resume` tries again"
                )
            case Phase.STOPPED:
                return (
                    f"stopped: {self.why}: the source is there or the target is: `mfs-autonomy move --resume` goes on"
                )
        return f"under way: {self.phase.value}"


def step(move: Move, outcome: str, why: str = "", table: Table = TRANSITIONS) -> Move:
    """The move in its next phase."""
    return replace(move, phase=table[move.phase][outcome], why=why or move.why)


def resumed(move: Move) -> Move:
    """What was read from the journal, where it is to go on."""
    return replace(move, phase=AFTER_A_CRASH[move.phase])
