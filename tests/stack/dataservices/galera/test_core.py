"""Who may begin a Galera cluster, against every combination of what three nodes may have."""

from itertools import product

import pytest

from harness.stack.dataservices.galera.core import NO_UUID, UNKNOWN_SEQNO, Begin, Join, Nobody, State, decide

NAMES = ("g1", "g2", "g3")
STATES: tuple[State | None, ...] = (
    None,
    *(State("a", seqno, marked) for seqno in (UNKNOWN_SEQNO, 7, 9) for marked in (False, True)),
    State("a", 9, in_primary=True),
    State("b", 9),
    State("b", 9, in_primary=True),
    State(NO_UUID, UNKNOWN_SEQNO, has_data=False),
    State(NO_UUID, UNKNOWN_SEQNO, has_data=True),
)


def test_whoever_begins_loses_nobody_anything() -> None:
    for states in product(STATES, repeat=3):
        loses_nothing(dict(zip(NAMES, states, strict=True)))


def loses_nothing(nodes: dict[str, State | None]) -> None:
    """What is decided takes nothing from a node that has it."""
    decided = decide(nodes)
    known = [state for state in nodes.values() if state is not None]
    running = {state.uuid for state in known if state.in_primary}
    if isinstance(decided, Begin):
        chosen = nodes[decided.node]
        assert chosen is not None
        assert len(known) == 3
        assert not running
        with_data = [state for state in known if state.has_data]
        assert all(state.uuid == chosen.uuid and state.uuid != NO_UUID for state in with_data)
        assert all(state.seqno != UNKNOWN_SEQNO and state.seqno <= chosen.seqno for state in with_data)
    elif isinstance(decided, Join):
        assert len(running) == 1
        assert all(one is not None and one.in_primary for one in map(nodes.__getitem__, decided.who_runs))
    else:
        assert decided.why


def test_it_does_not_refuse_what_is_plain() -> None:
    empty = State(NO_UUID, UNKNOWN_SEQNO, has_data=False)
    assert decide(dict.fromkeys(NAMES, empty)) == Begin("g1", "no node has data: a new cluster")
    after_a_cut = {"g1": State("a", 7), "g2": State("a", 9), "g3": State("a", 9, safe_to_bootstrap=True)}
    assert decide(after_a_cut) == Begin("g3", "commit 9 is the last of all 3 nodes")
    assert decide({"g1": State("a", 7), "g2": State("a", 9), "g3": empty}) == Begin(
        "g2", "commit 9 is the last of all 3 nodes"
    )
    assert decide({"g1": State("a", 7, in_primary=True), "g2": None, "g3": empty}) == Join(("g1",))


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ({"g1": State("a", 9, safe_to_bootstrap=True), "g2": None, "g3": State("a", 7)}, "g2 cannot be asked"),
        # A mark that was set by hand on a node that is behind is worth nothing.
        ({"g1": State("a", 7, safe_to_bootstrap=True), "g2": State("b", 9)}, "2 different histories"),
        ({"g1": State("a", UNKNOWN_SEQNO), "g2": State("a", 9)}, "g1: how far it came is not known"),
        ({"g1": State(NO_UUID, UNKNOWN_SEQNO), "g2": State("a", 9)}, "g1: data, and no sign"),
        ({"g1": State(NO_UUID, UNKNOWN_SEQNO), "g2": State(NO_UUID, UNKNOWN_SEQNO)}, "g1, g2: data that never was"),
        ({"g1": State("a", 1, in_primary=True), "g2": State("b", 1, in_primary=True)}, "2 clusters"),
        ({}, "no nodes"),
    ],
)
def test_nobody_begins_and_the_reason_is_said(nodes: dict[str, State | None], why: str) -> None:
    decided = decide(nodes)
    assert isinstance(decided, Nobody)
    assert why in decided.why


def test_a_mark_on_a_node_that_is_behind_does_not_count() -> None:
    decided = decide({"g1": State("a", 7, safe_to_bootstrap=True), "g2": State("a", 9), "g3": State("a", 8)})
    assert isinstance(decided, Begin)
    assert decided.node == "g2"
