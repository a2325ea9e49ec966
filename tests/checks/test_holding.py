"""Questions of many instants are answered as by looking at every holding, and at every stall, in turn."""

from hypothesis import given
from hypothesis import strategies as st

from harness.checks.holding import HeldBy, Holding
from harness.checks.story import BACKLOG_S, Stalls
from harness.events import ObserverStalled

NODES = ("n1", "n2", "n3")
WHOLE_S = st.integers(0, 60).map(float)
# Quarters of a second: sums and differences of them are exact, so that both ways must agree at the very edges.
QUARTERS_S = st.integers(0, 12).map(lambda quarters: quarters / 4)


@st.composite
def holdings(draw: st.DrawFn) -> tuple[Holding, ...]:
    """Those of one node never overlap; those of two may."""
    found = []
    for node in NODES:
        edges = sorted(draw(st.sets(WHOLE_S, max_size=8)))
        for start_s, end_s in zip(edges[::2], edges[1::2], strict=False):
            found.append(Holding(node, "10.0.0.1", start_s, end_s, None))
    return tuple(draw(st.permutations(found)))


@given(held=holdings(), t_s=WHOLE_S)
def test_who_held_it_at_an_instant(held: tuple[Holding, ...], t_s: float) -> None:
    assert HeldBy(held).at(t_s) == tuple(sorted(one.node for one in held if one.interval.contains(t_s)))


@given(held=holdings(), node=st.sampled_from(NODES), t_s=WHOLE_S, early_s=QUARTERS_S, late_s=QUARTERS_S)
def test_whether_a_node_held_it_give_or_take(
    held: tuple[Holding, ...], node: str, t_s: float, early_s: float, late_s: float
) -> None:
    one_by_one = any(one.node == node and one.start_s - early_s <= t_s <= one.end_s + late_s for one in held)
    assert HeldBy(held).holds(node, t_s, early_s=early_s, late_s=late_s) == one_by_one


@given(held=holdings(), node=st.sampled_from(NODES), t_s=WHOLE_S, sure_s=QUARTERS_S)
def test_whether_another_surely_held_it(held: tuple[Holding, ...], node: str, t_s: float, sure_s: float) -> None:
    one_by_one = any(one.node != node and one.start_s + sure_s <= t_s <= one.end_s - sure_s for one in held)
    assert HeldBy(held).another_holds(node, t_s, sure_s=sure_s) == one_by_one


@given(
    stalls=st.lists(st.tuples(WHOLE_S, st.integers(1, 40).map(float)), max_size=8).map(sorted),
    t_s=st.integers(-10, 70).map(float),
)
def test_how_late_a_stamp_may_be(stalls: list[tuple[float, float]], t_s: float) -> None:
    seen = [ObserverStalled(t_s=end_s, gap_s=gap_s) for end_s, gap_s in stalls]
    covering = (gap_s for end_s, gap_s in stalls if end_s - gap_s - BACKLOG_S <= t_s <= end_s + BACKLOG_S)
    assert Stalls(seen).lateness_s(t_s) == max(covering, default=0.0)
