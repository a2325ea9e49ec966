"""When a metalogger is promoted, and when nothing makes it one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.failover.core import (
    END,
    NOTHING,
    Candidate,
    Heard,
    Phase,
    State,
    ended,
    enough_metadata,
    step,
)

MISSES = 3
GOOD, BAD = Candidate((), 36, 40), Candidate((NOTHING,))


def silent(now_s: float, *, here: bool = True, candidate: Candidate | None = GOOD) -> Heard:
    return Heard(now_s, answers=False, holds_address=here, master_here=False, candidate=candidate if here else None)


def after(*heard: Heard, level: Level = Level.FAILOVER, state: State | None = None) -> tuple[State, list[str]]:
    state = state or State()
    done: list[str] = []
    for one in heard:
        state, do = step(state, one, level, MISSES)
        done.append(do)
    return state, done


@pytest.mark.promise("S5-64", "S5-65")
def test_three_misses_the_address_and_whole_metadata_make_a_master() -> None:
    state, done = after(*(silent(float(n)) for n in range(4)))
    assert done == ["nothing", "nothing", "promote", "nothing"]
    state, do = ended(state)
    assert (state.phase, do) == (Phase.CHECKING, "check")
    state, do = ended(state)
    assert (state.phase, state.mine, do) == (Phase.MASTER, True, "tell")


def test_one_answer_is_enough_to_begin_anew() -> None:
    alive = Heard(2.0, True, False, False)
    assert after(silent(0.0), silent(1.0), alive, silent(3.0), silent(4.0))[1] == 5 * ["nothing"]


def test_without_the_address_nothing_is_done_however_long_it_lasts() -> None:
    state, done = after(*(silent(float(n), here=False) for n in range(50)))
    assert state.phase is Phase.WAITING
    assert done.count("tell") == 1, "and it is said once"
    assert "promote" not in done


@pytest.mark.promise("S5-65")
def test_changelogs_alone_are_refused_and_metadata_that_comes_later_is_taken() -> None:
    state, done = after(*(silent(float(n), candidate=BAD) for n in range(6)))
    assert (state.phase, state.reasons) == (Phase.REFUSED, (NOTHING,))
    assert (done.count("tell"), done.count("promote")) == (1, 0)
    assert after(silent(7.0), state=state)[1] == ["promote"]


def test_below_level_five_it_is_told_and_nothing_else() -> None:
    state, done = after(*(silent(float(n)) for n in range(6)), level=Level.ADVANCED)
    assert state.phase is Phase.REFUSED
    assert "needs level 5" in state.reasons[0]
    assert "promote" not in done


def test_who_loses_the_address_steps_down() -> None:
    lost = Heard(9.0, answers=True, holds_address=False, master_here=True)
    assert after(lost, state=State(Phase.MASTER, mine=True))[1] == ["step down"]
    assert after(lost)[1] == ["nothing"], "a master that is not ours is not ours to stop"
    state, _ = ended(State(Phase.STEPPING_DOWN, mine=True))
    assert (state.phase, state.mine) == (Phase.WAITING, False)


def test_what_failed_is_not_tried_again_by_itself() -> None:
    state, _ = ended(State(Phase.PROMOTING), "the new master does not answer")
    assert state.phase is Phase.FAILED
    again, done = after(*(silent(float(n)) for n in range(9)), state=state)
    assert "promote" not in done
    assert (again.phase, again.reasons) == (Phase.FAILED, ("the new master does not answer",))
    assert after(Heard(10.0, True, False, False), state=again)[0] == State(), "once a master answers, it is over"


HEARD = st.builds(
    Heard,
    now_s=st.just(0.0),
    answers=st.booleans(),
    holds_address=st.booleans(),
    master_here=st.booleans(),
    candidate=st.sampled_from([None, GOOD, BAD]),
)


@given(st.lists(st.tuples(HEARD, st.sampled_from(["", "no", "later"])), max_size=60), st.sampled_from(Level))
def test_whatever_is_heard_nobody_is_promoted_without_address_level_and_proof(
    heard: list[tuple[Heard, str]], level: Level
) -> None:
    state, silent_for = State(), 0
    for one, end in heard:
        silent_for = 0 if one.answers else silent_for + 1
        state, do = step(state, one, level, MISSES)
        if do == "promote":
            assert one.holds_address
            assert level is Level.FAILOVER
            assert one.candidate == GOOD
            assert not one.answers
            assert silent_for >= MISSES
        if do == "step down":
            assert not one.holds_address
        while state.phase in (Phase.PROMOTING, Phase.CHECKING, Phase.STEPPING_DOWN) and end != "later":
            state, _ = ended(state, end)


@given(st.integers(0, 1000), st.integers(0, 30), st.data())
def test_a_gap_in_the_changes_is_found_and_its_absence_too(version: int, later: int, data: st.DataObject) -> None:
    changes = set(range(version - 5, version + later))
    whole = enough_metadata(b"MFSM 2.0", END, version, frozenset(changes))
    assert whole == Candidate((), version, version + later - 1)
    if later > 1:
        missing = data.draw(st.integers(version, version + later - 2))
        found = enough_metadata(b"MFSM 2.0", END, version, frozenset(changes - {missing}))
        assert f"changes {missing} to {missing}" in found.problems[0]


def test_what_is_no_metadata() -> None:
    for signature, end, said in (
        (b"", b"", "changelogs at most"),
        (b"MFSM NEW", b"MFSM NEW", "no master that ever stored any"),
        (b"rubbish!", END, "no master that ever stored any"),
        (b"MFSM 2.0", b"\0" * 16, "its download was cut off"),
    ):
        assert said in enough_metadata(signature, end, 0, frozenset({1, 2})).problems[0]
