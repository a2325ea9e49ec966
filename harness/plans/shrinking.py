"""A failing plan made as small as it can be and still fail: which candidate to ask for next, and what follows.

Pure: whoever calls answers each question with how runs of the candidate came out. First parts are left out (delta
debugging: A. Zeller, R. Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, IEEE TSE 28 (2002),
183-200), then what is left is made simpler; both again until nothing more can be done.
"""

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from harness.plans.plan import Plan
from harness.plans.sequential import Rates, Run, Sequential, likely_rate
from harness.plans.simpler import parts_of, shorter, simpler, without

Answer = Sequence[Run]
"""How one or more runs of the candidate came out, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far shrinking goes: runs in all, runs of one candidate, and runs that first tell how often the plan fails."""

    runs: int = 300
    candidate_runs: int = 12
    first_runs: int = 2
    false_alarm: float = 0.05
    missed: float = 0.1
    innocent: float = 0.01
    """How often a plan fails that does not show the defect."""


@dataclass(frozen=True, slots=True)
class Question:
    """The candidate that is to be run, why, and how it stands."""

    plan: Plan
    what: str
    runs_so_far: int
    smallest: Plan
    rate: float
    """How often a candidate that shows the defect is taken to fail."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest plan that was found. ``confirmed``: a run of it failed while it was asked for."""

    plan: Plan
    runs: int
    candidates: int
    confirmed: bool
    finished: bool
    """Whether nothing smaller fails, as far as the tests tell; False where the bound on runs ended it."""
    rate: float
    """How often it was taken to fail."""


class _OutOfRuns(Exception):
    """The bound is reached."""


Asking = Generator[Question, Answer, bool]


@dataclass(slots=True)
class _Shrinking:
    """The state of one: ``best`` is the smallest plan that is known to fail."""

    best: Plan
    bounds: Bounds
    rates: Rates
    runs: int = 0
    candidates: int = 0
    confirmed: bool = False
    seen: tuple[int, int] = (0, 0)
    """How many runs of the best have failed, and of how many that told something, when it became so."""
    known: set[str] = field(default_factory=set)
    """Candidates that were found not to fail."""

    def fails(self, plan: Plan, what: str, longest: int | None = None) -> Asking:
        """Whether a candidate fails, in ``longest`` runs at most; if so it is the best from now on."""
        key = _key(plan)
        if key in self.known or key == _key(self.best):
            return False
        test = Sequential(self.rates, longest or self.bounds.candidate_runs)
        self.candidates += 1
        verdict: bool | None = None
        while verdict is None:
            for run in (yield self.ask(plan, what)):
                self.runs += 1
                now = test.take(run)  # one more is counted, and decides nothing any more
                verdict = now if verdict is None else verdict
        if verdict:
            self.best, self.confirmed, self.seen = plan, True, (test.failures, test.failures + test.passes)
        else:
            self.known.add(key)
        return verdict

    def ask(self, plan: Plan, what: str) -> Question:
        if self.runs >= self.bounds.runs:
            raise _OutOfRuns
        return Question(plan, what, self.runs, self.best, self.rates.at_least)

    def first(self) -> Generator[Question, Answer, None]:
        """Run the plan itself, to learn how often it fails."""
        failures, taken = self.seen
        while taken < self.bounds.first_runs:
            for run in (yield self.ask(self.best, "how often it fails")):
                self.runs, taken, failures = self.runs + 1, taken + 1, failures + (run is Run.FAILED)
        self.confirmed |= failures > 0
        self.rates = _rates(self.bounds, failures, taken)

    def leave_out(self) -> Asking:
        """Leave parts out, halves first, then smaller groups, down to single ones."""
        progress, groups = False, 2
        while (parts := parts_of(self.best)) and groups <= max(2, 2 * len(parts)):
            for group in _split(parts, min(groups, len(parts))):
                left = without(self.best, group)
                if left is not None and (yield from self.fails(left, f"without {', '.join(group)}")):
                    progress, groups = True, max(2, groups - 1)
                    break
            else:
                if groups >= len(parts):
                    break
                groups = min(2 * groups, len(parts))
        return progress

    def exhaust(self, moves: Callable[[Plan], Iterable[tuple[str, Plan]]]) -> Asking:
        """Make moves for as long as one of them gives a plan that fails; none is tried again that did not."""
        progress, refused = False, set[str]()
        moving = True
        while moving:
            moving = False
            for what, plan in moves(self.best):
                if what in refused:
                    continue
                if (yield from self.fails(plan, what)):
                    progress = moving = True
                    break
                refused.add(what)
        return progress


def shrink(plan: Plan, bounds: Bounds | None = None, hints: Sequence[Plan] = ()) -> Generator[Question, Answer, Shrunk]:
    """Ask, by ``send``, for one candidate after the other, and return what is left of a plan that failed.

    ``hints`` are smaller plans to try first, the smallest first, such as one without what came after the failure.
    """
    bounds = bounds or Bounds()
    state = _Shrinking(plan, bounds, _rates(bounds, 0, 0))
    finished = False
    try:
        for hint in hints:
            if (yield from state.fails(hint, "without what came after the failure", bounds.first_runs)):
                break
        yield from state.first()
        progress = True
        while progress:
            progress = yield from state.leave_out()
            progress |= yield from state.exhaust(shorter)
            progress |= yield from state.exhaust(simpler)
        finished = True
    except _OutOfRuns:
        pass
    return Shrunk(state.best, state.runs, state.candidates, state.confirmed, finished, state.rates.at_least)


def _rates(bounds: Bounds, failures: int, runs: int) -> Rates:
    return Rates(
        at_most=bounds.innocent,
        at_least=likely_rate(failures, runs),
        false_alarm=bounds.false_alarm,
        missed=bounds.missed,
    )


def _split(parts: Sequence[str], count: int) -> list[Sequence[str]]:
    """Into so many groups of about the same size, in order."""
    ends = [round(len(parts) * place / count) for place in range(count + 1)]
    return [parts[first:last] for first, last in pairwise(ends) if first < last]


def _key(plan: Plan) -> str:
    return repr((plan.steps, plan.loads, plan.operations, plan.end))


def runs_left(question: Question, bounds: Bounds) -> int:
    """About how many runs more, were no further candidate to fail: never more than the bound leaves."""
    rates = replace(_rates(bounds, 0, 0), at_least=question.rate)
    each = min(bounds.candidate_runs, math.ceil(rates.holds_below / rates.step(Run.PASSED)))
    plan = question.smallest
    moves = sum(1 for _ in shorter(plan)) + sum(1 for _ in simpler(plan))
    return min(bounds.runs - question.runs_so_far, each * (len(parts_of(plan)) + moves))
