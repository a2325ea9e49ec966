"""Searches for planted defects: what comes next, and what they come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bench.searches import SEEDS_APART, Search, Searches, from_json, section, to_json
from harness.checks.verdict import Outcome
from harness.errors import UsageError
from harness.plans.shrinking import Shrunk
from tests.plans.drawn import plan, step

SHOWS = ("one_holder", "one_answerer")
TWO = plan(step("1"), step("2"))


def performed(search: Search, outcome: Outcome, *checks: str) -> Search:
    return search.performed(outcome, checks, 16, "runs/a", shows=SHOWS, minutes=1.5)


def shrunk(*, runs: int = 9, confirmed: bool = True, finished: bool = True) -> Shrunk:
    return Shrunk(TWO, runs=runs, candidates=4, confirmed=confirmed, finished=finished, rate=1.0)


def test_a_plan_finds_it_that_violates_what_the_defect_is_caught_by() -> None:
    search = performed(Search(defect="a", number=2), Outcome.HOLDS)
    search = performed(search, Outcome.UNKNOWN, "one_holder")
    search = performed(search, Outcome.VIOLATED, "nothing_lost")
    assert (search.plans, search.inconclusive, search.astray, search.found) == (3, 1, 1, False)
    assert search.next_seed == SEEDS_APART + 4
    search = performed(search, Outcome.VIOLATED, "one_answerer", "body_passed")
    assert (search.found, search.run, search.faults, search.minutes) == (True, "runs/a", 16, 6.0)
    assert search.checks == ("body_passed", "one_answerer")


def test_it_is_over_when_it_gave_up_or_nothing_more_can_be_left_out() -> None:
    search = Search(defect="a", number=1, plans=20)
    assert search.is_over(20, 40)
    assert not search.is_over(21, 40)
    found = performed(search, Outcome.VIOLATED, "one_holder")
    assert not found.is_over(20, 40)
    assert found.is_over(20, 0), "nothing is to be shrunk"
    assert found.shrunk(shrunk(), minutes=3.0).is_over(20, 40)
    bounded = found.shrunk(shrunk(runs=40, finished=False), minutes=3.0)
    assert bounded.is_over(20, 40)
    assert not bounded.is_over(20, 80)
    assert not found.shrunk(None, minutes=3.0).is_over(20, 40)
    assert found.shrunk(None, minutes=3.0).shrunk(shrunk(), minutes=1.0).shrinking_minutes == 4.0


def test_every_defect_has_its_turn_before_one_has_its_second() -> None:
    assert [*Searches("x").in_turn(("a", "b"), 2)] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 20))))
def test_what_is_kept_is_what_was_known_last(changes: list[tuple[str, int, int]]) -> None:
    searches = Searches("x")
    for defect, number, plans in changes:
        searches = searches.with_(Search(defect=defect, number=number, plans=plans))
    again = from_json(to_json(searches), "x", "file")
    assert again == searches
    last = {(defect, number): plans for defect, number, plans in changes}
    assert {(one.defect, one.number): one.plans for one in again.made} == last
    assert again.at("d", 1) == Search(defect="d", number=1)


@pytest.mark.parametrize("text", [b"", b"[1]", b'{"method": "x", "made": [{"defect": "a"}]}', b"\xff"])
def test_what_is_no_file_of_searches_is_one_line(text: bytes) -> None:
    with pytest.raises(UsageError, match=r"^a file: no results of searches"):
        from_json(text, "x", "a file")


def test_results_of_another_method_are_not_mixed_with_ours() -> None:
    with pytest.raises(UsageError, match="searched in another way"):
        from_json(to_json(Searches("other")), "x", "a file")


def test_the_table_has_medians_and_what_was_not_found_is_longer_than_all() -> None:
    found = performed(Search(defect="a", number=1), Outcome.VIOLATED, "one_holder")
    made = [
        found.shrunk(shrunk(), minutes=4.0),
        performed(Search(defect="a", number=2, plans=3, minutes=6.0), Outcome.VIOLATED, "one_answerer"),
        Search(defect="a", number=3, plans=20, minutes=30.0),
        Search(defect="b", number=1, plans=20, minutes=30.0),
        Search(defect="c", number=1, plans=2),
    ]
    page = section(made, {"a": 2, "b": 3, "c": 2, "d": 2}, "How.", 20)
    assert "| a | 2 | 2 of 3 | 4 | 7.5 | 16 | 2 | 1 | 4 | one_answerer, one_holder |" in page
    assert "| b | 3 | 0 of 1 | not found | not found | - | - | - | - | - |" in page
    assert "| c | 2 | 0 of 0, 1 under way | - | - | - | - | - | - | - |" in page
    assert "| d | 2 | 0 of 0 | - | - | - | - | - | - | - |" in page


def test_what_shrinking_has_not_brought_to_an_end_is_said() -> None:
    found = performed(Search(defect="a", number=1), Outcome.VIOLATED, "one_holder")
    bounded = found.shrunk(shrunk(runs=40, finished=False), minutes=4.0)
    page = section([bounded], {"a": 1}, "How.", 20)
    assert "| 2 (1 so far) | 2 | 4 |" in page
    again = section([found.shrunk(shrunk(runs=3, confirmed=False, finished=False), minutes=1.0)], {"a": 2}, "How.", 20)
    assert "| - (1 did not fail again) | - | - |" in again
