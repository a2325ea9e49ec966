"""One volume on its way: its phase, what may be done and answered, and what is known."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ..record import Record, Route

BLOCK_BYTES = 4096
"""What is written and read to prove a mapping: the last whole block of the volume."""
Goal = Literal["map", "unmap"]


class Phase(Enum):
    """Where the work is; what is done there is in ``action_of``."""

    LOCK_VOLUME = "lock volume"
    PAUSE_VOLUME = "pause before the volume's lock"
    READ_RECORD = "read record"
    # What is there already, or was left by somebody who died.
    LOCK_OLD = "lock the recorded index"
    PAUSE_OLD = "pause before the recorded index"
    LOOK = "look at the recorded index"
    MARK = "write down that it is being detached"
    UNPUBLISH = "take the link away"
    DETACH = "detach"
    COOL = "wait until it is quiet"
    UNPUBLISH_STALE = "take away the link to what is another's device by now"
    LOOK_AT_BLOCK = "see whether the nonce is still in the volume"
    RESTORE = "put back what the nonce replaced"
    FORGET = "delete the record"
    UNLOCK_FORGOTTEN = "unlock the index that was cleared"
    # A free index.
    SURVEY = "look for a free index"
    PAUSE = "pause before the next try"
    LOCK_INDEX = "lock the index"
    INSPECT = "see whether it is free, under its lock"
    UNLOCK_PASSED = "unlock an index that is not free"
    CLAIM = "write down whose the index is"
    ATTACH = "attach"
    # The proof.
    CONFIRM = "see what the device says it serves"
    READ_OWN = "read the block that the nonce will replace"
    SAVE = "write down what the nonce will replace"
    PLANT = "put the nonce into the volume"
    SEE_DEVICE = "read the nonce back through the device"
    GIVE_BACK = "put back through the device what the nonce replaced"
    SEE_VOLUME = "read that back through the volume"
    # The proof where another host has the volume, and a guest may be writing to it: nothing of ours goes into it.
    READ_SHARED = "read the block that the device has to show"
    SEE_SHARED = "read the same block through the device"
    COMMIT = "write down that it is mapped"
    PUBLISH = "make the link"
    # The end.
    CHOOSE_FILE = "write down that the volume is reached as a file"
    UNLOCK_INDEX = "unlock the index"
    UNLOCK_VOLUME = "unlock the volume"
    DONE = "done"
    FAILED = "failed"


Act = Literal[
    "lock-volume",
    "lock-index",
    "unlock-index",
    "unlock-volume",
    "read-record",
    "write-record",
    "delete-record",
    "survey",
    "attach",
    "detach",
    "cool",
    "read-volume",
    "write-volume",
    "read-device",
    "write-device",
    "publish",
    "unpublish",
    "pause",
    "end",
]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to be done, and what it needs."""

    act: Act
    index: int | None = None
    record: Record | None = None
    data: bytes = b""
    offset: int = 0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: held, busy, done, failed, of attach also taken or refused; ``value`` is what was read."""

    kind: str
    value: object = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One volume on its way."""

    goal: Goal
    volume: str
    file: str
    size_bytes: int
    driver: str
    boot: str
    nonce: bytes
    """BLOCK_BYTES of chance, for this work only."""
    route: Route = "device"
    shared: bool = False
    """Whether another host may have it, as in a live migration."""
    phase: Phase = Phase.LOCK_VOLUME
    index: int | None = None
    record: Record | None = None
    passed: tuple[int, ...] = ()
    tried: int = 0
    """Tries of what the phase waits for: a lock, or a free index."""
    attached: int = 0
    """How often something was attached for it."""
    late: int = 0
    why: str = ""
    """What went wrong last; empty again once a later try went well."""
    doomed: bool = False
    """Whether no other try is to be made."""
    reused: bool = False
    whole: bytes = b""
    """The block as it has to be, where a nonce was found in it."""

    @property
    def offset(self) -> int:
        """Where the nonce goes."""
        return (self.size_bytes // BLOCK_BYTES - 1) * BLOCK_BYTES

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be done."""
        return self.phase in (Phase.DONE, Phase.FAILED)
