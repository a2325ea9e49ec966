"""Plans from a seed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.chaos.offered import chosen, offers
from harness.errors import UsageError
from harness.plans.drawing import Setting
from harness.plans.generators import GENERATORS, generate
from harness.plans.offers import Amount, by_name
from harness.plans.plan import Liveness, Quiet, from_json, to_json
from harness.plans.sound import problems_of
from tests.plans.drawn import TOPOLOGIES as SHIPPED
from tests.plans.drawn import setting, topology
from tests.plans.overlapping import overlapping_spoilers

SEEDS = st.integers(0, 2**32)
NAMES = st.sampled_from(sorted(GENERATORS))
LENGTHS_S = st.floats(30.0, 300.0)
TOPOLOGIES = st.sampled_from(["three-sites", "two-sites", "single-site", "five-nodes", "seven-nodes"])
ALL_TOPOLOGIES = st.sampled_from(sorted(path.stem for path in SHIPPED.glob("*.toml")))


@given(NAMES, SEEDS, LENGTHS_S, ALL_TOPOLOGIES)
def test_the_same_seed_gives_the_same_plan_and_another_may_not(
    name: str, seed: int, length_s: float, where: str
) -> None:
    made = setting(length_s, where)
    assert generate(name, seed, made) == generate(name, seed, made)


@given(NAMES, SEEDS, LENGTHS_S, TOPOLOGIES, st.booleans())
def test_a_plan_is_sound_ends_as_it_says_and_comes_back_from_json(
    name: str, seed: int, length_s: float, where: str, liveness: bool
) -> None:
    made = setting(length_s, where, liveness=liveness)
    plan = generate(name, seed, made)
    assert list(problems_of(plan, made.topology, offers())) == []
    assert from_json(to_json(plan)) == plan
    assert all(one.latest_s <= length_s for one in plan.steps)
    assert all(one.over_s <= length_s + 1e-9 for one in plan.steps if one.for_s is not None)
    assert overlapping_spoilers(plan, made.topology, offers()) == ()
    staying = [one for one in plan.steps if one.for_s is None]
    if liveness:
        assert isinstance(plan.end, Liveness)
        assert made.topology.has_quorum(plan.end.healed)
        assert [one.aims for one in staying] == [
            (",".join(name for name in made.topology.node_names if name not in plan.end.healed),)
        ]
    else:
        assert isinstance(plan.end, Quiet)
        assert staying == []


@given(NAMES, SEEDS, TOPOLOGIES)
def test_nothing_is_aimed_at_but_parts_of_the_cluster_within_the_limits_of_each_fault(
    name: str, seed: int, where: str
) -> None:
    drawn = topology(where)
    roles = {f"{role}:{vip.name}" for role in ("holder", "follower") for vip in drawn.vips} | {"any"}
    parts = {*drawn.endpoints, *drawn.site_names, *(vip.name for vip in drawn.vips), *roles}
    known = by_name(chosen(()))
    for step in generate(name, seed, setting(90.0, where)).steps:
        assert {word for aim in step.aims for word in aim.split(",")} <= parts
        limits = {one.name: one for one in known[step.fault].options}
        assert set(step.parameters) == set(limits)
        for option, value in step.parameters.items():
            one = limits[option]
            assert one.allows(value)
            if isinstance(one, Amount):
                assert one.at_least <= float(value) <= one.at_most
                assert isinstance(value, int) or not one.whole


def test_the_staircase_rises() -> None:
    plan = generate("staircase", 3, setting(120.0, "seven-nodes"))
    thirds = [sum(1 for one in plan.steps if at <= one.earliest_s < at + 40) for at in (0, 40, 80)]
    assert thirds[0] < thirds[2]


def test_rolling_takes_each_node_once_by_the_same_fault() -> None:
    plan = generate("rolling", 3, setting(60.0, "five-nodes"))
    assert sorted(aim for one in plan.steps for aim in one.aims) == ["n1", "n2", "n3", "n4", "n5"]
    assert len({one.fault for one in plan.steps}) == 1


def test_windows_hold_one_fault_each() -> None:
    plan = generate("windows", 5, setting(60.0))
    over_s = 0.0
    for one in plan.steps:
        assert one.earliest_s >= over_s
        over_s = one.over_s


def test_by_role_favours_the_holder() -> None:
    aims = [aim for seed in range(40) for one in generate("by-role", seed, setting()).steps for aim in one.aims]
    assert aims.count("holder:web") > aims.count("follower:web") > 0
    uniform = [aim for seed in range(40) for one in generate("uniform", seed, setting()).steps for aim in one.aims]
    assert "holder:web" not in uniform


@pytest.mark.parametrize(
    ("name", "made", "words"),
    [
        ("tornado", setting(), "no generator tornado; there are: uniform"),
        ("storm", setting(2.0), "too short"),
        ("storm", setting(90_000.0), "too long"),
        ("uniform", replace(setting(), offers=chosen(("kill-daemon",))), "knowledge of the product"),
        ("uniform", replace(setting(liveness=True), offers=chosen(("names",))), "none of kill"),
        ("rolling", setting(12.0, "seven-nodes"), "too short for 7 nodes"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said(name: str, made: Setting, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        generate(name, 1, made)
