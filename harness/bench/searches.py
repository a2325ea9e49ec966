"""Searches for planted defects: which there are to make, what became of each, and what that comes to. Pure.

A search draws plans from a seed of its own on until one of them finds the defect; that plan is then shrunk. There are
several for each defect, since how soon one finds it is chance.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from harness.bench.figures import table
from harness.checks.verdict import Outcome
from harness.errors import UsageError
from harness.plans.shrinking import Shrunk

FORMAT = 1
SEEDS_APART = 1000
"""So many plans a search has to itself."""


class Search(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One search as far as it has come. Times are minutes of all calls together."""

    defect: str
    number: int
    """Its place among those for the defect, from 1 on."""
    plans: int = 0
    """How many were performed."""
    inconclusive: int = 0
    astray: int = 0
    """How many violated something, and nothing that the defect does."""
    minutes: float = 0.0
    run: str = ""
    """Where the run is stored that found it; empty: none has."""
    checks: tuple[str, ...] = ()
    """What that one violated."""
    faults: int = 0
    shrinking_minutes: float = 0.0
    left: int | None = None
    """How many faults shrinking left; None: it was not brought to its end, or the plan did not fail again."""
    runs: int = 0
    """How many runs that took."""
    finished: bool = False
    """Whether nothing smaller fails; False where the bound on runs ended it."""

    @property
    def found(self) -> bool:
        """Whether a plan found the defect."""
        return bool(self.run)

    @property
    def next_seed(self) -> int:
        """Of the plan that is to be performed next."""
        return (self.number - 1) * SEEDS_APART + self.plans + 1

    def is_over(self, plans: int, shrinking_runs: int) -> bool:
        """Whether there is nothing more to do within these bounds."""
        return self.gave_up(plans) or (self.found and not self.to_be_shrunk(shrinking_runs))

    def gave_up(self, plans: int) -> bool:
        """Whether so many plans did not find it."""
        return not self.found and self.plans >= plans

    def to_be_shrunk(self, shrinking_runs: int) -> bool:
        """Whether what it found can be made smaller within so many runs."""
        return self.found and not self.finished and self.runs < shrinking_runs

    def performed(
        self, outcome: Outcome, checks: Sequence[str], faults: int, run: str, *, shows: Sequence[str], minutes: float
    ) -> "Search":
        """With one plan more. ``shows`` are the checks that the defect may be caught by."""
        violated = outcome is Outcome.VIOLATED
        found = violated and bool({*checks} & {*shows})
        more = replace(
            self,
            plans=self.plans + 1,
            inconclusive=self.inconclusive + (outcome is Outcome.UNKNOWN),
            astray=self.astray + (violated and not found),
            minutes=self.minutes + minutes,
        )
        return replace(more, run=run, checks=tuple(sorted({*checks})), faults=faults) if found else more

    def shrunk(self, to: Shrunk | None, *, minutes: float) -> "Search":
        """With what shrinking came to; None: it was ended."""
        longer = replace(self, shrinking_minutes=self.shrinking_minutes + minutes)
        if to is None:
            return longer
        left = len(to.plan.steps) if to.confirmed else None
        return replace(longer, left=left, runs=to.runs, finished=to.finished)


class Searches(Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, as they are kept between the calls. ``method`` is how they were made."""

    method: str
    made: tuple[Search, ...] = ()
    format: int = FORMAT

    def at(self, defect: str, number: int) -> Search:
        """One of them, begun or not."""
        same = (one for one in self.made if (one.defect, one.number) == (defect, number))
        return next(same, Search(defect=defect, number=number))

    def with_(self, search: Search) -> "Searches":
        """With this one as it is now."""
        others = (one for one in self.made if (one.defect, one.number) != (search.defect, search.number))
        return replace(self, made=tuple(sorted((*others, search), key=lambda one: (one.number, one.defect))))

    def in_turn(self, defects: Sequence[str], seeds: int) -> Iterator[tuple[str, int]]:
        """Every defect once, then every one a second time: a night that ends early has something to say of each."""
        return ((defect, number) for number in range(1, seeds + 1) for defect in defects)


def to_json(searches: Searches) -> bytes:
    """Indented, for a file that a person may read."""
    return msgspec.json.format(msgspec.json.encode(searches), indent=1) + b"\n"


def from_json(text: bytes, method: str, source: str) -> Searches:
    """Raises UsageError for what is none, and for searches that were made in another way than ``method`` says."""
    try:
        found = msgspec.json.decode(text, type=Searches)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{source}: no results of searches: {error!s:.200}") from None
    if found.method != method or found.format != FORMAT:
        raise UsageError(f"{source}: searched in another way (other plans, other bounds); begin another file")
    return found


HEADER = (
    *("defect", "known smallest", "found", "plans", "minutes to find", "faults", "after shrinking"),
    *("of the smallest", "minutes to shrink", "violated"),
)


def section(searches: Iterable[Search], smallest: Mapping[str, int], method: str, plans: int) -> str:
    """The section of the benchmark page: medians of the searches for each defect. ``plans``: when one gives up."""
    made = tuple(searches)
    rows = [_row(name, [one for one in made if one.defect == name], faults, plans) for name, faults in smallest.items()]
    return table("Planted defects", method, HEADER, rows)


def _row(defect: str, mine: Sequence[Search], smallest: int, plans: int) -> tuple[str, ...]:
    found = [one for one in mine if one.found]
    over = [one for one in mine if one.found or one.gave_up(plans)]
    shrunk = [one for one in found if one.left is not None]
    told = f"{len(found)} of {len(over)}" + (f", {len(mine) - len(over)} under way" if len(over) < len(mine) else "")
    left = _median(one.left for one in shrunk if one.left is not None)
    remarks = {
        "so far": sum(1 for one in shrunk if not one.finished),
        "did not fail again": sum(1 for one in found if one.left is None and one.runs),
    }
    remark = ", ".join(f"{count} {what}" for what, count in remarks.items() if count)
    return (
        defect,
        str(smallest),
        told,
        _median(one.plans if one.found else math.inf for one in over),
        _median(one.minutes if one.found else math.inf for one in over),
        _median(one.faults for one in found),
        f"{left} ({remark})" if remark else left,
        _median(one.left / smallest for one in shrunk if one.left is not None),
        _median(one.shrinking_minutes for one in shrunk),
        ", ".join(sorted({check for one in found for check in one.checks})) or "-",
    )


def _median(values: Iterable[float]) -> str:
    several = [*values]
    middle = statistics.median(several) if several else None
    return "-" if middle is None else "not found" if math.isinf(middle) else f"{middle:.1f}".removesuffix(".0")
