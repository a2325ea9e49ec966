"""What a check says: an outcome, a sentence, and the evidence that proves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from harness.errors import HarnessError, told
from harness.events import Event, Json

MAX_FINDINGS = 50
"""A verdict carries at most so many findings; its summary has the full count."""


class Outcome(IntEnum):
    """How bad a verdict is; the worst wins."""

    HOLDS = 0
    UNKNOWN = 1
    VIOLATED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One piece of evidence: a sentence (times since the start of the run), and where to look.

    ``from_s`` and ``until_s`` are times of the run clock, as in the events.
    """

    text: str
    from_s: float | None = None
    until_s: float | None = None
    nodes: tuple[str, ...] = ()
    client: str = ""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's answer for one history. ``arguments`` are those the check was called with."""

    check: str
    outcome: Outcome
    summary: str
    evidence: tuple[Finding, ...] = ()
    arguments: dict[str, Json] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The check with its arguments, as a reader would write it: ``one_holder(10.77.1.100)``."""
        return f"{self.check}({', '.join(str(value) for value in self.arguments.values())})"

    def __str__(self) -> str:
        lines = [f"{self.outcome.name} {self.title}: {self.summary}"]
        return "\n".join(lines + [f"  - {finding.text}" for finding in self.evidence])


def worst(verdicts: Iterable[Verdict]) -> Outcome:
    """The worst outcome; UNKNOWN when nothing was judged at all."""
    return max((verdict.outcome for verdict in verdicts), default=Outcome.UNKNOWN)


def holds(check: str, summary: str, evidence: Sequence[Finding] = ()) -> Verdict:
    """A promise that was kept, with what was seen."""
    return Verdict(check, Outcome.HOLDS, summary, tuple(evidence[:MAX_FINDINGS]))


def unknown(check: str, summary: str, evidence: Sequence[Finding] = ()) -> Verdict:
    """It cannot be told; the summary says what is missing."""
    return Verdict(check, Outcome.UNKNOWN, summary, tuple(evidence[:MAX_FINDINGS]))


def violated(check: str, summary: str, evidence: Sequence[Finding] = ()) -> Verdict:
    """A promise that was broken, with the proof."""
    return Verdict(check, Outcome.VIOLATED, summary, tuple(evidence[:MAX_FINDINGS]))


def failed_itself(check: str, error: Exception) -> Verdict:
    """What a check amounts to that raised instead of giving a verdict."""
    if isinstance(error, HarnessError):
        return unknown(check, f"it could not be judged: {error}")
    return unknown(check, f"the check itself failed: {type(error).__name__}: {error}", [Finding(text=told(error))])
