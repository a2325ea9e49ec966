"""Whether plans that are drawn find defects that take several faults, and what shrinking leaves of those plans.

Runs are stored, so that what was found can be performed again. What is known is written down after each plan: a search
that was ended goes on where it was.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Protocol

from harness.bench.figures import chosen
from harness.bench.searches import Search, Searches, from_json, section, to_json
from harness.chaos.designing import design, topology_called
from harness.chaos.offered import chosen as offered
from harness.chaos.session import perform, run_directory
from harness.chaos.shrinker import Shrinker
from harness.checks.verdict import Outcome
from harness.clock import now_s
from harness.errors import HarnessError, UsageError
from harness.plans.drawing import Setting
from harness.plans.generators import generate
from harness.plans.plan import LoadOf, Plan
from harness.plans.shrinking import Bounds, Shrunk
from harness.subjects.sfha.planted.defects import PLANTED

Say = Callable[[str], None]
GENERATOR, TOPOLOGY, ENGINE, LENGTH_S, WITHIN_S = "storm", "three-sites", "local", 40.0, 15.0
FAMILIES = ("process", "network", "names")
LEFT_OUT = ("corrupt",)
"""A bit that is turned in a frame's own addresses, which netem may hit, looks like another node that answers."""
SOFTWARE = "sfha-planted"
METHOD = (
    f"sfha with a defect that takes several faults on one node (`{SOFTWARE}`, docs/plans.md). Plans of {LENGTH_S:g} s "
    f"by `{GENERATOR}` from the families {', '.join(FAMILIES)} without {', '.join(LEFT_OUT)}, until one of them "
    "violates what the defect is caught by; that one is shrunk. Medians of several searches, each from a seed of its "
    "own on; one that finds nothing counts as longer than all others. Everything is stored: `harness replay RUN` "
    "performs it again."
)
DRAWN = tuple(name for name, defect in PLANTED.items() if defect.drawn)
"""Those that chance can find: the others take a fault of which somebody has to say where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be searched for, and how far. ``minutes`` None: without a limit for a defect."""

    defects: tuple[str, ...]
    seeds: int
    plans: int
    shrinking_runs: int
    minutes: float | None = None


class Trying(Protocol):
    """What it takes of the world: nodes, and a clock."""

    def perform(self, defect: str, plan: Plan) -> tuple[Outcome, tuple[str, ...], str]:
        """How the run came out, which checks were violated, and where it is stored."""

    def shrink(self, run: str, most_runs: int, within_s: float | None) -> Shrunk | None:
        """None: there was no time for all of it; called again it goes on. Raises HarnessError."""

    def now_s(self) -> float:
        """The monotonic clock."""


def setting() -> Setting:
    """What the plans are drawn for."""
    return Setting(
        topology=topology_called(TOPOLOGY),
        topology_name=TOPOLOGY,
        engine=ENGINE,
        offers=tuple(one for one in offered(FAMILIES) if one.name not in LEFT_OUT),
        length_s=LENGTH_S,
        within_s=WITHIN_S,
        loads=(LoadOf("ledger", 50.0),),
    )


def wanted_defects(texts: Sequence[str]) -> tuple[str, ...]:
    """Those whose names contain one of these texts; without one, all. Raises UsageError for a text of none."""
    found = {name for text in texts or ("",) for name in chosen(text, DRAWN)}
    return tuple(name for name in DRAWN if name in found)


class Results:
    """The file of what is known. Raises UsageError where it cannot be, or is there and is not to be gone on with."""

    def __init__(self, file: Path, *, resume: bool) -> None:
        self._file = file
        self.searches = Searches(METHOD)
        if file.exists() and not resume:
            raise UsageError(f"--results {file} is there already: --resume goes on with it, or name another")
        try:
            if file.exists():
                self.searches = from_json(file.read_bytes(), METHOD, str(file))
            file.parent.mkdir(parents=True, exist_ok=True)
            self.keep(self.searches)
        except OSError as error:
            raise UsageError(f"--results {file}: {error.strerror}") from None

    def keep(self, searches: Searches) -> None:
        """All of it at once, so that whatever ends us leaves one or the other."""
        self.searches = searches
        new = self._file.with_name(self._file.name + ".new")
        new.write_bytes(to_json(searches))
        new.replace(self._file)


def run(wanted: Wanted, results: Results, trying: Trying, say: Say) -> str:
    """Make all searches that are not over; gives the section for the page."""
    left_s = dict.fromkeys(wanted.defects, float("inf") if wanted.minutes is None else wanted.minutes * 60)
    turns = [*results.searches.in_turn(wanted.defects, wanted.seeds)]
    for place, (defect, number) in enumerate(turns, start=1):
        began_s = trying.now_s()
        head = f"{place} of {len(turns)}, {defect} for time {number}"
        _Turn(wanted, results, trying, head, say, until_s=began_s + left_s[defect]).take(defect, number)
        left_s[defect] -= trying.now_s() - began_s
    return written(results, wanted)


def written(results: Results, wanted: Wanted) -> str:
    """The section, of what is known by now."""
    smallest = {name: PLANTED[name].faults for name in wanted.defects}
    return section(results.searches.made, smallest, METHOD, wanted.plans)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One search, to its end or that of its time."""

    wanted: Wanted
    results: Results
    trying: Trying
    head: str
    say: Say
    _: KW_ONLY
    until_s: float

    def take(self, defect: str, number: int) -> None:
        """What is known is kept after each plan, and after shrinking."""
        while True:
            search = self.results.searches.at(defect, number)
            if search.is_over(self.wanted.plans, self.wanted.shrinking_runs):
                return
            if self.until_s <= self.trying.now_s():
                self._tell("no time is left for it; --resume goes on")
                return
            after = self._shrunk(search) if search.found else self._performed(search)
            self.results.keep(self.results.searches.with_(after))
            if search.found and (search.runs, search.finished) == (after.runs, after.finished):
                return  # it was ended, or cannot be

    def _performed(self, search: Search) -> Search:
        plan, began_s = generate(GENERATOR, search.next_seed, setting()), self.trying.now_s()
        outcome, checks, path = self.trying.perform(search.defect, plan)
        minutes = (self.trying.now_s() - began_s) / 60
        shows = PLANTED[search.defect].damage.caught_by
        after = search.performed(outcome, checks, len(plan.steps), path, shows=shows, minutes=minutes)
        found = "found: " if after.found else ""
        self._tell(f"seed {plan.seed}, {len(plan.steps)} faults: {found}{outcome.name} {', '.join(checks)}".rstrip())
        return after

    def _shrunk(self, search: Search) -> Search:
        began_s, shrunk = self.trying.now_s(), None
        within_s = None if self.wanted.minutes is None else self.until_s - began_s
        try:
            shrunk = self.trying.shrink(search.run, self.wanted.shrinking_runs, within_s)
        except HarnessError as error:
            self._tell(f"{search.run} could not be shrunk: {error}")
        after = search.shrunk(shrunk, minutes=(self.trying.now_s() - began_s) / 60)
        self._tell(f"shrunk to {after.left} of {search.faults} faults" if after.left is not None else "not shrunk yet")
        return after

    def _tell(self, text: str) -> None:
        self.say(f"{self.head}: {text}")


class OnNodes:
    """On clusters of this machine. ``say`` is told how shrinking goes."""

    def __init__(self, stored: Path, say: Say) -> None:
        self._stored, self._say = stored, say

    def perform(self, defect: str, plan: Plan) -> tuple[Outcome, tuple[str, ...], str]:
        """On a new cluster."""
        directory = run_directory(self._stored, f"{defect}-{plan.seed}")
        made = design(
            setting().topology,
            {SOFTWARE: {"planted": defect}, "etcd": {}},
            engine=ENGINE,
            image=None,
            seed=plan.seed,
            scenario=f"planted {defect}, seed {plan.seed}",
            run_directory=directory,
        )
        ruling = perform(made, plan, say=lambda _text: None)
        violated = sorted({one.check for one in ruling.verdicts if one.outcome is Outcome.VIOLATED})
        return ruling.outcome, tuple(violated), str(directory)

    def shrink(self, run: str, most_runs: int, within_s: float | None) -> Shrunk | None:
        """What earlier calls have found out counts."""
        shrinker = Shrinker(Path(run), Bounds(runs=most_runs), self._say)

        async def in_time() -> Shrunk:
            async with asyncio.timeout(within_s):
                return await shrinker.shrink()

        try:
            return asyncio.run(in_time())
        except TimeoutError:
            return None

    def now_s(self) -> float:
        """The clock of runs."""
        return now_s()
