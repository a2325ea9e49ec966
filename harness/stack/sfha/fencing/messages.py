"""What nodes tell each other about fencings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A fencing as nodes tell each other of it: their clocks differ, so it has an age instead of a time."""

    node: int
    by: int
    age_s: float
    automatic: bool
    ok: bool | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Pardon:
    """A person gave a node its power again, so long ago: fencings before that are no loop."""

    node: int
    age_s: float
