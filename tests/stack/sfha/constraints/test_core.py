"""Order and colocation: a starting order that keeps them, or a circle that is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.constraints.core import Colocation, Constraint, ConstraintError, Order, plan

NAMES = ("a", "b", "c", "d", "e")


def test_without_constraints_the_order_is_that_of_the_file() -> None:
    assert plan(["web"], ["b", "a"], []).order == ("b", "a")


def test_what_is_needed_comes_first() -> None:
    found = plan(["web"], ["app", "db"], [Order("db", "app"), Colocation("app", "web"), Order("web", "db")])
    assert found.order == ("db", "app")
    assert found.after == {"app": {"db"}, "db": {"web"}}
    assert found.along_with == {"app": {"web"}, "db": set()}


def test_an_order_of_two_addresses_asks_for_nothing() -> None:
    assert plan(["web", "mail"], ["a"], [Order("web", "mail")]) == plan(["web", "mail"], ["a"], [])


def test_a_service_that_an_address_needs_binds_it() -> None:
    assert plan(["web"], ["app"], [Colocation("web", "app")]).binding == {"app"}


@pytest.mark.parametrize(
    ("constraints", "index", "key", "why"),
    [
        ([Order("a", "nowhere")], 0, "then", "there is no VIP or service 'nowhere'"),
        ([Order("a", "b"), Colocation("nowhere", "b")], 1, "colocation", "nowhere"),
        ([Order("a", "a")], 0, "order", "itself"),
        ([Order("a", "web")], 0, "then", "VIPs come up before services"),
        ([Order("a", "b"), Order("b", "c"), Colocation("a", "c")], 2, "colocation", "a circle: "),
        ([Order("web", "mail"), Order("mail", "web")], 1, "order", "a circle: mail -> web -> mail"),
    ],
)
def test_what_cannot_be_kept_is_named(constraints: list[Constraint], index: int, key: str, why: str) -> None:
    with pytest.raises(ConstraintError) as error:
        plan(["web", "mail"], ["a", "b", "c"], constraints)
    assert (error.value.index, error.value.key) == (index, key)
    assert why in error.value.why


edges = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans())


@given(st.lists(edges, max_size=12))
def test_either_every_constraint_is_kept_or_there_is_a_circle(drawn: list[tuple[str, str, bool]]) -> None:
    constraints = [Order(a, b) if order else Colocation(b, a) for a, b, order in drawn]
    try:
        order = plan([], NAMES, constraints).order
    except ConstraintError as error:
        before = constraints[: error.index]
        assert plan([], NAMES, before).order  # it is this one that closes the circle
        return
    assert sorted(order) == sorted(NAMES)
    for a, b, _ in drawn:
        assert order.index(a) < order.index(b)
