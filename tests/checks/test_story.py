"""The frame of a run: when it ends, and who could reach whom."""

import pytest

from harness.checks.reach import kind_of, reach_over_time
from harness.checks.story import FaultWindow, end_s
from tests.checks.story import NODES, VIP, ZERO_S, Story, story


def test_the_scenario_ends_before_its_nodes_are_taken_down() -> None:
    told = story().run().node_holds("n1", 1, 12)
    for node in NODES:
        told.power(node, 0, 12.0, how="shutdown")
    assert end_s(told.ended(13).history()) == ZERO_S + 12.0


def test_nodes_that_a_fault_killed_do_not_end_the_scenario() -> None:
    told = story().run().fault("kill", "n1", at=2, until=None).power("n1", 0, 2.001).power("n2", 0).power("n3", 0)
    assert end_s(told.ended(13).history()) == ZERO_S + 13


def groups_at(told: Story, at: float) -> set[frozenset[str]]:
    for piece in reach_over_time(told.history()):
        if piece.from_s <= ZERO_S + at < piece.until_s:
            return set(piece.groups)
    raise AssertionError(at)


def test_faults_that_overlap_split_further() -> None:
    told = (
        story()
        .run()
        .ended(20)
        .fault("cut-site", "dijon", at=2, until=8)
        .fault("partition", "n2", "n1+n3", at=4, until=6)
    )
    assert groups_at(told, 1) == {frozenset({"n1", "n2", "n3", "c1", "c2"})}
    assert groups_at(told, 3) == {frozenset({"n1"}), frozenset({"n2", "n3", "c1", "c2"})}
    assert groups_at(told, 5) == {frozenset({"n1"}), frozenset({"n2"}), frozenset({"n3"})}
    assert groups_at(told, 7) == groups_at(told, 3)
    assert groups_at(told, 9) == groups_at(told, 1)


def test_power_and_frost_take_nodes_out_of_reach() -> None:
    told = story().run().power("n1", 0, 5).power("n2", 0).power("n3", 0).fault("freeze", "n2", at=2, until=4).ended(9)
    assert groups_at(told, 3) == {frozenset({"n1", "n3", "c1", "c2"})}
    assert groups_at(told, 6) == {frozenset({"n2", "n3", "c1", "c2"})}


def test_a_partition_that_names_not_everybody_is_not_certain() -> None:
    told = story().run().ended(20).fault("partition", "n1", "n2", at=2, until=8)
    assert [piece.certain for piece in reach_over_time(told.history()) if piece.groups and len(piece.groups) > 1] == [
        False
    ]


@pytest.mark.parametrize(
    ("kind", "targets", "like", "of"),
    [
        ("halves", ("n1", "n2+n3"), "partition", ("n1", "n2+n3")),
        ("slow-heal", ("dijon",), "cut-site", ("dijon",)),
        ("unplug", ("n2",), "isolate", ("n2",)),
    ],
)
def test_faults_that_part_alike_are_told_alike(
    kind: str, targets: tuple[str, ...], like: str, of: tuple[str, ...]
) -> None:
    told, known = (
        story().run().ended(20).fault(one, *whom, at=2, until=8) for one, whom in ((kind, targets), (like, of))
    )
    assert groups_at(told, 5) == groups_at(known, 5) != groups_at(told, 1)
    (piece,) = (one for one in reach_over_time(told.history()) if one.from_s <= ZERO_S + 5 < one.until_s)
    assert piece.certain


def test_the_kind_of_a_fault_is_known_however_it_is_written() -> None:
    for name in ("CutSite", "cut_site", "cut-site", "cut site"):
        assert kind_of(FaultWindow("1", name, (VIP,), 0.0)) == "cut-site"
    assert kind_of(FaultWindow("1", "kill", (), 0.0)) == "kill"
