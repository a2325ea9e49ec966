"""Shortest cycles, also where a longer one is met first."""

import pytest

from harness.checks.consistency.graph import (
    Graph,
    cycle_with_one,
    cycle_without_neighbours,
    shortest_cycle,
    shortest_path,
)


def _graph(*edges: tuple[int, int, str]) -> Graph:
    graph = Graph()
    for start, end, kind in edges:
        graph.add(start, end, kind)
    return graph


def _ends(cycle: object) -> list[tuple[int, int]]:
    assert isinstance(cycle, list)
    return [(edge.start, edge.end) for edge in cycle]


LONG = ((0, 1, "a"), (1, 2, "a"), (2, 0, "a"))
SHORT = ((5, 6, "a"), (6, 5, "a"))
LONGER = ((10, 11, "a"), (11, 12, "a"), (12, 13, "a"), (13, 10, "a"))


def test_a_shorter_cycle_is_preferred_to_one_that_is_met_first() -> None:
    graph = _graph(*LONG, *SHORT, *LONGER)
    assert _ends(shortest_cycle(graph.neighbours(range(20), ["a"]))) == [(5, 6), (6, 5)]


def test_of_cycles_with_one_edge_of_a_kind_the_shortest_is_found_wherever_it_is() -> None:
    def one_b(*edges: tuple[int, int, str]) -> list[tuple[int, int, str]]:
        (start, end, _), *others = edges
        return [(start, end, "b"), *others]

    for order in ((LONG, SHORT, LONGER), (LONGER, LONG, SHORT), (SHORT, LONGER, LONG)):
        graph = _graph(*(edge for cycle in order for edge in one_b(*cycle)))
        neighbours = graph.neighbours([node for cycle in order for node, _, _ in cycle], ["a", "b"])
        assert _ends(cycle_with_one(neighbours, "b", ["a"])) == [(5, 6), (6, 5)]
    for first, second in ((LONG, LONGER), (LONGER, LONG)):
        graph = _graph(*one_b(*first), *one_b(*second))
        neighbours = graph.neighbours(range(20), ["a", "b"])
        assert _ends(cycle_with_one(neighbours, "b", ["a"])) == [(0, 1), (1, 2), (2, 0)]


def test_no_cycle_and_no_path_is_none() -> None:
    neighbours = _graph((0, 1, "a"), (1, 2, "b")).neighbours(range(3), ["a", "b"])
    assert shortest_cycle(neighbours) is None
    assert cycle_with_one(neighbours, "a", ["b"]) is None
    assert shortest_path(neighbours, 0, 2, ["a"]) is None
    assert _ends(shortest_path(neighbours, 0, 2)) == [(0, 1), (1, 2)]


def test_an_edge_to_itself_is_none_and_the_first_of_a_kind_counts() -> None:
    graph = _graph((3, 3, "a"))
    graph.add(0, 1, "a", "first")
    graph.add(0, 1, "a", "second")
    assert [edge.key for edge in graph.neighbours([0, 1, 3], ["a"])[0]] == ["first"]
    assert graph.edges.keys() == {(0, 1, "a")}


def test_components_and_orders() -> None:
    graph = _graph(*LONG, *SHORT, (2, 5, "a"), (7, 8, "a"))
    assert graph.components(["a"]) == [[5, 6], [0, 1, 2]]
    assert graph.components(["b"]) == []
    assert graph.order(9) is None
    order = _graph((2, 1, "a"), (1, 0, "b")).order(3)
    assert order is not None
    assert [order.index(node) for node in (2, 1, 0)] == sorted(order.index(node) for node in (2, 1, 0))


FORK = ((0, 2, "wr"), (2, 1, "rw"), (1, 3, "wr"), (3, 0, "rw"))
SKEW = ((0, 1, "rw"), (1, 0, "rw"))
APART = [
    (FORK, [(0, 2), (2, 1), (1, 3), (3, 0)]),
    (SKEW, None),
    ((*SKEW, (1, 0, "ww")), [(0, 1), (1, 0)]),
    (((0, 1, "rw"), (1, 2, "rw"), (2, 0, "ww")), None),
    (((0, 1, "rw"), (1, 2, "ww"), (2, 3, "rw"), (3, 0, "rw")), None),
    (((0, 1, "ww"), (1, 2, "rw")), None),
]


@pytest.mark.parametrize(("edges", "cycle"), APART)
def test_a_cycle_in_which_no_two_of_a_kind_follow_each_other(
    edges: tuple[tuple[int, int, str], ...], cycle: list[tuple[int, int]] | None
) -> None:
    found = cycle_without_neighbours(_graph(*edges), range(4), "rw")
    if cycle is None:
        assert found is None
        return
    ends = _ends(found)
    assert ends[ends.index(cycle[0]) :] + ends[: ends.index(cycle[0])] == cycle


def test_what_is_not_in_the_component_is_not_looked_at() -> None:
    assert cycle_without_neighbours(_graph(*FORK), range(3), "rw") is None
