"""Whether plans that are drawn find defects that take several faults, and what shrinking leaves of those plans.

Each defect of ``sfha-planted`` in turn: plans from seed 1 on, until one of them finds it, which is then shrunk. Runs
are stored, so that what was found can be performed again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.figures import chosen, table
from harness.chaos.designing import design, topology_called
from harness.chaos.offered import chosen as offered
from harness.chaos.session import perform, run_directory
from harness.chaos.shrinker import Shrinker
from harness.checks.verdict import Outcome
from harness.clock import now_s
from harness.plans.drawing import Setting
from harness.plans.generators import generate
from harness.plans.plan import LoadOf, Plan
from harness.plans.shrinking import Bounds, Shrunk
from harness.scenario import Ruling
from harness.subjects.sfha.planted import PLANTED

Say = Callable[[str], None]
GENERATOR, TOPOLOGY, ENGINE, LENGTH_S, WITHIN_S = "storm", "three-sites", "local", 40.0, 30.0
FAMILIES = ("process", "network", "names")
SOFTWARE = "sfha-planted"
METHOD = (
    f"sfha with a defect that takes several faults on one node (`{SOFTWARE}`, docs/plans.md). Plans of {LENGTH_S:g} s "
    f"by `{GENERATOR}` from the families {', '.join(FAMILIES)}, from seed 1 on, until one of them violates something; "
    "that one is shrunk. Everything is stored: `harness replay RUN` performs it again."
)


@dataclass(frozen=True, slots=True)
class Search:
    """What became of the search for one defect. ``seed`` None: no plan found it."""

    defect: str
    plans: int
    minutes: float
    seed: int | None = None
    checks: tuple[str, ...] = ()
    faults: int = 0
    inconclusive: int = 0
    shrunk: Shrunk | None = None


def setting() -> Setting:
    """What the plans are drawn for."""
    return Setting(
        topology=topology_called(TOPOLOGY),
        topology_name=TOPOLOGY,
        engine=ENGINE,
        offers=offered(FAMILIES),
        length_s=LENGTH_S,
        within_s=WITHIN_S,
        loads=(LoadOf("ledger", 50.0),),
    )


def run(only: str, plans: int, shrinking_runs: int, stored: Path, say: Say) -> str:
    """Search for every defect whose name contains ``only``; gives the section for the page."""
    found = []
    for defect in chosen(only, PLANTED):
        found.append(_search(defect, plans, shrinking_runs, stored, say))
        say(section(found))
    return section(found)


def _search(defect: str, plans: int, shrinking_runs: int, stored: Path, say: Say) -> Search:
    began_s, inconclusive = now_s(), 0
    for seed in range(1, plans + 1):
        plan = generate(GENERATOR, seed, setting())
        directory = run_directory(stored, f"{defect}-{seed}")
        ruling = _performed(defect, plan, directory)
        say(f"{defect}, seed {seed}, {len(plan.steps)} faults: {ruling.outcome.name}")
        inconclusive += ruling.outcome is Outcome.UNKNOWN
        if ruling.outcome is Outcome.VIOLATED:
            checks = tuple(sorted({one.check for one in ruling.verdicts if one.outcome is Outcome.VIOLATED}))
            minutes = (now_s() - began_s) / 60
            shrunk = (
                asyncio.run(Shrinker(directory, Bounds(runs=shrinking_runs), say).shrink()) if shrinking_runs else None
            )
            return Search(defect, seed, minutes, seed, checks, len(plan.steps), inconclusive, shrunk)
    return Search(defect, plans, (now_s() - began_s) / 60, inconclusive=inconclusive)


def _performed(defect: str, plan: Plan, directory: Path) -> Ruling:
    made = design(
        setting().topology,
        {SOFTWARE: {"planted": defect}, "etcd": {}},
        engine=ENGINE,
        image=None,
        seed=plan.seed,
        scenario=f"planted {defect}, seed {plan.seed}",
        run_directory=directory,
    )
    return perform(made, plan, say=lambda _text: None)


def section(found: Sequence[Search]) -> str:
    """The section of the benchmark page."""
    header = (
        *("defect", "plans until found", "of them inconclusive", "minutes", "seed", "faults", "after shrinking"),
        *("runs of that", "violated"),
    )
    return table("Planted defects", METHOD, header, [_row(one) for one in found])


def _row(one: Search) -> tuple[str, ...]:
    cells = (one.defect, str(one.plans), str(one.inconclusive), f"{one.minutes:.1f}")
    if one.seed is None:
        return (*cells, "-", "-", "-", "-", "not found")
    left, runs = "-", "-"
    if one.shrunk is not None:
        left, runs = str(len(one.shrunk.plan.steps)), str(one.shrunk.runs)
        if not one.shrunk.confirmed:
            left = "did not fail again"
        elif not one.shrunk.finished:
            left += " so far"
    return (*cells, str(one.seed), str(one.faults), left, runs, ", ".join(one.checks))
