"""What checks are and what their findings amount to. Pure.

A check that could not look is *unknown*, never passed; one that has nothing to look at here (a MooseFS that is not
used) is *not concerned*, and counts for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Category = Literal["cluster", "network", "resources", "state", "safety", "operation"]
CATEGORIES: tuple[Category, ...] = ("cluster", "network", "resources", "state", "safety", "operation")


class Weight(Enum):
    """What it means when a check fails."""

    WARNING = "warning"
    """It may go wrong, or take long."""
    SERIOUS = "serious"
    """A person has to agree."""
    CRITICAL = "critical"
    """It cannot go well."""


class Outcome(Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_CONCERNED = "not concerned"


class Risk(Enum):
    """What all findings amount to."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    """A person has to approve."""
    CRITICAL = "critical"
    """Blocked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw, and whether that is as it should be; ``good`` None: there is nothing to look at here."""

    good: bool | None
    seen: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the result."""

    check: str
    category: Category
    weight: Weight
    outcome: Outcome
    seen: str
    expected: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Result:
    """All findings."""

    findings: tuple[Finding, ...]

    @property
    def total(self) -> int:
        """Checks that had something to look at."""
        return sum(one.outcome is not Outcome.NOT_CONCERNED for one in self.findings)

    @property
    def passed(self) -> int:
        """How many of them are as they should be."""
        return sum(one.outcome is Outcome.PASSED for one in self.findings)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What stands in the way."""
        return tuple(one for one in self.findings if one.outcome is Outcome.FAILED and one.weight is not Weight.WARNING)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may go wrong, and what could not be looked at."""
        return tuple(
            one
            for one in self.findings
            if one.outcome is Outcome.UNKNOWN or (one.outcome is Outcome.FAILED and one.weight is Weight.WARNING)
        )

    @property
    def risk(self) -> Risk:
        """The worst of them; a critical check that could not be looked at needs a person, too."""
        risks = [RISKS[one.outcome, one.weight] for one in self.findings if (one.outcome, one.weight) in RISKS]
        return max(risks, key=list(Risk).index, default=Risk.LOW)

    @property
    def worst(self) -> tuple[Finding, ...]:
        """What makes the risk what it is."""
        return tuple(one for one in self.findings if RISKS.get((one.outcome, one.weight)) is self.risk)


RISKS: Mapping[tuple[Outcome, Weight], Risk] = {
    (Outcome.FAILED, Weight.WARNING): Risk.MEDIUM,
    (Outcome.FAILED, Weight.SERIOUS): Risk.HIGH,
    (Outcome.FAILED, Weight.CRITICAL): Risk.CRITICAL,
    (Outcome.UNKNOWN, Weight.WARNING): Risk.MEDIUM,
    (Outcome.UNKNOWN, Weight.SERIOUS): Risk.HIGH,
    (Outcome.UNKNOWN, Weight.CRITICAL): Risk.HIGH,
}


def blocked_by(result: Result, *, approved: bool) -> str:
    """Why the operation must not begin; empty where it may."""
    reasons = "; ".join(f"{one.seen} ({one.remedy})" for one in result.worst)
    if result.risk is Risk.CRITICAL:
        return f"blocked: {reasons}"
    if result.risk is Risk.HIGH and not approved:
        return f"high risk, needs --approve: {reasons}"
    return ""
