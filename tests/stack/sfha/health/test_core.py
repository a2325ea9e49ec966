"""Hysteresis: a check is believed when it has said the same often enough."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.health.core import Changed, HealthCore, Probe, Rhythm

RHYTHM = Rhythm(interval_s=1.0, timeout_s=0.5, failures_before_unhealthy=3, successes_before_healthy=2)


def told(core: HealthCore, *answers: bool) -> list[bool]:
    """What is believed after each of these answers, where it changes."""
    changes: list[bool] = []
    for works in answers:
        assert core.wake_s is not None
        now_s = core.wake_s
        (probe,) = [one for one in core.wake(now_s) if isinstance(one, Probe)]
        for action in core.answered(probe.name, probe.round, None if works else "refused", now_s):
            if isinstance(action, Changed):
                changes.append(action.healthy)
    return changes


def watching() -> HealthCore:
    core = HealthCore()
    assert core.watch({"web": RHYTHM}, 0.0) == []
    assert core.wake_s == 1.0
    return core


def test_three_failures_in_a_row_are_believed_and_two_successes() -> None:
    core = watching()
    assert told(core, True) == [True]
    assert told(core, False, False, True, False, False) == []
    assert told(core, False) == [False]
    assert core.why("web") == "refused"
    assert told(core, True, False, True) == []
    assert told(core, True) == [True]


def test_what_never_worked_is_unhealthy_after_three_failures() -> None:
    core = watching()
    assert told(core, False, False) == []
    assert core.healthy("web") is None
    assert told(core, False) == [False]


def test_a_late_answer_to_an_earlier_watch_is_dropped() -> None:
    core = watching()
    (probe,) = core.wake(1.0)
    assert isinstance(probe, Probe)
    core.watch({}, 1.1)
    core.watch({"web": RHYTHM}, 1.2)
    assert core.answered("web", probe.round, None, 1.3) == []
    assert core.healthy("web") is None


def test_what_goes_on_is_not_disturbed_by_what_comes() -> None:
    core = watching()
    told(core, True)
    core.watch({"web": RHYTHM, "db": RHYTHM}, 1.5)
    assert core.healthy("web") is True
    assert core.wake_s == 2.0


def test_one_look_at_a_time_and_none_is_made_up_for() -> None:
    core = watching()
    assert len(core.wake(1.0)) == 1
    assert core.wake(50.0) == []
    core.answered("web", 1, None, 50.0)
    assert core.wake_s is None  # the next look is under way: one, not forty-eight


@given(st.lists(st.booleans(), max_size=40))
def test_it_changes_only_after_enough_of_the_same(answers: list[bool]) -> None:
    core, seen, believed = watching(), [], None
    for works in answers:
        seen.append(works)
        for healthy in told(core, works):
            needed = 3 if not healthy else 2 if believed is not None else 1
            assert seen[-needed:] == [healthy] * needed
            assert healthy is not believed
            believed = healthy
    assert core.healthy("web") is believed
