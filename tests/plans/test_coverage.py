"""What runs have covered, and plans that cover the rest."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chaos.offered import chosen, offers
from harness.errors import UsageError
from harness.history import History
from harness.plans.coverage import Coverage, Hit, covered, hits, uncovered
from harness.plans.covering import plans, rows, wanted_pairs
from harness.plans.plan import OnEvent
from harness.plans.sound import problems_of
from tests.checks.story import Story
from tests.plans.drawn import setting, topology

DRAWABLE = [one for one in chosen(()) if one.drawable]


def test_an_empty_history_covers_nothing() -> None:
    assert hits(History(())) == ()
    coverage = Coverage()
    coverage.take(History(()))
    assert coverage.runs == 1
    assert len(uncovered(coverage, wanted_pairs(DRAWABLE))) == len(wanted_pairs(DRAWABLE))


def test_the_role_and_the_phase_are_those_of_the_moment() -> None:
    story = Story().run(topology=topology().to_json()).node_holds("n1", 0.5, 20.0).node_holds("n2", 21.0, 60.0)
    story.fault("freeze", "n1", at=10.0, until=12.0)
    story.fault("loss", "n2", at=11.0, until=11.5)
    story.fault("kill", "n1", at=20.5, until=30.0)
    story.fault("isolate", "n3", at=31.0, until=33.0)
    story.fault("halves", "n1+n2", "n3", at=50.0, until=52.0)
    story.fault("slow", "n1", at=55.0, until=56.0, bites=False)
    found = {one.fault: (one.role, one.phase) for one in hits(story.history(), {"halves"})}
    assert found == {
        "freeze": ("holder", "settled"),
        "loss": ("follower", "under another fault"),
        "kill": ("nobody holds", "electing"),
        "isolate": ("follower", "recovering"),
        "halves": ("network", "settled"),
    }


@given(st.integers(0, 1000))
@settings(max_examples=8)
def test_a_covering_array_has_every_pair_in_far_fewer_rows_than_there_are_combinations(seed: int) -> None:
    made = rows(DRAWABLE, seed)
    assert made == rows(DRAWABLE, seed)
    have = {
        ((one, row[one]), (other, row[other]))
        for row in made
        for one, other in combinations(("fault", "role", "phase"), 2)
    }
    assert set(wanted_pairs(DRAWABLE)) <= have
    assert len(made) < len(wanted_pairs(DRAWABLE))


def test_what_was_seen_is_not_covered_again() -> None:
    wanted = wanted_pairs(DRAWABLE)
    assert rows(DRAWABLE, 1, wanted) == ()
    coverage = Coverage()
    coverage.counts[Hit("freeze", "holder", "settled", "three sites", "local", "fast")] += 1
    assert len(covered(coverage)) == 3
    assert len(rows(DRAWABLE, 1, covered(coverage))) <= len(rows(DRAWABLE, 1))


@pytest.mark.parametrize("name", ["three-sites", "five-nodes"])
def test_plans_that_cover_are_sound_and_reach_an_election(name: str) -> None:
    made = tuple(plans(setting(60.0, name), 3))
    assert made
    for one in made:
        assert list(problems_of(one, setting(60.0, name).topology, offers())) == []
        assert one.length_s <= 60.0
    assert any(isinstance(step.start, OnEvent) for one in made for step in one.steps)


def test_what_cannot_be_covered_is_said() -> None:
    with pytest.raises(UsageError, match="lasts 12 s at least"):
        next(plans(setting(11.0), 1))
    with pytest.raises(UsageError, match="no pairs to cover"):
        rows([one for one in DRAWABLE if one.name == "drop"], 1)
