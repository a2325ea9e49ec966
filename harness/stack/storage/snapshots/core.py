"""Which snapshots are due, and which have become more than are to be kept. Pure.

What is kept is counted per volume, and only of what was written to since its last snapshot a new one is made: so old
content is never pushed out by the same content again. Of a volume that is gone nothing is deleted, and where a
snapshot is from the future nothing at all: the clock was set back, and nobody knows which is the oldest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["scheduled", "before"]
"""By the schedule, or before something was mended."""
STAMP = "%Y%m%dT%H%M%SZ"
LEAST_FREE = 0.10
"""Of the file system: what is written to a volume that has a snapshot takes room of its own."""
SKEW_S = 60.0
"""Between the clock of a file server and ours."""
_NAME = re.compile(r"(.+)@(\d{8}T\d{6}Z)(-before)?")


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and how many."""

    every_s: float = 86400.0
    keep: int = 7
    """By the schedule, of each volume."""
    keep_before: int = 2
    """Before something was mended, of each volume."""


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """A snapshot that is there; ``at_s`` is UTC, in seconds since 1970."""

    volume: str
    at_s: float
    kind: Kind = "scheduled"

    @property
    def name(self) -> str:
        """Of its file or folder."""
        stamp = datetime.fromtimestamp(self.at_s, UTC).strftime(STAMP)
        return f"{self.volume}@{stamp}{'' if self.kind == 'scheduled' else '-before'}"


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now."""

    make: tuple[str, ...] = ()
    drop: tuple[Taken, ...] = ()
    waits: str = ""
    """Why nothing is made."""


NOTHING = Due()


def parsed(name: str) -> Taken | None:
    """None where it is no name of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        at = datetime.strptime(found[2], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Taken(found[1], at.timestamp(), "before" if found[3] else "scheduled")


def due(policy: Policy, now_s: float, volumes: Mapping[str, float], taken: Sequence[Taken], free: float) -> Due:
    """``volumes``: each with the time it was written to last; ``free``: the share of the file system that is."""
    if ahead := [one for one in taken if one.at_s > now_s + SKEW_S]:
        return Due(waits=f"{ahead[0].name} is from the future: is the clock right?")
    by_volume = {volume: sorted(one for one in taken if one.volume == volume) for volume in volumes}
    drop = tuple(one for volume in sorted(by_volume) for one in _too_many(policy, by_volume[volume]))
    if free < LEAST_FREE:
        return Due(
            drop=drop, waits=f"{100 * free:.0f} % of the file system are free, {100 * LEAST_FREE:.0f} are needed"
        )
    make = []
    for volume, changed_s in sorted(volumes.items()):
        last_s = max((one.at_s for one in by_volume[volume] if one.kind == "scheduled"), default=None)
        if last_s is None or (now_s - last_s >= policy.every_s and changed_s + SKEW_S > last_s):
            make.append(volume)
    return Due(tuple(make), drop)


def _too_many(policy: Policy, of_one: Sequence[Taken]) -> list[Taken]:
    scheduled = [one for one in of_one if one.kind == "scheduled"]
    before = [one for one in of_one if one.kind == "before"]
    return scheduled[: max(0, len(scheduled) - policy.keep)] + before[: max(0, len(before) - policy.keep_before)]
