"""The search for planted defects, as a table; and that what it draws can bring them out."""

from harness.bench.planted import GENERATOR, Search, section, setting
from harness.chaos.offered import offers
from harness.plans.generators import generate
from harness.plans.shrinking import Shrunk
from harness.plans.sound import problems_of
from tests.plans.drawn import plan, step


def test_every_search_has_a_row_found_or_not() -> None:
    shrunk = Shrunk(plan(step("1"), step("2")), runs=9, candidates=4, confirmed=True, finished=True, rate=1.0)
    bounded = Shrunk(plan(step("1")), runs=40, candidates=4, confirmed=True, finished=False, rate=1.0)
    again = Shrunk(plan(step("1")), runs=3, candidates=1, confirmed=False, finished=False, rate=0.1)
    page = section(
        [
            Search("a", 4, 2.5, 4, ("one_holder",), 16, 1, shrunk),
            Search("b", 5, 2.5, 5, ("one_holder",), 16, 0, bounded),
            Search("c", 6, 2.5, 6, ("one_holder",), 16, 0, again),
            Search("d", 7, 2.5, 7, ("one_holder",), 16),
            Search("e", 20, 15.0),
        ]
    )
    assert "| a | 4 | 1 | 2.5 | 4 | 16 | 2 | 9 | one_holder |" in page
    assert "| b | 5 | 0 | 2.5 | 5 | 16 | 1 so far | 40 | one_holder |" in page
    assert "| c | 6 | 0 | 2.5 | 6 | 16 | did not fail again | 3 | one_holder |" in page
    assert "| d | 7 | 0 | 2.5 | 7 | 16 | - | - | one_holder |" in page
    assert "| e | 20 | 0 | 15.0 | - | - | - | - | not found |" in page


def test_what_is_drawn_can_be_performed_and_holds_what_the_defects_take() -> None:
    drawn = [generate(GENERATOR, seed, setting()) for seed in range(1, 21)]
    assert all(not list(problems_of(one, setting().topology, offers())) for one in drawn)
    assert {"kill", "unplug", "freeze", "resolver-lies"} <= {step.fault for one in drawn for step in one.steps}
