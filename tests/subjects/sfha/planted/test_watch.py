"""What brings a planted defect out, and what does not: plans in a world of three, with no node."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chaos.designing import topology_called
from harness.chaos.offered import offers
from harness.checks.registry import check_called
from harness.plans.plan import Plan, Step, from_json
from harness.plans.sound import problems_of
from harness.subjects.sfha.planted.defects import PLANTED
from harness.subjects.sfha.planted.watch import Beacon, Look, Noted, Watch, goes_on, happened
from tests.plans.overlapping import overlapping_spoilers
from tests.subjects.sfha.planted.world import CUTS, NETWORK, NODES, World, fault

PLANS = Path(__file__).parents[4] / "scenarios/sfha/sabotage/planted"


def smallest(name: str) -> Plan:
    file = PLANS / f"{name}.json"
    return from_json(file.read_bytes(), str(file))


def comes_out(name: str, steps: tuple[Step, ...], seed: int = 0, *, elections: bool = False) -> bool:
    stories = World(steps, seed, elections=elections).stories()
    return any(happened(PLANTED[name].steps, story) for story in stories.values())


def test_there_is_a_smallest_plan_for_each_and_no_other() -> None:
    assert {file.stem for file in PLANS.glob("*.json")} == set(PLANTED)
    assert len(PLANTED) >= 12


@pytest.mark.parametrize("name", PLANTED)
def test_the_smallest_plan_can_be_performed_and_has_as_many_faults_as_is_said(name: str) -> None:
    plan = smallest(name)
    topology = topology_called(plan.topology)
    assert list(problems_of(plan, topology, offers())) == []
    assert overlapping_spoilers(plan, topology, offers()) == ()
    assert len(plan.steps) == PLANTED[name].faults > 1
    of_own_kernels = any(offers()[step.fault].family == "clock" for step in plan.steps)
    assert PLANTED[name].drawn == (all(offers()[step.fault].drawable for step in plan.steps) and not of_own_kernels)


@pytest.mark.parametrize("name", PLANTED)
def test_the_smallest_plan_brings_it_out_and_less_does_not(name: str) -> None:
    steps = smallest(name).steps
    assert comes_out(name, steps)
    for left_out in steps:
        assert not comes_out(name, tuple(one for one in steps if one is not left_out)), f"without {left_out}"


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_done_names_checks_that_there_are(name: str) -> None:
    for check in PLANTED[name].damage.caught_by:
        check_called(check)


_KINDS = (
    "kill", "freeze", "slow", "unplug", "resolver-dead", "resolver-lies", "disk-full", "clock-back", "operate",
    "loss", "flap", "brown-out",
    "drop", *CUTS, *NETWORK,
)  # fmt: skip


@settings(max_examples=150)
@given(
    kind=st.sampled_from(_KINDS),
    nodes=st.sets(st.sampled_from(NODES), min_size=1),
    for_s=st.floats(1.0, 12.0).map(lambda value: round(value, 1)),
    amount=st.floats(0.2, 6.0),
    seed=st.integers(0, 1000),
)
def test_no_single_fault_brings_one_out_whoever_it_hits(
    kind: str, nodes: set[str], for_s: float, amount: float, seed: int
) -> None:
    parameters = {"loss": {"percent": 16 * amount}, "flap": {"period_s": amount}, "brown-out": {"period_s": amount}}
    stories = World((fault(kind, sorted(nodes), 1.0, for_s, **parameters.get(kind, {})),), seed).stories()
    for name, defect in PLANTED.items():
        for node, story in stories.items():
            assert not happened(defect.steps, story), f"{name} on {node}: {[one.mark for one in story]}"


@settings(max_examples=60)
@given(
    at_s=st.floats(0.0, 3.0).map(lambda value: round(value, 1)),
    for_s=st.floats(1.0, 6.0).map(lambda value: round(value, 1)),
)
def test_one_that_takes_two_faults_of_different_kinds_hangs_on_no_exact_time(at_s: float, for_s: float) -> None:
    frozen, nameless = fault("freeze", ["n2"], at_s, for_s), fault("resolver-dead", ["n2"], at_s + for_s + 0.2, 1.0)
    assert comes_out("frozen-nameless", (frozen, nameless))
    cut = fault("isolate", ["n2"], at_s + for_s + 0.2, for_s)
    assert comes_out("frozen-alone", (frozen, cut))
    assert comes_out("rebooted-alone", (fault("kill", ["n2"], at_s, for_s), fault("isolate", ["n2"], 16.0, for_s)))


def test_the_order_counts() -> None:
    first, second = fault("resolver-dead", ["n3"], 1.0, 2.0), fault("freeze", ["n3"], 5.0, 2.0)
    assert not comes_out("frozen-nameless", (first, second))
    first, second = fault("isolate", ["n3"], 1.0, 2.0), fault("kill", ["n3"], 5.0, 2.0)
    assert not comes_out("rebooted-alone", (first, second))
    assert comes_out("reached-rebooted", (first, second))


def test_two_nodes_each_with_one_of_the_faults_do_not_bring_it_out() -> None:
    assert not comes_out("frozen-nameless", (fault("freeze", ["n2"], 1, 2), fault("resolver-dead", ["n3"], 5, 2)))
    assert not comes_out("frozen-twice", (fault("freeze", ["n2"], 1, 2), fault("freeze", ["n3"], 5, 2)))


@pytest.mark.parametrize(("apart_s", "out"), [(0.1, False), (1.0, True), (4.0, True), (9.0, False)])
def test_deaths_count_within_seconds_and_not_at_once(apart_s: float, out: bool) -> None:
    deaths = (fault("kill", ["n1"], 1.0, 12.0), fault("kill", ["n2"], 1.0 + apart_s, 3.0))
    assert comes_out("deaths-apart", deaths) is out
    assert not comes_out("deaths-apart", (fault("kill", ["n1"], 1.0, 2.0), fault("kill", ["n1"], 5.0, 2.0)))


def test_what_was_met_before_counts_no_more_once_it_came_out() -> None:
    defect = PLANTED["frozen-twice"]
    froze = Noted("froze", 1.0, 0.0)
    story, due = goes_on(defect, (), (froze,))
    assert (story, due) == ((froze,), False)
    assert goes_on(defect, story, ()) == (story, False)
    story, due = goes_on(defect, story, (froze,))
    assert (story, due) == ((), True)
    assert goes_on(defect, story, (froze,)) == ((froze,), False)


def test_a_take_over_without_announcement_is_prepared_before_it_happens() -> None:
    defect = PLANTED["announced-once"]
    _, due = goes_on(defect, (), (Noted("took over", 1.0, 1.0), Noted("died", 3.0, 1.0, "n1")))
    assert due


def test_beacons_of_strangers_and_of_an_earlier_life_are_left() -> None:
    watch = Watch(["n2"])
    watch.look(Look(0.0, beacons=(Beacon("n2", 2, 1), Beacon("n9", 1, 1))))
    assert [one.mark for one in watch.look(Look(3.0))] == ["silent", "alone"]
    assert watch.look(Look(3.1, beacons=(Beacon("n2", 1, 70), Beacon("n9", 1, 2)))) == ()
    assert [one.mark for one in watch.look(Look(3.2, beacons=(Beacon("n2", 2, 70),)))] == ["heard", "reached"]


def test_whoever_has_never_had_a_cable_has_lost_none() -> None:
    watch = Watch(["n2"])
    assert watch.look(Look(0.0, carrier=False)) == ()
    assert watch.look(Look(0.1)) == ()
    assert [one.mark for one in watch.look(Look(0.2, carrier=False))] == ["unplugged"]


def marks_of(node: str, *steps: Step) -> set[str]:
    return {one.mark for one in World(steps, elections=False).stories()[node]}


def test_whoever_loses_the_cable_is_not_cut_off_and_whoever_is_cut_off_loses_no_cable() -> None:
    assert marks_of("n3", fault("unplug", ["n3"], 1.0, 4.0)) == {"unplugged", "plugged"}
    assert marks_of("n3", fault("isolate", ["n3"], 1.0, 4.0)) == {"silent", "heard", "alone", "reached"}
    both = marks_of("n3", fault("isolate", ["n3"], 1.0, 4.0), fault("unplug", ["n3"], 2.0, 4.0))
    assert both == {"silent", "heard", "alone", "reached", "unplugged", "plugged"}


def test_whoever_hardly_gets_the_processor_stands_still_once_and_not_again_and_again() -> None:
    story = World((fault("slow", ["n3"], 1.0, 8.0), fault("freeze", ["n3"], 12.0, 1.5)), elections=False).stories()[
        "n3"
    ]
    assert [round(one.since_s) for one in story if one.mark == "froze"] == [1, 12]


def test_packets_that_are_lost_are_told_from_a_cut() -> None:
    assert "lossy" not in marks_of("n3", fault("isolate", ["n3"], 1.0, 1.0), fault("isolate", ["n3"], 2.5, 1.0))
    assert {"lossy", "clear"} <= marks_of("n3", fault("loss", ["n3"], 1.0, 6.0, percent=30))


def test_the_page_tells_of_every_defect() -> None:
    page = (PLANS.parents[3] / "docs/plans.md").read_text(encoding="utf-8")
    assert [name for name in PLANTED if f"| `{name}` |" not in page] == []
