"""Who held the address: two at once, or one without quorum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.holding import holdings
from harness.checks.verdict import Outcome
from harness.checks.vip import never_without_quorum, one_holder
from tests.checks.story import NODES, VIP, ZERO_S, Story, failover, story


def held(told: Story) -> list[tuple[str, float, float]]:
    return [(h.node, round(h.start_s - ZERO_S, 3), round(h.end_s - ZERO_S, 3)) for h in holdings(told.history(), VIP)]


def test_an_address_without_a_gate_is_held_while_it_is_present() -> None:
    assert held(story().run().node_holds("n1", 1, 3).node_holds("n2", 4, None).ended(9)) == [("n1", 1, 3), ("n2", 4, 9)]


def test_an_address_behind_a_gate_is_held_only_while_the_gate_is_open() -> None:
    told = story().run().gate("n1", installed=0, opened=((1.0, 1.15), (1.1, 1.25), (5.0, 5.15))).ended(9)
    assert held(told.node_holds("n1", 1.05, 7)) == [("n1", 1.05, 1.25), ("n1", 5.0, 5.15)]


def test_a_closed_gate_ends_the_holding_before_its_lease_does() -> None:
    told = story().run().gate("n1", installed=0, opened=((1.0, 3.0),)).gate_closed("n1", 1.5).ended(9)
    assert held(told.node_holds("n1", 0.5, 7)) == [("n1", 1.0, 1.5)]


def test_a_shorter_renewal_replaces_a_longer_lease() -> None:
    told = story().run().gate("n1", installed=0, opened=((1.0, 9.0), (2.0, 2.5))).ended(9)
    assert held(told.node_holds("n1", 0.5, 7)) == [("n1", 1.0, 2.5)]


def test_a_node_without_power_holds_nothing_and_forgets_its_gate() -> None:
    told = story().run().power("n1", 0, 3).power("n1", 5, boot=2).gate("n1", installed=0.5, opened=((1.0, 9.0),))
    assert held(told.node_holds("n1", 1, None).node_holds("n1", 6, None).ended(9)) == [("n1", 1, 3), ("n1", 6, 9)]


def test_one_holder_after_the_other_holds() -> None:
    assert one_holder(failover().history(), VIP).outcome is Outcome.HOLDS


def test_nothing_seen_is_unknown() -> None:
    for check in (one_holder, never_without_quorum):
        assert check(story().history(), VIP).outcome is Outcome.UNKNOWN
        assert check(story().run().ended(3).history(), VIP).outcome is Outcome.UNKNOWN


def test_two_holders_are_named_with_the_time() -> None:
    verdict = one_holder(story().run().node_holds("n1", 1, 5).node_holds("n2", 4.75, 8).ended(9).history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert set(verdict.evidence[0].nodes) == {"n1", "n2"}
    assert "250.0 ms" in str(verdict)
    assert "from 4.750 s until 5.000 s" in str(verdict)


def test_an_overlap_of_another_address_is_no_matter() -> None:
    told = story().run().node_holds("n1", 1, 5).node_holds("n2", 2, 4, address="10.77.1.10")
    assert one_holder(told.history(), VIP).outcome is Outcome.HOLDS


@pytest.mark.parametrize(("gap", "outcome"), [(0.4, Outcome.UNKNOWN), (0.1, Outcome.VIOLATED)])
def test_an_overlap_that_a_stall_of_the_observer_explains_is_unknown(gap: float, outcome: Outcome) -> None:
    told = story().run().node_holds("n1", 1, 5).node_holds("n2", 4.75, 8).stalled(4.999, gap).ended(9)
    assert one_holder(told.history(), VIP).outcome is outcome


@pytest.mark.parametrize(
    ("errors_s", "outcome"),
    [((), Outcome.VIOLATED), ((0.002,), Outcome.VIOLATED), ((0.002, 0.002), Outcome.UNKNOWN)],
)
def test_an_overlap_within_the_error_of_nodes_own_clocks_is_unknown(
    errors_s: tuple[float, ...], outcome: Outcome
) -> None:
    told = story().run().node_holds("n1", 1, 5).node_holds("n2", 4.997, 8).ended(9)
    for node, error_s in zip(("n1", "n2"), errors_s, strict=False):
        told.own_clock(node, error_s)
    assert one_holder(told.history(), VIP).outcome is outcome


def test_a_lease_is_as_late_as_its_last_renewal_was_seen() -> None:
    told = story().run().gate("n1", installed=0, opened=((1.0, 5.0),)).node_holds("n1", 0.5, None)
    told.node_holds("n2", 4.9, None).ended(9)
    assert one_holder(told.history(), VIP).outcome is Outcome.VIOLATED
    assert one_holder(told.stalled(4.999, 0.4).history(), VIP).outcome is Outcome.VIOLATED
    assert one_holder(told.stalled(1.001, 0.4).history(), VIP).outcome is Outcome.UNKNOWN


holds = st.lists(st.tuples(st.sampled_from(NODES), st.integers(0, 40), st.integers(1, 10)), max_size=6)


@given(holds)
def test_one_holder_is_violated_exactly_when_two_holdings_overlap(plan: list[tuple[str, int, int]]) -> None:
    told = story().run().ended(60)
    busy: dict[str, set[int]] = {node: set() for node in NODES}
    for node, since, length in plan:
        span = range(since, since + length)
        if not busy[node] & {*span, since - 1, since + length}:
            busy[node] |= set(span)
            told.node_holds(node, since, since + length)
    overlap = any(busy[a] & busy[b] for a in NODES for b in NODES if a < b)
    verdict = one_holder(told.history(), VIP)
    if not any(busy.values()):
        assert verdict.outcome is Outcome.UNKNOWN
    else:
        assert (verdict.outcome is Outcome.VIOLATED) == overlap


# --- quorum ------------------------------------------------------------------------------------------


def powered() -> Story:
    told = story().run().ended(20)
    for node in NODES:
        told.power(node, 0)
    return told


def test_a_holder_in_the_majority_is_fine() -> None:
    assert never_without_quorum(failover().history(), VIP).outcome is Outcome.HOLDS


def test_a_holder_whose_own_corosync_lost_quorum_has_a_moment_and_no_more() -> None:
    told = powered().sees(1, "n1 n2 n3").sees(5, "n1", quorate=False)
    assert never_without_quorum(told.node_holds("n1", 2, 5.3).history(), VIP).outcome is Outcome.HOLDS
    verdict = never_without_quorum(told.node_holds("n1", 6, 6.1).history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert "it had no quorum by its own account" in str(verdict)


def test_a_node_that_says_quorate_with_a_minority_of_votes_is_not_believed() -> None:
    told = powered().sees(1, "n1 n2 n3").sees(5, "n1").node_holds("n1", 2, 9)
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.VIOLATED


def test_a_frozen_holder_is_without_quorum_once_the_others_have_formed_without_it() -> None:
    told = powered().sees(1, "n1 n2 n3").sees(5.65, "n2 n3").node_holds("n1", 2, 9).fault("freeze", "n1", at=5, until=9)
    verdict = never_without_quorum(told.history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert "a majority of the others had formed a cluster without it" in str(verdict)


def test_a_stale_view_of_a_node_that_froze_proves_nothing_about_who_returned() -> None:
    told = powered().sees(1, "n2 n3").sees(6, "n1 n3", "n1", "n3").node_holds("n1", 6.1, 12)
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.HOLDS


def test_without_corosync_the_faults_and_votes_tell() -> None:
    told = powered().node_holds("n1", 1, None).fault("CutSite", "dijon", at=5, until=9)
    verdict = never_without_quorum(told.history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert "the faults in effect" in str(verdict)
    assert verdict.evidence[0].nodes == ("n1",)


def test_a_one_way_drop_alone_proves_nothing() -> None:
    told = powered().node_holds("n1", 1, None).fault("drop", "n1", "n2", at=5, until=9)
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.HOLDS


def test_a_heavy_node_is_a_majority_of_its_own() -> None:
    told = story().run(votes={"n1": 3, "n2": 1, "n3": 1}).node_holds("n1", 1, None).ended(20)
    assert never_without_quorum(told.fault("wan-down", at=5, until=9).history(), VIP).outcome is Outcome.HOLDS


def growing() -> Story:
    """n1 founds a cluster; n2 and n3 come and vote at 5 s, n3 is gone from 10 s on."""
    told = powered().roster(0.5, 1, n1=1).sees(1, "n1").sees(4, "n1 n2 n3")
    told.roster(5, 2, n1=1, n2=1, n3=1).roster(5.01, 2, "n2", n1=1, n2=1, n3=1)
    return told.sees(9.9, "n1 n2").roster(10, 3, "n2", n1=1, n2=1)


def test_the_votes_are_those_of_the_roster_of_the_time() -> None:
    assert never_without_quorum(growing().node_holds("n1", 1, None).history(), VIP).outcome is Outcome.HOLDS
    without_rosters = powered().sees(1, "n1").node_holds("n1", 1, 4)
    assert never_without_quorum(without_rosters.history(), VIP).outcome is Outcome.VIOLATED


def test_a_minority_of_the_new_roster_is_judged_by_it_as_soon_as_it_is_there() -> None:
    told = growing().node_holds("n1", 1, 9).fault("cut-site", "dijon", at=6, until=9)
    verdict = never_without_quorum(told.history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert "the faults in effect" in str(verdict)


def test_a_node_that_was_cut_off_while_it_was_alone_in_the_roster_may_hold() -> None:
    told = growing().node_holds("n1", 1, 9).fault("cut-site", "dijon", at=2, until=4)
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.HOLDS


@pytest.mark.parametrize(("until", "outcome"), [(5.4, Outcome.HOLDS), (7.0, Outcome.VIOLATED)])
def test_around_a_change_either_roster_counts_and_afterwards_the_new_one_alone(until: float, outcome: Outcome) -> None:
    told = powered().roster(0.5, 1, n1=1).sees(1, "n1").roster(5, 2, n1=1, n2=1, n3=1).node_holds("n1", 1, until)
    assert never_without_quorum(told.history(), VIP).outcome is outcome


def test_a_roster_that_is_older_than_another_one_seen_before_changes_nothing() -> None:
    told = (
        growing().roster(12, 1, "n3", n1=1).node_holds("n1", 1, None).fault("partition", "n1", "n2+n3", at=14, until=18)
    )
    told.roster(11, 4, n1=1, n2=1, n3=1).sees(13, "n1 n2 n3")
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.VIOLATED
