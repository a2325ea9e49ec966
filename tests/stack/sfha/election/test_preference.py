"""A wish for who leads: all agree on it as soon as heartbeats have passed, and on its end."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.election.core import Duty, ElectionCore, Heartbeat, Self, View
from harness.stack.sfha.election.preference import Preference, Wish

ALL = frozenset({1, 2, 3})


def test_a_wish_is_followed_until_it_ends() -> None:
    one, two = Preference(1), Preference(2)
    one.wish(3, 10.0, 100.0)
    assert two.hear(one.newest(101.0), 501.0)  # clocks need not agree
    assert two.target(509.9) == 3
    assert two.target(510.0) is None


def test_the_newest_wish_wins_wherever_it_was_made() -> None:
    one, two = Preference(1), Preference(2)
    one.wish(3, 10.0, 0.0)
    two.hear(one.newest(0.0), 0.0)
    two.wish(1, 10.0, 1.0)
    assert one.hear(two.newest(1.0), 1.0)
    assert not two.hear(Wish(1, 1, 3, 10.0), 2.0)
    assert one.target(2.0) == two.target(2.0) == 1


def test_a_late_heartbeat_does_not_make_it_last_longer() -> None:
    one, two = Preference(1), Preference(2)
    one.wish(3, 10.0, 0.0)
    early = one.newest(0.0)
    two.hear(early, 0.0)
    two.hear(early, 8.0)
    assert two.target(10.0) is None


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3, None]), st.floats(1, 50)), max_size=6),
    st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3])), max_size=20),
)
def test_all_agree_when_heartbeats_have_passed(
    wishes: list[tuple[int, int | None, float]], lost_or_not: list[tuple[int, int]]
) -> None:
    nodes = {node: Preference(node) for node in ALL}
    for by, target, for_s in wishes:
        nodes[by].wish(target, for_s, 0.0)
        for sender, to in lost_or_not:
            nodes[to].hear(nodes[sender].newest(0.0), 0.0)
    for _ in ALL:
        for sender in ALL:
            for to in ALL - {sender}:
                nodes[to].hear(nodes[sender].newest(0.0), 0.0)
    assert len({(node.newest(0.0).stamp, node.target(0.0)) for node in nodes.values()}) == 1
    ends_s = [end_s for node in nodes.values() if (end_s := node.wake_s(0.0)) is not None]
    assert not ends_s or max(ends_s) - min(ends_s) < 0.002  # milliseconds travel


def _election(node: int, own: Self, beats: dict[int, Heartbeat]) -> ElectionCore:
    core = ElectionCore(node, suspect_after_s=1.0)
    core.view_changed(View(True, ALL))
    core.self_changed(own)
    for peer, beat in beats.items():
        if peer != node:
            core.hear(peer, beat, 0.0)
    return core


@given(
    st.fixed_dictionaries({node: st.tuples(*[st.booleans()] * 4) for node in ALL}),
    st.sampled_from([1, 2, 3, None]),
)
def test_nodes_that_heard_the_same_elect_the_same(
    states: dict[int, tuple[bool, bool, bool, bool]], target: int | None
) -> None:
    wish = Wish(1, 1, target, 60.0)
    beats = {
        node: Heartbeat(1, 1, standby, ready, True, 7, None, 0, Duty(draining, ailing, 0, wish))
        for node, (standby, ready, draining, ailing) in states.items()
    }
    cores = []
    for node, (standby, ready, draining, ailing) in states.items():
        core = _election(node, Self(standby, ready, draining, ailing), beats)
        core.preference.hear(wish, 0.0)
        cores.append(core)
    leaders = {core.leader(0.5) for core in cores}
    assert len(leaders) == 1
    (leader,) = leaders
    leaving = [node for node, state in states.items() if state[2]]
    fit = [node for node, (standby, ready, _, _) in states.items() if ready and not standby]
    well = [node for node in fit if not states[node][3]]
    if leaving:
        assert leader == min(leaving)
    elif target in (well or fit):
        assert leader == target
    else:
        assert leader == min(well or fit, default=None)
