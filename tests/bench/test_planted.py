"""The search for planted defects, with runs that are made up; and that what it draws can bring them out."""

from pathlib import Path

import pytest

from harness.bench.planted import DRAWN, GENERATOR, Results, Wanted, run, setting, wanted_defects
from harness.chaos.offered import offers
from harness.checks.verdict import Outcome
from harness.errors import HarnessError, UsageError
from harness.plans.generators import generate
from harness.plans.plan import Plan
from harness.plans.shrinking import Shrunk
from harness.plans.sound import problems_of
from tests.plans.drawn import plan, step

A, B = "frozen-twice", "deaths-apart"
RUN_S, SHRINKING_S = 60.0, 600.0


class MadeUp:
    """Plans of these seeds find the defect; a clock that only runs move."""

    def __init__(self, found: dict[str, set[int]]) -> None:
        self.found, self.seen, self.shrunk, self.clock_s = found, list[tuple[str, int]](), list[str](), 0.0
        self.ends_at: int | None = None
        self.broken = False

    def perform(self, defect: str, drawn: Plan) -> tuple[Outcome, tuple[str, ...], str]:
        if self.ends_at == len(self.seen):
            raise KeyboardInterrupt
        self.seen.append((defect, drawn.seed))
        self.clock_s += RUN_S
        check = {A: "one_holder", B: "nothing_lost"}[defect]
        found = drawn.seed in self.found[defect]
        return (Outcome.VIOLATED, (check,), f"runs/{defect}-{drawn.seed}") if found else (Outcome.HOLDS, (), "runs/x")

    def shrink(self, path: str, most_runs: int, within_s: float | None) -> Shrunk | None:
        if self.broken:
            raise HarnessError("it is gone")
        took_s = SHRINKING_S if within_s is None else min(SHRINKING_S, within_s)
        self.clock_s += took_s
        self.shrunk.append(path)
        if took_s < SHRINKING_S:
            return None
        return Shrunk(plan(step("1"), step("2")), most_runs, 3, confirmed=True, finished=True, rate=1.0)

    def now_s(self) -> float:
        return self.clock_s


def wanted(**other: float) -> Wanted:
    return Wanted(defects=(A, B), plans=3, shrinking_runs=40, **{"seeds": 2, **other})  # type: ignore[arg-type]


def kept(folder: Path, *, resume: bool = False) -> Results:
    return Results(folder / "results/planted.json", resume=resume)


def test_every_search_has_seeds_of_its_own_until_it_finds_or_gives_up(tmp_path: Path) -> None:
    trying, told = MadeUp({A: {2, 1001}, B: {1003}}), list[str]()
    page = run(wanted(), kept(tmp_path), trying, told.append)
    assert trying.seen == [
        (A, 1), (A, 2), (B, 1), (B, 2), (B, 3), (A, 1001), (B, 1001), (B, 1002), (B, 1003),
    ]  # fmt: skip
    assert trying.shrunk == [f"runs/{A}-2", f"runs/{A}-1001", f"runs/{B}-1003"]
    assert f"| {A} | 2 | 2 of 2 | 1.5 | 1.5 | " in page
    assert f"| {B} | 2 | 1 of 2 | not found | not found | " in page
    assert any(line.startswith(f"1 of 4, {A} for time 1: seed 2, ") and "found: VIOLATED" in line for line in told)


def test_ended_in_the_middle_it_goes_on_where_it_was_and_comes_to_the_same(tmp_path: Path) -> None:
    whole = MadeUp({A: {2, 1001}, B: {1003}})
    page = run(wanted(), kept(tmp_path / "whole"), whole, lambda _text: None)
    seen: list[tuple[str, int]] = []
    for _ in range(20):
        piece = MadeUp(whole.found)
        piece.ends_at = 1
        try:
            again = run(wanted(), kept(tmp_path, resume=True), piece, lambda _text: None)
        except KeyboardInterrupt:
            seen += piece.seen
        else:
            break
    assert seen + piece.seen == whole.seen
    assert again == page


def test_what_is_over_is_not_done_again(tmp_path: Path) -> None:
    run(wanted(), kept(tmp_path), MadeUp({A: {2, 1001}, B: {1003}}), lambda _text: None)
    again = MadeUp({A: set(), B: set()})
    run(wanted(), kept(tmp_path, resume=True), again, lambda _text: None)
    assert again.seen == []
    run(wanted(seeds=3), kept(tmp_path, resume=True), again, lambda _text: None)
    assert again.seen == [(A, 2001), (A, 2002), (A, 2003), (B, 2001), (B, 2002), (B, 2003)]


def test_each_defect_has_its_time_and_goes_on_another_night(tmp_path: Path) -> None:
    first = MadeUp({A: {2}, B: {1}})
    run(wanted(minutes=1.5), kept(tmp_path), first, lambda _text: None)
    assert first.seen == [(A, 1), (A, 2), (B, 1)]
    assert first.shrunk == [f"runs/{B}-1"], "half a minute was left for it"
    second = MadeUp(first.found)
    run(wanted(minutes=11.0, seeds=1), kept(tmp_path, resume=True), second, lambda _text: None)
    assert second.seen == []
    assert second.shrunk == [f"runs/{A}-2", f"runs/{B}-1"]


def test_what_cannot_be_shrunk_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    trying, told = MadeUp({A: {1}, B: {1}}), list[str]()
    trying.broken = True
    run(wanted(seeds=1), kept(tmp_path), trying, told.append)
    assert trying.seen == [(A, 1), (B, 1)]
    assert any("could not be shrunk: it is gone" in line for line in told)


def test_a_file_of_results_is_not_written_over_by_mistake(tmp_path: Path) -> None:
    kept(tmp_path)
    with pytest.raises(UsageError, match="--resume goes on with it"):
        kept(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--results"):
        Results(tmp_path / "file/below.json", resume=False)


def test_defects_are_chosen_by_parts_of_their_names() -> None:
    assert wanted_defects(()) == DRAWN
    assert len(DRAWN) >= 12
    assert wanted_defects(("deaths", "frozen-t")) == (A, B)
    with pytest.raises(UsageError, match="--only nope: nothing that is measured is called so"):
        wanted_defects(("deaths", "nope"))


def test_what_is_drawn_can_be_performed_and_holds_what_the_defects_take() -> None:
    drawn = [generate(GENERATOR, seed, setting()) for seed in range(1, 21)]
    assert all(not list(problems_of(one, setting().topology, offers())) for one in drawn)
    taken = {"kill", "unplug", "freeze", "resolver-lies", "isolate"}
    assert taken <= {step.fault for one in drawn for step in one.steps}
