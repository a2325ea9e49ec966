"""Whether a plan still fails, when it fails only in some of its runs: Wald's sequential probability ratio test.

A. Wald, *Sequential Tests of Statistical Hypotheses*, Annals of Mathematical Statistics 16 (1945), 117-186: after
each run the odds of the one hypothesis against the other are multiplied by how much better it explains the run;
the test ends as soon as they pass a bound that follows from the rates of error that are accepted.
"""

import math
from dataclasses import dataclass
from enum import Enum

from harness.errors import UsageError


class Run(Enum):
    """How one run of a candidate came out."""

    FAILED = "failed"
    """As the plan that is being shrunk: the same checks were violated."""
    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the test tells apart, and how often it may be wrong.

    ``at_most`` is how often a candidate fails that does not show the defect, ``at_least`` how often one that does.
    ``false_alarm`` is the share of the former that is taken for the latter, ``missed`` the reverse. Raises UsageError.
    """

    at_most: float = 0.01
    at_least: float = 0.3
    false_alarm: float = 0.05
    missed: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.at_most < self.at_least < 1:
            raise UsageError(f"rates {self.at_most:g} and {self.at_least:g}: allowed is 0 < the first < the second < 1")
        if not (0 < self.false_alarm < 0.5 and 0 < self.missed < 0.5):
            raise UsageError("rates of error: allowed is above 0 and below 0.5")

    @property
    def fails_above(self) -> float:
        """The logarithm of the odds from which on a candidate is taken to fail."""
        return math.log((1 - self.missed) / self.false_alarm)

    @property
    def holds_below(self) -> float:
        """The logarithm of the odds from which on down it is taken not to."""
        return math.log(self.missed / (1 - self.false_alarm))

    def step(self, run: Run) -> float:
        """By how much one run moves the logarithm of the odds."""
        match run:
            case Run.FAILED:
                return math.log(self.at_least / self.at_most)
            case Run.PASSED:
                return math.log((1 - self.at_least) / (1 - self.at_most))
            case Run.INCONCLUSIVE:
                return 0.0


@dataclass(slots=True)
class Sequential:
    """One candidate's test. After ``longest`` runs without a decision it is taken not to fail."""

    rates: Rates
    longest: int
    runs: int = 0
    failures: int = 0
    passes: int = 0
    _odds: float = 0.0

    def take(self, run: Run) -> bool | None:
        """Take in one run: whether the candidate fails, or None when more runs are needed."""
        self.runs += 1
        self.failures += run is Run.FAILED
        self.passes += run is Run.PASSED
        self._odds += self.rates.step(run)
        if self._odds >= self.rates.fails_above:
            return True
        if self._odds <= self.rates.holds_below or self.runs >= self.longest:
            return False
        return None


def likely_rate(failures: int, runs: int, *, at_least: float = 0.2, at_most: float = 0.9) -> float:
    """How often a plan may be taken to fail that failed so often: somewhat less than seen, and within bounds.

    Rather too little: a rate that is set too high takes a candidate that fails rarely for one that does not.
    """
    return min(at_most, max(at_least, 0.8 * failures / runs)) if runs else at_least
