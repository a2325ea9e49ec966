"""One volume of a guest that came here: what is seen of it, and what that means, as a table.

A disk that was a device at the source and is opened as a plain file here is a *reversion*: it works, so nobody notices,
until somebody maps the volume as well, and two data paths spoil it. Under a running guest no other path can be put: it
is told, and mended at the guest's next start. What nobody has open is mapped again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Mapped(Enum):
    """The volume here."""

    PROVEN = "mapped"
    """Recorded, served by its device alone, and the device answers."""
    BROKEN = "mapped, and does not work"
    NONE = "not mapped"


class Guest(Enum):
    """What the guest's process has open of it."""

    DEVICE = "its device"
    FILE = "its file"
    BOTH = "its device and its file"
    NOTHING = "nothing"


class Source(Enum):
    """The volume at the host that the guest came from."""

    UNMAPPED = "unmapped"
    MAPPED = "mapped"
    UNKNOWN = "unknown"
    """That host is silent, or no daemon tells."""


@dataclass(frozen=True, slots=True)
class Seen:
    """At one moment."""

    volume: str
    usable: bool
    """A driver can make a device of it here."""
    was_mapped: bool
    """It was a device at the source, or it was declared."""
    error: str
    """Why it cannot be read here; empty where it can."""
    mapped: Mapped
    guest: Guest
    source: Source
    works: str = ""
    """What does not work, for BROKEN."""


Do = Literal["nothing", "map", "mend"]
Verdict = Literal["not concerned", "well", "wait", "left over", "failed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """``do`` comes before the next look; the verdict is that of now."""

    verdict: Verdict
    do: Do = "nothing"
    warnings: tuple[str, ...] = ()
    reversion: bool = False

    @property
    def final(self) -> bool:
        """Whether another look can change nothing."""
        return self.verdict != "wait"


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the table."""

    good: bool
    do: Do = "nothing"
    said: str = ""
    reversion: bool = False


RESTART = "stop the guest and start it again: its next start maps the volume first"
TABLE: Mapping[tuple[Mapped, Guest], Row] = {
    (Mapped.PROVEN, Guest.DEVICE): Row(True),
    (Mapped.PROVEN, Guest.NOTHING): Row(True),
    (Mapped.PROVEN, Guest.FILE): Row(
        False, said=f"the guest writes to the file past the device, a second data path: {RESTART}", reversion=True
    ),
    (Mapped.PROVEN, Guest.BOTH): Row(
        False, said="the guest has device and file open, two data paths: stop it before anything else", reversion=True
    ),
    (Mapped.BROKEN, Guest.DEVICE): Row(
        False, said="the guest's device does not work: stop the guest, unmap and map the volume"
    ),
    (Mapped.BROKEN, Guest.NOTHING): Row(
        False, "mend", "its mapping does not work and nobody uses it: it is mapped again"
    ),
    (Mapped.BROKEN, Guest.FILE): Row(False, said=f"the guest uses the plain file: {RESTART}", reversion=True),
    (Mapped.BROKEN, Guest.BOTH): Row(
        False, said="the guest has device and file open, two data paths: stop it before anything else", reversion=True
    ),
    (Mapped.NONE, Guest.DEVICE): Row(
        False,
        said="the guest has a device open that is no mapping of ours: stop it, and look at `mfs-autonomy devices`",
    ),
    (Mapped.NONE, Guest.NOTHING): Row(False, "map", "it is not mapped here, and was at the source: it is mapped again"),
    (Mapped.NONE, Guest.FILE): Row(False, said=f"the guest uses the plain file: {RESTART}", reversion=True),
    (Mapped.NONE, Guest.BOTH): Row(
        False, said="the guest has device and file open, two data paths: stop it before anything else", reversion=True
    ),
}
"""All that can be seen of a volume that can be read here and was a device at the source."""


def decide(seen: Seen, *, allowed: bool, time_left: bool, tried: int = 0) -> Decision:
    """``allowed``: the level of autonomy lets it be mapped by itself; ``tried``: how often that was done."""
    if not seen.was_mapped:
        return Decision("not concerned")
    if not seen.usable:
        why = "no driver can be used here, or the file was chosen"
        return Decision(
            "not concerned", warnings=(f"{seen.volume} was a device at the source and is a file here: {why}",)
        )
    if seen.error:
        return Decision("failed", warnings=(f"{seen.volume} cannot be read here: {seen.error}",))
    row = TABLE[seen.mapped, seen.guest]
    if row.good:
        return _by_source(seen, time_left)
    said = f"{seen.volume}: {row.said}" + (f" ({seen.works})" if seen.works else "")
    if row.do != "nothing" and allowed and tried < TRIES:
        return Decision("wait", row.do, (said,), row.reversion)
    if row.do != "nothing" and not allowed:
        said = f"{seen.volume}: {seen.mapped.value}; the level of autonomy lets nobody but a person map it"
    return Decision("failed", warnings=(said,), reversion=row.reversion)


TRIES = 2


def _by_source(seen: Seen, time_left: bool) -> Decision:
    """All is well here; two hosts must not have it for longer than the migration lasts."""
    match seen.source:
        case Source.UNMAPPED:
            return Decision("well")
        case Source.MAPPED if time_left:
            return Decision("wait")
        case Source.MAPPED:
            return Decision("left over", warnings=(f"{seen.volume} is still mapped at the source: unmap it there",))
    if time_left:
        return Decision("wait")
    why = "the source is silent: whether the volume is unmapped there cannot be told; look there"
    return Decision("left over", warnings=(f"{seen.volume}: {why}",))


WORST: tuple[Verdict, ...] = ("not concerned", "well", "wait", "left over", "failed")


def worst(decisions: Mapping[str, Decision]) -> Verdict:
    """Of all volumes of a guest."""
    return max((one.verdict for one in decisions.values()), key=WORST.index, default="not concerned")
