"""What shrinking on real clusters begins with, and what it writes down."""

from msgspec.structs import replace

from harness.chaos.shrinker import Failure, hints
from harness.chaos.written_out import scenario
from harness.events import PlanBegun, StepBegun, StepEnded, StepMissed
from harness.history import History
from harness.plans.plan import AtMoment, OnEvent, to_builtins
from harness.plans.replaying import again, deviations, performance_of
from tests.plans.drawn import plan, step

ZERO_S = 100.0
PLAN = plan(
    step("1", "kill", ("holder:web",), at_s=2.0),
    replace(step("2", "freeze", ("follower:web",)), start=OnEvent("holder-moved", 1.0, 9.0)),
    step("3", "loss", ("n3",), at_s=20.0),
    length_s=60.0,
)


def begun(name: str, at_s: float, aim: str) -> StepBegun:
    now_s = ZERO_S + at_s
    return StepBegun(t_s=now_s + 0.1, step=name, due_s=now_s, call_s=now_s + 0.01, aims=(aim,), targets=(aim,))


HISTORY = History(
    (
        PlanBegun(t_s=ZERO_S, plan=to_builtins(PLAN)),
        begun("1", 2.0, "n1"),
        begun("2", 2.5, "n3"),
        StepEnded(t_s=ZERO_S + 6.0, step="1"),
        StepEnded(t_s=ZERO_S + 7.0, step="2"),
        StepMissed(t_s=ZERO_S + 20.0, step="3", due_s=ZERO_S + 20.0, reason="n3 had no power"),
    )
)


def test_a_replay_hits_whom_the_run_hit_when_it_did_and_leaves_out_what_was_missed() -> None:
    repeated = again(performance_of(HISTORY))
    assert [(one.name, one.aims) for one in repeated.steps] == [("1", ("n1",)), ("2", ("n3",))]
    assert repeated.steps[0].start == AtMoment(2.01)
    assert repeated.steps[1].start == OnEvent("holder-moved", 1.0, 9.0)


def test_moments_that_deviate_are_told_by_how_much() -> None:
    performance = performance_of(HISTORY)
    assert [by_s for _, _, by_s in deviations(performance, performance)] == [0.0, 0.0]


def test_what_began_after_the_failure_is_left_out_first() -> None:
    earlier, exact = hints(performance_of(HISTORY), Failure(frozenset({"one_holder"}), ZERO_S + 2.2))
    assert [one.name for one in earlier.steps] == ["1"]
    assert [one.name for one in exact.steps] == ["1", "2"]
    (only,) = hints(performance_of(HISTORY), Failure(frozenset({"one_holder"}), None))
    assert only == exact


def test_the_scenario_is_a_dozen_lines_of_python_that_name_plan_and_cluster() -> None:
    software = {"sfha": {"announce": False, "profile": "fast"}, "etcd": {}}
    text = scenario(PLAN, "shrunk.json", software, ["one_holder"], "Shrunk.")
    compile(text, "test_shrunk.py", "exec")
    assert len(text.splitlines()) <= 16
    assert '@pytest.mark.software("sfha", "etcd", announce=False, profile="fast")' in text
    assert '@pytest.mark.plan("shrunk.json")' in text
    assert "async def test_no_longer_one_holder" in text
