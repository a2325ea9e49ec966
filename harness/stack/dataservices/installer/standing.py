"""What is known of each module in the end, and when all of it may be called complete. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from ..plan.module import Failover, Validated


class Standing(Enum):
    """From the best to the worst."""

    PROVEN = "proven"
    """All of it is as it has to be, and its failover was executed since anything was changed."""
    VALIDATED = "validated"
    """All of it is as it has to be; that it survives a failover is hoped."""
    NOT_SHOWN = "not shown here"
    """What it stands on is not on its servers."""
    NOT_PROVEN = "not proven"
    """Something is not as it has to be, or nobody could tell."""


@dataclass(frozen=True, slots=True)
class Found:
    """Of one module."""

    what: str
    standing: Standing
    why: str

    def said(self) -> str:
        """In a line."""
        return f"{self.what}: {self.standing.value}: {self.why}"


def judged(what: str, wrong: Sequence[str], failover: Failover | Validated | None, *, proven_at: str) -> Found:
    """Of a module that was looked at: ``wrong`` is what was not so."""
    if wrong:
        return Found(what, Standing.NOT_PROVEN, "; ".join(wrong))
    if isinstance(failover, Validated):
        return Found(what, Standing.PROVEN, "all is as it has to be, and there is nothing in it that could fail over")
    if failover is None:
        return Found(what, Standing.VALIDATED, "nobody has written a test of its failover yet")
    if not proven_at:
        return Found(what, Standing.VALIDATED, "its failover was not executed since it was changed")
    return Found(what, Standing.PROVEN, f"its failover was executed at {proven_at}, and all is as it was then")


def complete(found: Sequence[Found]) -> bool:
    """Whether nothing is left to hope: nothing at all is not complete either."""
    return bool(found) and all(one.standing is Standing.PROVEN for one in found)


def concluded(found: Sequence[Found], *, whole: bool = True) -> Iterator[str]:
    """The lines that people are told; of a part of all modules nothing is called complete."""
    yield from (one.said() for one in found)
    proven = sum(one.standing is Standing.PROVEN for one in found)
    if whole and complete(found):
        yield "complete: every failover was executed"
    else:
        yield f"{'not complete' if whole else 'of those asked for'}: {proven} of {len(found)} proven"
