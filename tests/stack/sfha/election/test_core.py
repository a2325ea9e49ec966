"""Election: the lowest id that is a member, alive, ready and not in standby."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.election.core import Duty, ElectionCore, Heartbeat, Self, View

ALL = frozenset({1, 2, 3})


def beat(sequence: int = 1, *, standby: bool = False, ready: bool = True, incarnation: int = 1) -> Heartbeat:
    return Heartbeat(incarnation, sequence, standby, ready, True, 7, None)


def node_2(view: View | None = None) -> ElectionCore:
    core = ElectionCore(2, suspect_after_s=1.0)
    core.self_changed(Self(standby=False, ready=True))
    core.view_changed(view or View(True, ALL))
    return core


def test_nobody_leads_without_quorum() -> None:
    core = node_2(View(False, frozenset({2})))
    assert core.leader(0.0) is None


def test_the_lowest_member_that_was_heard_leads() -> None:
    core = node_2()
    assert core.leader(0.0) == 2
    core.hear(1, beat(), 0.0)
    assert core.leader(0.0) == 1


def test_a_hung_daemon_on_a_living_member_is_no_candidate() -> None:
    core = node_2()
    core.hear(1, beat(), 5.0)
    assert core.wake_s(1, 5.0) == 6.0
    assert core.leader(5.99) == 1
    assert core.leader(6.0) == 2
    core.heard_from(1, 6.5)
    assert core.leader(6.6) == 1


def test_a_silent_holder_lapses_when_its_promise_has_run_out_and_stays_so_until_it_is_heard() -> None:
    core = ElectionCore(2, suspect_after_s=1.0, lapse_after_s=0.3)
    core.self_changed(Self(standby=False, ready=True))
    core.view_changed(View(True, ALL))
    core.hear(1, beat(), 5.0)
    core.promised(1, 5.1)
    assert core.wake_s(1, 5.1) == 5.3
    core.promised(1, 5.29)
    assert core.leader(5.29) == 1
    core.promised(1, 5.3)
    assert core.leader(5.3) == 2
    assert 1 in core.alive(5.3), "nobody is fenced for that"
    core.promised(2, 5.4)
    assert core.leader(5.4) == 2, "it was not heard, though another one has the promise now"
    assert core.heard_from(1, 5.5), "a contact regained"
    assert core.leader(5.5) == 1


def beaten(leader: int | None, sequence: int = 1) -> Heartbeat:
    return replace(beat(sequence), leader=leader)


def led_by_2_since_1_fell_silent(node: int) -> ElectionCore:
    """At 5.3 node 1 has lapsed, at 5.4 node 2 says that it leads."""
    core = ElectionCore(node, suspect_after_s=1.0, lapse_after_s=0.3, doubt_for_s=0.8)
    core.self_changed(Self(standby=False, ready=True))
    core.view_changed(View(True, ALL))
    for peer in ALL - {node}:
        core.hear(peer, beaten(1), 5.0)
    core.promised(1, 5.2)
    core.promised(1, 5.3)
    if node == 2:
        core.self_changed(Self(standby=False, ready=True, holds=True))
    else:
        core.hear(2, beaten(2, 2), 5.4)
    core.promised(2, 5.4)
    assert core.leader(5.4) == 2
    return core


@pytest.mark.parametrize("node", [2, 3])
def test_who_was_silent_is_passed_over_for_a_while_when_another_one_leads(node: int) -> None:
    core = led_by_2_since_1_fell_silent(node)
    assert core.hear(1, beaten(1, 2), 5.5)
    assert core.leader(5.5) == core.successor(5.5) == 2
    wake_s = core.wake_s(2, 5.5)
    assert wake_s is not None
    assert wake_s <= 6.3
    for number, now_s in enumerate((5.7, 5.9, 6.1, 6.29)):
        core.hear(5 - node, beaten(2, 3 + number), now_s)
        core.hear(1, beaten(1, 3 + number), now_s)
    assert core.leader(6.29) == 2
    assert core.leader(6.3) == 1


def test_nobody_waits_for_who_was_silent_unless_another_one_leads() -> None:
    """Node 2 has not got the lease (a pair, a minority), or hears of node 1 as well and says that it leads no more."""
    asking = led_by_2_since_1_fell_silent(2)
    asking.self_changed(Self(standby=False, ready=True, holds=False))
    asking.hear(1, beaten(1, 2), 5.5)
    assert asking.leader(5.5) == 1
    third = led_by_2_since_1_fell_silent(3)
    third.hear(1, beaten(1, 2), 5.5)
    third.hear(2, beaten(1, 3), 5.5)
    assert third.leader(5.5) == 1


def test_who_leads_and_falls_silent_is_followed_by_one_that_was_silent_before() -> None:
    core = led_by_2_since_1_fell_silent(3)
    core.self_changed(Self(standby=True, ready=True))
    core.hear(1, beaten(1, 2), 5.5)
    core.promised(2, 5.7)
    assert core.leader(5.7) == 1


def test_who_was_silent_and_hands_over_still_does_not_lead_meanwhile() -> None:
    core = led_by_2_since_1_fell_silent(3)
    core.hear(1, replace(beaten(1, 2), duty=Duty(draining=True)), 5.5)
    assert core.leader(5.5) == 2


def test_who_was_away_doubts_itself_and_nobody_else() -> None:
    """Frozen as the holder from 5.0 to 6.2: the others' silence was its own."""
    core = ElectionCore(1, suspect_after_s=1.0, lapse_after_s=0.3, doubt_for_s=0.8)
    core.self_changed(Self(standby=False, ready=True, holds=True))
    core.view_changed(View(True, ALL))
    for peer in (2, 3):
        core.hear(peer, beaten(1), 5.0)
    core.self_changed(Self(standby=False, ready=True))
    assert core.hear(3, beaten(1, 2), 6.2)
    assert core.leader(6.2) == 1, "nobody says otherwise"
    core.hear(2, beaten(2, 2), 6.2)
    assert core.leader(6.2) == 2
    core.view_changed(View(True, ALL - {3}))
    assert core.leader(6.3) == 1, "Corosync has said what it had to say"


def test_a_daemon_that_looks_often_enough_does_not_doubt_itself() -> None:
    core = ElectionCore(1, suspect_after_s=1.0, lapse_after_s=0.3, doubt_for_s=0.8)
    core.self_changed(Self(standby=False, ready=True))
    core.view_changed(View(True, ALL))
    for tenth in range(20):
        core.promised(None, tenth / 10)
    core.hear(2, beaten(2), 2.0)
    assert core.leader(2.0) == 1


def test_a_ring_that_was_lost_and_found_ends_the_doubt() -> None:
    core = led_by_2_since_1_fell_silent(3)
    core.hear(1, beaten(1, 2), 5.5)
    core.view_changed(View(True, ALL - {1}))
    core.view_changed(View(True, ALL))
    core.hear(1, beaten(None, 3), 5.9)
    assert core.leader(5.9) == 1


@given(st.lists(st.booleans(), max_size=60))
def test_a_holder_is_displaced_only_by_one_that_has_been_heard_for_as_long_as_it_is_doubted(heard: list[bool]) -> None:
    """Node 2 holds the lease and looks ten times a second; node 1, which it prefers, is heard or not."""
    core = led_by_2_since_1_fell_silent(2)
    last_s, back_s = 5.0, None
    for number, arrives in enumerate(heard):
        now_s = 5.5 + number / 10
        core.promised(2, now_s)
        if arrives:
            if back_s is None or now_s - last_s >= 1.0:
                back_s = now_s
            last_s = now_s
            core.hear(1, beaten(2, 2 + number), now_s)
        stays = back_s is None or now_s - last_s >= 1.0 or now_s < back_s + 0.8
        assert core.leader(now_s) == (2 if stays else 1)


def test_who_has_no_promise_may_be_silent_for_longer() -> None:
    core = ElectionCore(2, suspect_after_s=1.0, lapse_after_s=0.3)
    core.self_changed(Self(standby=False, ready=True))
    core.view_changed(View(True, ALL))
    core.hear(1, beat(), 5.0)
    for to in (None, 2, 3):
        core.promised(to, 5.9)
        assert core.leader(5.9) == 1


def test_standby_and_not_ready_are_no_candidates() -> None:
    core = node_2()
    core.hear(1, beat(1, standby=True), 0.0)
    assert core.leader(0.0) == 2
    core.hear(1, beat(2, ready=False), 0.0)
    assert core.leader(0.0) == 2
    core.self_changed(Self(standby=True, ready=True))
    assert core.leader(0.0) is None


def test_a_late_heartbeat_does_not_undo_a_newer_one_but_a_new_life_counts() -> None:
    core = node_2()
    core.hear(1, beat(5, standby=True), 0.0)
    assert core.hear(1, beat(4), 0.1) is False
    assert core.leader(0.1) == 2
    core.hear(1, beat(1, incarnation=2), 0.1)
    assert core.leader(0.1) == 1


def test_a_peer_that_was_silent_is_a_contact_regained() -> None:
    core = node_2()
    assert core.hear(1, beat(1), 0.0)
    assert not core.hear(1, beat(2), 0.5)
    assert core.hear(1, beat(3), 2.0)


def test_a_member_that_left_and_came_back_must_be_heard_anew() -> None:
    core = node_2()
    core.hear(1, beat(1), 0.0)
    core.view_changed(View(True, frozenset({2, 3})))
    core.view_changed(View(True, ALL))
    assert core.leader(0.1) == 2
    core.hear(1, beat(2), 0.1)
    assert core.leader(0.1) == 1


@given(
    st.frozensets(st.integers(1, 5), min_size=1),
    st.dictionaries(st.integers(1, 5), st.tuples(st.booleans(), st.booleans(), st.floats(0, 2))),
)
def test_the_leader_is_always_a_member_in_good_standing(
    members: frozenset[int], beats: dict[int, tuple[bool, bool, float]]
) -> None:
    core = ElectionCore(3, suspect_after_s=1.0)
    core.view_changed(View(True, members))
    core.self_changed(Self(standby=False, ready=True))
    for peer, (standby, ready, at_s) in beats.items():
        if peer != 3:
            core.hear(peer, beat(standby=standby, ready=ready), at_s)
    leader = core.leader(2.0)
    fit = {peer for peer, (standby, ready, at_s) in beats.items() if ready and not standby and at_s > 1.0} | {3}
    fit -= {peer for peer in fit if peer != 3 and peer not in beats}
    assert leader == min(fit & members, default=None)


def lacking(count: int, sequence: int = 1) -> Heartbeat:
    return replace(beat(sequence), duty=Duty(lacks=count))


def test_who_lacks_least_leads_and_among_equals_the_lowest() -> None:
    core = node_2()
    core.hear(1, lacking(1), 100.0)
    core.hear(3, lacking(0), 100.0)
    assert core.leader(100.0) == 2
    core.self_changed(Self(standby=False, ready=True, lacks=1))
    assert core.leader(100.0) == 3
    core.hear(3, lacking(2, 2), 100.0)
    assert core.leader(100.0) == 1
    core.hear(1, lacking(0, 2), 100.0)
    assert core.leader(100.0) == 1


def test_who_fails_a_service_comes_after_who_lacks_an_address() -> None:
    core = node_2()
    core.hear(1, replace(beat(), duty=Duty(ailing=True)), 100.0)
    core.self_changed(Self(standby=False, ready=True, lacks=3))
    assert core.leader(100.0) == 2


def test_who_is_reluctant_comes_after_everybody_else_that_lacks_no_more_than_it() -> None:
    core = node_2()
    core.hear(1, replace(beat(), duty=Duty(reluctant=("disk",))), 100.0)
    core.hear(3, lacking(1), 100.0)
    assert core.leader(100.0) == 2
    core.self_changed(Self(standby=False, ready=True, lacks=1))
    assert core.leader(100.0) == 1, "an address that cannot be had is worse"
    core.hear(3, beat(2), 100.0)
    assert core.leader(100.0) == 3
    core.preference.wish(1, 60.0, 100.0)
    assert core.leader(100.0) == 3, "a wish is one among those that are willing"
