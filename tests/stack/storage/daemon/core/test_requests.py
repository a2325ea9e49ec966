"""A request, from the question to the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.daemon.core.requests import (
    APPROVAL_FOR_S,
    TRANSITIONS,
    NotNow,
    Request,
    Requests,
    State,
    after_a_restart,
    answered,
    expired,
    from_json,
    moved,
    to_json,
)


def one(state: State = State.WAITING, identity: str = "r1") -> Request:
    return Request(identity, "move", {"source": "/a"}, "paul", 100.0, state, "high", ("two names",))


@given(st.lists(st.sampled_from(["approve", "refuse", "begin", "done", "failed", "again", "expire", "block", "ask"])))
def test_nothing_runs_that_was_not_allowed_and_an_end_is_an_end(words: list[str]) -> None:
    request, approved = one(), False
    for word in words:
        before = request
        try:
            request = (
                answered(request, word, "anna", 1.0, "why") if word in ("approve", "refuse") else moved(request, word)
            )
        except NotNow:
            assert word not in TRANSITIONS[before.state]
            continue
        approved = approved or word == "approve"
        assert not before.ended
        assert request.state is not State.RUNNING or approved


@pytest.mark.promise("S5-20", "S5-44")
def test_who_when_and_why_stay_with_it() -> None:
    request = answered(one(), "approve", "anna", 200.0, "seen with the customer")
    assert (request.decided_by, request.decided_at_s, request.decided_why) == ("anna", 200.0, "seen with the customer")
    assert request.approved
    with pytest.raises(NotNow, match=r"is ready: it cannot be refused any more"):
        answered(request, "refuse", "bert", 201.0, "no")
    assert not answered(one(), "refuse", "anna", 200.0, "no").approved


def test_a_question_does_not_wait_for_ever() -> None:
    assert not expired(one(), 100.0 + APPROVAL_FOR_S)
    assert expired(one(), 101.0 + APPROVAL_FOR_S)
    assert not expired(one(State.RUNNING), 1e9)


def test_what_ran_when_the_daemon_was_killed_is_done_again() -> None:
    assert after_a_restart(one(State.RUNNING)).state is State.READY
    for state in set(State) - {State.RUNNING}:
        assert after_a_restart(one(state)).state is state


@given(st.sampled_from(State))
def test_on_disk_and_back(state: State) -> None:
    assert from_json(to_json(one(state))) == one(state)


def test_the_oldest_that_ended_are_forgotten_never_one_that_waits() -> None:
    known = Requests()
    for number in range(20):
        known = known.put(one(State.DONE if number % 2 else State.WAITING, f"r{number}"), keep=12)
    assert [each for each in known.by_id if known.by_id[each].state is State.WAITING] == [
        f"r{n}" for n in range(0, 20, 2)
    ]
    assert [each for each in known.by_id if known.by_id[each].state is State.DONE] == ["r17", "r19"]
