"""Shrinking against simulated oracles, of which the smallest failing plan is known."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.plans.generators import generate
from harness.plans.plan import LoadOf, Plan, Step
from harness.plans.sequential import Run
from harness.plans.shrinking import Bounds, Shrunk, shrink
from tests.plans.drawn import plan, setting, step

Oracle = Callable[[Plan], Run]


def shrunk(first: Plan, oracle: Oracle, bounds: Bounds | None = None, at_once: int = 1) -> tuple[Shrunk, int]:
    """Shrink to the end; gives how many runs were asked of the oracle as well."""
    asking, asked = shrink(first, bounds), 0
    question = next(asking)
    while True:
        asked += at_once
        answer = [oracle(question.plan) for _ in range(at_once)]
        try:
            question = asking.send(answer)
        except StopIteration as end:
            found: Shrunk = end.value
            return found, asked


def needs(culprits: frozenset[str], rate: float = 1.0, seed: int = 0) -> Oracle:
    """Fails, so often, where these steps are in the plan."""
    random = Random(seed)

    def ask(candidate: Plan) -> Run:
        there = culprits <= {one.name for one in candidate.steps}
        return Run.FAILED if there and random.random() < rate else Run.PASSED

    return ask


def many(count: int) -> Plan:
    steps = [step(str(number), at_s=1.0 + 5 * number, for_s=4.0) for number in range(count)]
    return plan(*steps, loads=(LoadOf("ledger", 50.0), LoadOf("set", 20.0)))


@given(st.integers(1, 20), st.data())
@settings(max_examples=60)
def test_where_it_always_fails_only_the_culprits_are_left(count: int, data: st.DataObject) -> None:
    names = [str(number) for number in range(count)]
    culprits = frozenset(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)))
    found, asked = shrunk(many(count), needs(culprits))
    assert {one.name for one in found.plan.steps} == culprits
    assert found.plan.loads == ()
    assert found.confirmed
    assert found.finished
    assert asked == found.runs < 120
    assert all(one.for_s == 0.5 for one in found.plan.steps)
    assert found.plan.length_s <= 2 + 2 * len(culprits)


@pytest.mark.parametrize("at_once", [1, 2])
def test_where_it_fails_in_three_of_ten_runs_what_is_left_fails_and_is_nearly_the_smallest(at_once: int) -> None:
    """Over fifty bugs of two steps each in plans of twelve: medians and bounds, since chance decides each."""
    sizes, bounds = [], Bounds(runs=600, candidate_runs=14)
    for seed in range(50):
        culprits = frozenset(Random(seed).sample([str(number) for number in range(12)], 2))
        found, asked = shrunk(many(12), needs(culprits, 0.3, seed), bounds, at_once)
        names = {one.name for one in found.plan.steps}
        assert culprits <= names or not found.confirmed  # what was accepted has failed before our eyes
        assert asked <= bounds.runs + at_once
        sizes.append(len(names))
    assert sorted(sizes)[25] == 2
    assert sum(size <= 3 for size in sizes) >= 40


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_the_number_of_runs_is_bounded_and_what_was_found_by_then_is_given(seed: int) -> None:
    found, asked = shrunk(many(20), needs(frozenset({"3", "17"}), 0.3, seed), Bounds(runs=30))
    assert asked <= 30
    assert not found.finished
    assert {"3", "17"} <= {one.name for one in found.plan.steps}


def test_a_plan_that_never_fails_stays_as_it_is_and_is_not_confirmed() -> None:
    first = many(4)
    found, _ = shrunk(first, lambda _: Run.PASSED)
    assert found.plan == first
    assert not found.confirmed


def test_runs_that_tell_nothing_do_not_make_a_candidate_fail() -> None:
    first = many(3)
    found, asked = shrunk(first, lambda _: Run.INCONCLUSIVE, Bounds(runs=100, candidate_runs=3))
    assert found.plan == first
    assert asked <= 100


def test_a_spurious_failure_in_a_hundred_runs_hardly_ever_costs_a_culprit() -> None:
    """A candidate without the defect that fails by chance would be taken; the stated rate is kept."""
    wrong = 0
    for seed in range(60):
        noise, real = Random(seed), needs(frozenset({"2", "6"}), 0.9, seed)

        def ask(candidate: Plan, noise: Random = noise, real: Oracle = real) -> Run:
            return Run.FAILED if noise.random() < 0.001 else real(candidate)

        found, _ = shrunk(many(8), ask)
        wrong += not {"2", "6"} <= {one.name for one in found.plan.steps}
    assert wrong <= 3


def test_windows_as_short_as_the_defect_allows_and_targets_that_it_needs() -> None:
    def ask(candidate: Plan) -> Run:
        for one in candidate.steps:
            long = one.for_s is not None and one.for_s >= 2.0
            if one.fault == "kill" and long and "n2" in one.aims[0].split(","):
                return Run.FAILED
        return Run.PASSED

    first = plan(step("1", "loss"), step("2", "kill", ("n1,n2,n3",), 20.3, 9.7), step("3", "halves", (), 40.0))
    found, _ = shrunk(first, ask)
    (left,) = found.plan.steps
    assert left.aims == ("n2",)
    assert 2.0 <= (left.for_s or 0) <= 3.0
    assert (left.for_s or 0) % 0.5 == 0
    assert left.earliest_s == 1.0


def test_a_plan_that_was_drawn_is_shrunk_to_the_pair_that_overlaps() -> None:
    """The defect needs a kill and a loss at the same time: what keeps them together survives."""

    def at_once(one: Step, other: Step) -> bool:
        return one.earliest_s < other.over_s and other.earliest_s < one.over_s

    def ask(candidate: Plan) -> Run:
        kills = [one for one in candidate.steps if one.fault == "kill"]
        names = [one for one in candidate.steps if one.fault.startswith("resolver")]
        return Run.FAILED if any(at_once(one, other) for one in kills for other in names) else Run.PASSED

    wanted = [drawn for seed in range(400) if ask(drawn := generate("storm", seed, setting(90.0))) is Run.FAILED]
    assert wanted
    for drawn in wanted[:5]:
        found, asked = shrunk(drawn, ask)
        assert ask(found.plan) is Run.FAILED
        assert len(found.plan.steps) == 2
        assert asked < 200
