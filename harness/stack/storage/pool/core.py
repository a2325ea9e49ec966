"""What one index of the pool is, by what the kernel says and what we wrote down; and which to try next. Pure.

An index is the N of /dev/nbdN (or of whatever a driver has in its place). *Free* is more than *not attached*: a device
that was detached a moment ago may still have requests in flight, holders that the kernel has not let go of, or events
that udev has not worked off; who takes it then gets the former one's errors, or its links.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

TRIES = 5
BACKOFF_FACTOR = 1.5
FIRST_DELAY_S = 0.2


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """What the kernel says of one index at one moment (for NBD: /sys/block/nbdN; see Documentation/ABI)."""

    server_pid: int | None = None
    """The process that serves the device; None where nothing is attached."""
    size_bytes: int = 0
    in_flight: int = 0
    """Requests that were begun and have not ended."""
    holders: tuple[str, ...] = ()
    """Who uses it: mounts, swap, device mapper and MD devices, processes that have it open."""
    udev_settled: bool = True
    serves: str | None = None
    """The volume's file that it serves, as the driver says; None where it does not say, or nothing is attached."""

    @property
    def attached(self) -> bool:
        """Whether something serves the device."""
        return self.server_pid is not None


def unquiet(facts: IndexFacts) -> tuple[str, ...]:
    """Why this index is not free; empty where it is."""
    reasons = (
        (facts.server_pid is not None, f"process {facts.server_pid} serves it"),
        (facts.size_bytes != 0, f"it still has a size ({facts.size_bytes} bytes)"),
        (facts.in_flight != 0, f"{facts.in_flight} requests are in flight"),
        (bool(facts.holders), f"used by {', '.join(facts.holders)}"),
        (not facts.udev_settled, "udev has not worked off its events"),
    )
    return tuple(reason for holds, reason in reasons if holds)


class Condition(Enum):
    """The kernel's side of an index."""

    QUIET = "quiet"
    UNSETTLED = "unsettled"
    ATTACHED = "attached"


class Claim(Enum):
    """Our side of an index: what is written down of it."""

    NONE = "none"
    UNFINISHED = "unfinished"
    """Somebody began to map or to unmap."""
    MAPPED = "mapped"


class Ownership(Enum):
    """What an index is, to whoever looks for a free one or for what went wrong."""

    FREE = "free"
    SETTLING = "settling"
    """It was detached, and is not quiet yet."""
    BUSY = "busy"
    """Somebody has its lock: it is being mapped or unmapped."""
    MAPPED = "mapped"
    LEAKED = "leaked"
    """Attached, and no volume of ours: another program's, or left by a state that was deleted."""
    ABANDONED = "abandoned"
    """Whoever began to map or to unmap it died. The next map or unmap of that volume clears it up."""
    LOST = "lost"
    """Mapped, as we wrote down, but nothing serves it any more."""


OWNERSHIP: dict[tuple[Claim, Condition], Ownership] = {
    (Claim.NONE, Condition.QUIET): Ownership.FREE,
    (Claim.NONE, Condition.UNSETTLED): Ownership.SETTLING,
    (Claim.NONE, Condition.ATTACHED): Ownership.LEAKED,
    (Claim.UNFINISHED, Condition.QUIET): Ownership.ABANDONED,
    (Claim.UNFINISHED, Condition.UNSETTLED): Ownership.ABANDONED,
    (Claim.UNFINISHED, Condition.ATTACHED): Ownership.ABANDONED,
    (Claim.MAPPED, Condition.QUIET): Ownership.LOST,
    (Claim.MAPPED, Condition.UNSETTLED): Ownership.LOST,
    (Claim.MAPPED, Condition.ATTACHED): Ownership.MAPPED,
}
"""For an index whose lock nobody has; while somebody has it, it is BUSY, whatever else is seen."""
TROUBLE = {Ownership.LEAKED, Ownership.ABANDONED, Ownership.LOST}
"""What is worth a person's look."""


def condition_of(facts: IndexFacts) -> Condition:
    """The kernel's side, in one word."""
    if facts.attached:
        return Condition.ATTACHED
    return Condition.UNSETTLED if unquiet(facts) else Condition.QUIET


@dataclass(frozen=True, slots=True)
class IndexView:
    """One index as it was seen: a moment later it may be different, so under its lock it is looked at again."""

    index: int
    facts: IndexFacts
    claim: Claim = Claim.NONE
    volume: str = ""
    """The volume that claims it."""
    locked: bool = False

    @property
    def ownership(self) -> Ownership:
        """What it is."""
        return Ownership.BUSY if self.locked else OWNERSHIP[self.claim, condition_of(self.facts)]


def next_index(views: Sequence[IndexView], volume: str, passed: Iterable[int]) -> int | None:
    """The free index to try for this volume, other than those that were ``passed``; None where none is left.

    Volumes begin to look at different places, so that several that are mapped at once seldom want the same one.
    """
    free = sorted({view.index for view in views if view.ownership is Ownership.FREE} - set(passed))
    if not free:
        return None
    start = zlib.crc32(volume.encode()) % max(1, len(views))
    return min(free, key=lambda index: (index - start) % (len(views) or 1))


def delay_s(tried: int) -> float | None:
    """How long to wait after that many tries; None when there is to be no other."""
    return FIRST_DELAY_S * BACKOFF_FACTOR ** (tried - 1) if tried < TRIES else None


def why_none_is_free(views: Sequence[IndexView]) -> str:
    """One line that says what keeps every index from being free."""
    if not views:
        return "the pool has no index"
    counted: dict[str, int] = {}
    for view in views:
        word = "just taken" if view.ownership is Ownership.FREE else view.ownership.value
        counted[word] = counted.get(word, 0) + 1
    shown = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
    return f"none of {len(views)} indexes is free after {TRIES} tries ({shown})"
