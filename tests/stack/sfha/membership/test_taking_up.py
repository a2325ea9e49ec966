"""When the running Corosync is told to read its file: not while it is right, not too often, and until it helps."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.stack.sfha.membership.nodelist import Listed, Nodelist
from harness.stack.sfha.membership.taking_up import (
    FIRST_PAUSE_S,
    GRACE_S,
    HELPLESS_AFTER,
    LAST_PAUSE_S,
    LOOK_AT_LEAST_EVERY_S,
    LOOK_AT_MOST_EVERY_S,
    Step,
    TakingUp,
    complaint,
)


def listed(*numbers: int, two_node: bool = False) -> Nodelist:
    return Nodelist(frozenset(Listed(number, f"10.90.0.{number}", 1) for number in numbers), two_node)


THREE, FOUR = listed(1, 2, 3), listed(1, 2, 3, 4)
LISTS = st.sampled_from((None, THREE, FOUR, listed(1, 2, two_node=True)))
ROUNDING_S = 1e-6
Reads = Callable[[float], bool]


def live(core: TakingUp, file: Nodelist, running: Nodelist, until_s: float, reads: Reads) -> list[tuple[float, Step]]:
    """Look whenever a look is due; a reload gives Corosync its file where it ``reads`` it. What was done, and when."""
    done = []
    while (now_s := core.due_s) < until_s:
        for step in core.looked(file, running, now_s):
            done.append((now_s, step))
            if step is Step.RELOAD and reads(now_s):
                running = file
        assert core.due_s > now_s, "a look follows the other without a pause"
    return done


def reloads(done: list[tuple[float, Step]]) -> list[float]:
    return [at_s for at_s, step in done if step is Step.RELOAD]


class AnyOrder(RuleBasedStateMachine):
    """Files are written, rings form, Corosync reads or does not, and looks come when they are due, or late."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        self.core = TakingUp(self.now_s)
        self.file: Nodelist | None = THREE
        self.running: Nodelist | None = THREE
        self.written_s = self.differs_s = self.now_s
        self.reloads: list[float] = []

    @rule(seconds=st.floats(0.001, 400.0))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(found=LISTS)
    def is_written(self, found: Nodelist | None) -> None:
        self.file, self.written_s = found, self.now_s
        self.core.written(self.now_s)

    @rule()
    def forms_anew(self) -> None:
        self.core.ring_formed(self.now_s)

    @rule(found=LISTS)
    def has(self, found: Nodelist | None) -> None:
        """Corosync has read what it has read, or it does not answer."""
        self.running = found

    @precondition(lambda self: self.now_s >= self.core.due_s)
    @rule(helps=st.booleans())
    def looks(self, helps: bool) -> None:
        steps = self.core.looked(self.file, self.running, self.now_s)
        told = [step for step in steps if step is not Step.RELOAD]
        if Step.RELOAD in steps:
            assert None not in (self.file, self.running)
            assert self.file != self.running, "it was right, and was reloaded"
            assert self.now_s - self.written_s >= GRACE_S - ROUNDING_S, "whoever had it written was not waited for"
            assert not self.reloads or self.now_s - self.reloads[-1] >= FIRST_PAUSE_S - ROUNDING_S, (
                "twice in one period"
            )
            assert self.core.behind is not None, "it is reloaded, and nobody is told why"
            self.reloads.append(self.now_s)
            if helps:
                self.running = self.file
        if Step.TELL_CAUGHT_UP in told:
            assert self.file == self.running
        assert len(told) == len(set(told))

    @invariant()
    def it_looks_again_in_time(self) -> None:
        """Whatever has happened, a look is due within a minute of the last one, or of the beginning."""
        assert self.core.due_s <= max(self.now_s, 100.0) + LOOK_AT_LEAST_EVERY_S


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_while_it_is_right_nothing_is_done_and_little_is_looked() -> None:
    core = TakingUp(0.0)
    looks = 0
    while core.due_s < 3600.0:
        looks += 1
        assert core.looked(THREE, THREE, core.due_s) == ()
    assert looks == pytest.approx(3600 / LOOK_AT_LEAST_EVERY_S, abs=1)
    assert core.behind is None


def test_what_was_written_is_read_by_whoever_had_it_written_and_nothing_is_said() -> None:
    core = TakingUp(0.0)
    core.looked(THREE, THREE, GRACE_S)
    core.written(50.0)
    assert core.due_s == 50.0 + GRACE_S
    assert core.looked(FOUR, FOUR, core.due_s) == ()
    assert core.due_s == 50.0 + GRACE_S + LOOK_AT_LEAST_EVERY_S


def test_a_reload_that_did_not_come_is_made_up_for_at_once_after_the_grace() -> None:
    core = TakingUp(0.0)
    core.written(50.0)
    done = live(core, FOUR, THREE, 200.0, reads=lambda _: True)
    assert done[:2] == [(50.0 + GRACE_S, Step.TELL_BEHIND), (50.0 + GRACE_S, Step.RELOAD)]
    assert done[2:] == [(50.0 + 2 * GRACE_S, Step.TELL_CAUGHT_UP)]
    assert core.behind is None


def test_a_node_that_stood_still_after_the_file_was_written_reloads_as_soon_as_it_goes_on() -> None:
    core = TakingUp(0.0)
    core.written(50.0)
    assert core.looked(FOUR, THREE, 80.0) == (Step.TELL_BEHIND, Step.RELOAD)


def test_a_difference_that_nothing_announced_is_given_its_grace() -> None:
    core = TakingUp(0.0)
    assert core.looked(FOUR, THREE, 60.0) == ()
    assert core.behind is None
    assert core.due_s == 60.0 + GRACE_S
    assert core.looked(FOUR, THREE, core.due_s) == (Step.TELL_BEHIND, Step.RELOAD)


def test_where_it_does_not_help_it_is_tried_ever_more_rarely_and_said_once() -> None:
    core = TakingUp(0.0)
    done = live(core, FOUR, THREE, 3600.0, reads=lambda _: False)
    at_s = reloads(done)
    pauses_s = [later - earlier for earlier, later in pairwise(at_s)]
    assert pauses_s[0] == FIRST_PAUSE_S
    assert pauses_s == sorted(pauses_s)
    assert max(pauses_s) <= LAST_PAUSE_S + LOOK_AT_LEAST_EVERY_S
    told = [(at, step) for at, step in done if step is not Step.RELOAD]
    assert [step for _, step in told] == [Step.TELL_BEHIND, Step.TELL_HELPLESS]
    assert told[1][0] == at_s[HELPLESS_AFTER - 1] + GRACE_S, "it is said when the last try has had its time"
    assert core.behind is not None
    assert core.behind.helpless
    assert core.behind.lacks == ("4 (10.90.0.4, votes: 1)",)
    assert core.behind.has_still == ()


@given(helps_after=st.integers(1, 6))
@settings(deadline=None)
def test_it_is_tried_until_it_helps_and_then_no_more(helps_after: int) -> None:
    core, tries = TakingUp(0.0), 0

    def reads(_now_s: float) -> bool:
        nonlocal tries
        tries += 1
        return tries == helps_after

    done = live(core, FOUR, THREE, 7200.0, reads)
    assert len(reloads(done)) == helps_after
    assert done[-1][1] is Step.TELL_CAUGHT_UP
    assert core.behind is None


def test_another_file_is_another_matter_and_still_not_two_reloads_in_one_period() -> None:
    core = TakingUp(0.0)
    done = live(core, FOUR, THREE, 200.0, reads=lambda _: False)
    last_s = reloads(done)[-1]
    core.written(200.0)
    at_s = reloads(live(core, listed(1, 2), THREE, 300.0, reads=lambda _: True))
    assert len(at_s) == 1
    assert at_s[0] == max(200.0 + GRACE_S, last_s + FIRST_PAUSE_S)


def test_what_was_read_before_the_file_was_written_anew_counts_for_nothing() -> None:
    core = TakingUp(0.0)
    core.written(50.0)
    assert core.looked(THREE, THREE, 49.9) == ()
    assert core.due_s == 50.0 + GRACE_S


def test_a_ring_that_forms_anew_all_the_time_is_not_looked_at_all_the_time() -> None:
    core, looks = TakingUp(0.0), 0
    for tick in range(10_000):
        now_s = tick / 100
        core.ring_formed(now_s)
        if now_s >= core.due_s:
            looks += 1
            core.looked(THREE, THREE, now_s)
    assert looks <= 100 / LOOK_AT_MOST_EVERY_S + 1
    assert looks >= 90 / LOOK_AT_MOST_EVERY_S, "and yet it is"


def test_a_ring_that_formed_while_it_was_looked_is_looked_at_again() -> None:
    core = TakingUp(0.0)
    core.ring_formed(10.5)
    assert core.looked(THREE, THREE, 10.4) == ()
    assert core.due_s == 10.4 + LOOK_AT_MOST_EVERY_S
    assert core.looked(THREE, THREE, core.due_s) == ()
    assert core.due_s == 10.4 + LOOK_AT_MOST_EVERY_S + LOOK_AT_LEAST_EVERY_S


def test_where_nothing_is_known_nothing_is_done_and_what_was_wrong_stays_so() -> None:
    core = TakingUp(0.0)
    live(core, FOUR, THREE, 20.0, reads=lambda _: False)
    assert core.behind is not None
    assert core.looked(FOUR, None, 30.0) == ()
    assert core.looked(None, THREE, 300.0) == ()
    assert core.behind is not None
    assert core.looked(FOUR, FOUR, 400.0) == (Step.TELL_CAUGHT_UP,)


def test_a_file_that_was_refused_is_not_taken_for_read() -> None:
    """Corosync throws away what it has no more use for before it knows whether it can take the rest."""
    core = TakingUp(0.0)
    half = Nodelist(THREE.nodes, half_read=True)
    core.written(10.0)
    assert core.looked(THREE, half, 12.0) == (Step.TELL_BEHIND, Step.RELOAD)
    assert core.behind is not None
    assert core.behind.refused


def test_what_is_wrong_is_said_by_what_is_known_of_it() -> None:
    told = {"for_s": 9.0, "reloads": 2, "helpless": False, "refused": False, "lacks": ["4"], "has_still": []}
    assert complaint(None) is None
    assert complaint("of tomorrow") is None
    assert "lacks 4, and still has -" in str(complaint(told))
    assert "read the file 5 times has not helped" in str(complaint(told | {"helpless": True, "reloads": 5}))
    assert "could not take up its file" in str(complaint(told | {"refused": True}))
    assert complaint({}) is not None, "an older or newer daemon may tell it otherwise"
