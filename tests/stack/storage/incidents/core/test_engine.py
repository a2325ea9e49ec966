"""When a remedy is tried, when not, and what counts as a cure."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.autonomy.core import Act, Level
from harness.stack.storage.incidents.core.declared import Incident, Limits
from harness.stack.storage.incidents.core.engine import Known, Stage, Todo, answered, begun, step
from harness.stack.storage.incidents.core.facts import Facts

LIMITS = Limits(tries=2, within_s=100.0, apart_s=10.0)
LINK = Incident(
    "stale-link", "warning", lambda facts: [(one, "it is there") for one in facts.links], "delete it",
    "take the link away", Act.TIDY, LIMITS, proof=lambda facts, _: facts.clock_year == 2026,
)  # fmt: skip
LOCK = Incident(
    "held-lock", "warning", lambda facts: [(one, "kept") for one in facts.leftovers], "end it",
    "end who keeps the lock", Act.END_PROGRAM, LIMITS,
)  # fmt: skip
TOLD = Incident(
    "full-state", "critical", lambda facts: [("state", "full")] if not facts.state_free_bytes else [], "make room"
)
SICK, WELL = Facts(links={"/a": "/dev/nbd1"}), Facts()
KEY = ("stale-link", "/a")


def after(
    *seen: Facts, level: Level = Level.SAFE, known: Known | None = None, every_s: float = 1.0
) -> tuple[Known, list[Todo]]:
    todo: list[Todo] = []
    known = known or {}
    for number, facts in enumerate(seen):
        known, now, _ = step(known, facts, number * every_s, level, catalogue=[LINK, LOCK, TOLD])
        todo += now
    return known, todo


def test_what_was_seen_once_is_left_alone_and_what_is_seen_again_is_mended_once() -> None:
    assert after(SICK)[1] == []
    known, todo = after(SICK, SICK, SICK, SICK)
    assert [one.case.key for one in todo] == [KEY]
    assert known[KEY].stage is Stage.MENDING


@pytest.mark.promise("S5-71")
def test_on_the_first_level_it_is_told_and_nothing_is_done() -> None:
    known, todo = after(SICK, SICK, SICK, level=Level.READ_ONLY)
    assert todo == []
    assert known[KEY].stage is Stage.NOT_ALLOWED
    assert "needs level 2" in known[KEY].said


def test_the_remedys_own_word_is_no_cure() -> None:
    known, _ = after(SICK, SICK)
    known = answered(known, KEY, "the link is gone")
    known, _, ended = step(known, SICK, 3.0, Level.SAFE, catalogue=[LINK])
    assert ended == ()
    _, _, ended = step(known, WELL, 4.0, Level.SAFE, catalogue=[LINK])
    assert [one.cured for one in ended] == [True]


def test_gone_without_proof_is_no_cure() -> None:
    known, _ = after(SICK, SICK)
    known = answered(known, KEY, "the link is gone")
    unproven = Facts(clock_year=1970)
    for number in range(2):
        known, _, ended = step(known, unproven, 3.0 + number, Level.SAFE, catalogue=[LINK])
        assert ended == ()
    _, _, ended = step(known, unproven, 6.0, Level.SAFE, catalogue=[LINK])
    assert [one.cured for one in ended] == [False]


def test_limits_are_kept_and_then_a_person_is_told() -> None:
    known: Known = {}
    tried = []
    for now_s in range(60):
        known, todo, _ = step(known, SICK, float(now_s), Level.SAFE, catalogue=[LINK])
        for one in todo:
            tried.append(now_s)
            known = answered(known, one.case.key, "done, it says")
    assert tried == [1, 11]
    assert known[KEY].stage is Stage.GIVEN_UP
    known, todo, _ = step(known, SICK, 102.0, Level.SAFE, catalogue=[LINK])
    assert len(todo) == 1, "later it may be tried again"


def test_a_person_is_asked_once_and_what_he_approved_is_done() -> None:
    locked = Facts(leftovers=("volume /a",))
    known, todo = after(locked, locked, locked, level=Level.STORAGE)
    assert [(one.case.incident, one.ask) for one in todo] == [("held-lock", True)]
    key = todo[0].case.key
    assert known[key].stage is Stage.ASKED
    known = begun(known, key, 5.0)
    known, more, _ = step(known, locked, 6.0, Level.STORAGE, catalogue=[LOCK])
    assert more == ()
    assert known[key].stage is Stage.MENDING
    assert after(locked, locked, level=Level.ADVANCED)[1] == [Todo(known[key].case)]


def test_without_a_remedy_it_is_told_at_once() -> None:
    known, todo = after(Facts(state_free_bytes=0), level=Level.FAILOVER)
    assert todo == []
    assert known["full-state", "state"].said == "make room"


def test_two_incidents_at_one_subject_are_mended_one_after_the_other() -> None:
    both = Facts(links={"/a": "x"}, leftovers=("/a",))
    assert len(after(both, both, both, level=Level.ADVANCED)[1]) == 1


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=60),
    st.sampled_from(Level),
    st.floats(0.5, 30),
)
def test_whatever_comes_no_remedy_runs_twice_at_once_nor_more_often_than_its_limits(
    rounds: Sequence[tuple[bool, bool, bool]], level: Level, every_s: float
) -> None:
    known: Known = {}
    running: set[tuple[str, str]] = set()
    tries: list[float] = []
    for number, (link, lock, ends) in enumerate(rounds):
        now_s = number * every_s
        facts = Facts(links={"/a": "x"} if link else {}, leftovers=("/b",) if lock else ())
        known, todo, ended = step(known, facts, now_s, level, catalogue=[LINK, LOCK, TOLD])
        for one in todo:
            if not one.ask:
                assert level >= Level.SAFE
                assert one.case.key not in running
                running.add(one.case.key)
                if one.case.key == KEY:
                    assert all(now_s - earlier >= LIMITS.apart_s for earlier in tries)
                    assert sum(now_s - earlier < LIMITS.within_s for earlier in tries) < LIMITS.tries
                    tries.append(now_s)
        for over in ended:
            tries = [] if over.watched.case.key == KEY else tries  # the next is another case
            assert over.watched.case.key not in running
        if ends:
            for key in running:
                known = answered(known, key, "done")
            running = set()
