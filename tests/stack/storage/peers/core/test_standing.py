"""Who was not heard is silent, for however long, and never well."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.core.standing import silent_after_s, standings
from tests.stack.storage.peers.core.told import having


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1, 60))
def test_well_is_who_was_heard_within_the_time_and_nobody_else(at_s: float, now_s: float, every_s: float) -> None:
    after_s = silent_after_s(every_s)
    known = {"n2": Heard(having("n2"), at_s)}
    two, three = standings(("n2", "n3"), known, {}, now_s, after_s)
    assert (two.state == "well") == (now_s - at_s <= after_s)
    assert two.age_s == max(0.0, now_s - at_s)
    assert (three.state, three.age_s, three.direct) == ("never heard", None, False)


def test_by_others_alone_is_said() -> None:
    known = {"n2": Heard(having("n2"), 100.0)}
    assert [one.direct for one in standings(("n2",), known, {"n2": 99.0}, 101.0, 5.0)] == [True]
    assert [one.direct for one in standings(("n2",), known, {"n2": 90.0}, 101.0, 5.0)] == [False]
    assert [one.direct for one in standings(("n2",), known, {}, 101.0, 5.0)] == [False]


def test_three_misses_and_five_seconds_at_least() -> None:
    assert [silent_after_s(every_s) for every_s in (0.5, 1, 2, 10)] == [5.0, 5.0, 6, 30]
