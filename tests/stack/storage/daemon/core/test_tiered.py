"""What requests tell of tiering."""

from harness.stack.storage.daemon.core.requests import Request, State
from harness.stack.storage.daemon.core.tiered import AGAIN_S, arguments_of, told
from harness.stack.storage.tiering.core import DAY_S, Change, Past, Spent

NOW_S = 10 * DAY_S


def one(state: State, ago_s: float, path: str = "/a", decided_ago_s: float | None = None) -> Request:
    arguments = arguments_of(Change(path, "2CP", "3CP", 2, 100, "it was used"))
    decided_at_s = 0.0 if decided_ago_s is None else NOW_S - decided_ago_s
    return Request(
        f"{state}{ago_s}", "tier", arguments, "mfs-autonomy", NOW_S - ago_s, state, decided_at_s=decided_at_s
    )


def test_what_is_under_way_is_asked_for_once_and_costs() -> None:
    for state in (State.WAITING, State.READY, State.RUNNING):
        assert told([one(state, 10)], NOW_S) == ({"/a": Past(None, True)}, Spent(1, 100))


def test_what_was_done_or_refused_counts_from_then_and_what_failed_is_tried_again_after_a_while() -> None:
    assert told([one(State.DONE, 30)], NOW_S) == ({"/a": Past(30.0, False)}, Spent(1, 100))
    assert told([one(State.REFUSED, 2 * DAY_S, decided_ago_s=60)], NOW_S)[0] == {"/a": Past(60.0, False)}
    assert told([one(State.FAILED, AGAIN_S - 1)], NOW_S) == ({"/a": Past(None, True)}, Spent())
    assert told([one(State.FAILED, AGAIN_S + 1)], NOW_S) == ({"/a": Past(None, False)}, Spent())
    assert told([one(State.DONE, 2 * DAY_S)], NOW_S) == ({"/a": Past(2 * DAY_S, False)}, Spent())


def test_the_last_change_counts_and_other_requests_do_not() -> None:
    move = Request("m", "move", {"source": "/a"}, "anna", NOW_S, State.DONE)
    found, spent = told([one(State.DONE, 500), one(State.DONE, 50), one(State.DONE, 70, "/b"), move], NOW_S)
    assert found == {"/a": Past(50.0, False), "/b": Past(70.0, False)}
    assert spent == Spent(3, 300)
