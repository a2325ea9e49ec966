"""When a snapshot is made, which one goes, and that none goes that is needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.snapshots.core import SKEW_S, Policy, Taken, due, parsed

DAY_S, NOW_S = 86400.0, 1_800_000_000.0
POLICY = Policy(every_s=DAY_S, keep=3, keep_before=1)
names = st.sampled_from(["100", "vm@1", "a b", "disk-0.raw"])
snapshots = st.builds(
    Taken, names, st.integers(1_799_000_000, int(NOW_S)).map(float), st.sampled_from(["scheduled", "before"])
)


@given(snapshots)
def test_a_name_says_what_it_is(one: Taken) -> None:
    assert parsed(one.name) == one


@pytest.mark.parametrize(
    "name", ["disk-0", "a@b", "a@20260230T000000Z", "a@20260101T000000Z-mine", "@20260101T000000Z"]
)
def test_what_is_not_ours_is_none(name: str) -> None:
    assert parsed(name) is None


@pytest.mark.promise("S5-72")
def test_one_a_day_of_what_was_written_to() -> None:
    def made(last_ago_s: float | None, changed_ago_s: float) -> bool:
        taken = [] if last_ago_s is None else [Taken("100", NOW_S - last_ago_s)]
        return due(POLICY, NOW_S, {"100": NOW_S - changed_ago_s}, taken, 0.5).make == ("100",)

    assert made(None, 10 * DAY_S), "there is none yet"
    assert made(DAY_S, 60)
    assert not made(DAY_S - 1, 60), "not so soon"
    assert not made(5 * DAY_S, 6 * DAY_S), "the same content would push out the old"
    assert made(5 * DAY_S, 5 * DAY_S + SKEW_S / 2), "clocks are not the same"


def test_one_before_a_mending_does_not_put_off_the_next_of_the_schedule() -> None:
    taken = [Taken("100", NOW_S - 60, "before"), Taken("100", NOW_S - 2 * DAY_S)]
    assert due(POLICY, NOW_S, {"100": NOW_S - 30}, taken, 0.5).make == ("100",)


@pytest.mark.promise("S5-72", "S5-73")
@given(
    st.lists(snapshots, unique=True, max_size=30),
    st.sets(names),
    st.floats(0, 1),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_the_newest_stay_and_all_of_a_volume_that_is_gone(
    taken: list[Taken], volumes: set[str], free: float, keep: int, keep_before: int
) -> None:
    found = due(Policy(DAY_S, keep, keep_before), NOW_S, dict.fromkeys(volumes, NOW_S), taken, free)
    assert set(found.drop) <= set(taken)
    left = set(taken) - set(found.drop)
    for volume in {one.volume for one in taken}:
        for kind, most in (("scheduled", keep), ("before", keep_before)):
            before = sorted(one for one in taken if (one.volume, one.kind) == (volume, kind))
            after = sorted(one for one in left if (one.volume, one.kind) == (volume, kind))
            assert after == (before[-most:] if volume in volumes else before)
    assert bool(found.waits) == (free < 0.1)
    assert not (found.waits and found.make)


def test_where_the_clock_was_set_back_nothing_is_done() -> None:
    taken = [Taken("100", NOW_S + 2 * SKEW_S), *(Taken("100", NOW_S - age) for age in range(5))]
    found = due(POLICY, NOW_S, {"100": NOW_S}, taken, 0.5)
    assert (found.make, found.drop) == ((), ())
    assert "from the future" in found.waits
