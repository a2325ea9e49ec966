"""A graph of what has to come before what, and its shortest cycles. Strongly connected components by rustworkx."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import rustworkx

WW, WR, RW, TIME = "ww", "wr", "rw", "time"
_WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Edge:
    """The first node comes before the second, because of what ``why`` says about ``key``."""

    start: int
    end: int
    kind: str
    key: object = None
    why: str = ""


@dataclass(slots=True)
class Graph:
    """Nodes are numbers; between two nodes there may be an edge of each kind."""

    edges: dict[tuple[int, int, str], tuple[object, str]] = field(default_factory=dict)

    def add(self, start: int, end: int, kind: str, key: object = None, why: str = "") -> None:
        """Add an edge; of several of one kind between two nodes the first counts."""
        if start != end:
            self.edges.setdefault((start, end, kind), (key, why))

    def components(self, kinds: Collection[str]) -> list[list[int]]:
        """The sets of nodes that lie on cycles of edges of these kinds, the smallest first."""
        chosen = [(start, end) for start, end, kind in self.edges if kind in kinds]
        if not chosen:
            return []
        size = max(max(pair) for pair in chosen) + 1
        graph = rustworkx.PyDiGraph(multigraph=False)
        graph.add_nodes_from(range(size))
        graph.add_edges_from_no_data(chosen)
        found = [sorted(one) for one in rustworkx.strongly_connected_components(graph) if len(one) > 1]
        return sorted(found, key=lambda one: (len(one), one))

    def neighbours(self, nodes: Iterable[int], kinds: Collection[str]) -> "Neighbours":
        """The edges of these kinds among some nodes."""
        among = set(nodes)
        found: Neighbours = {node: [] for node in sorted(among)}
        for (start, end, kind), (key, why) in self.edges.items():
            if kind in kinds and start in among and end in among:
                found[start].append(Edge(start, end, kind, key, why))
        return found

    def only(self, kinds: Collection[str]) -> "Graph":
        """The edges of these kinds."""
        return Graph({name: what for name, what in self.edges.items() if name[2] in kinds})

    def order(self, size: int) -> list[int] | None:
        """The nodes in an order that every edge agrees with; None when there is none."""
        graph = rustworkx.PyDiGraph(multigraph=False)
        graph.add_nodes_from(range(size))
        graph.add_edges_from_no_data([(start, end) for start, end, _ in self.edges])
        try:
            return list(rustworkx.topological_sort(graph))
        except rustworkx.DAGHasCycle:
            return None


Neighbours = dict[int, list[Edge]]
MAX_STARTS = 200
"""In a large component so many nodes are tried as the start of a shortest cycle."""


def never() -> bool:
    """There is time without end."""
    return False


def shortest_cycle(neighbours: Neighbours, enough: Callable[[], bool] = never) -> list[Edge] | None:
    """A shortest cycle among these edges; the shortest so far when ``enough`` says so."""
    best: list[Edge] | None = None
    for start in list(neighbours)[:MAX_STARTS]:
        path = shortest_path(neighbours, start, start)
        if path and (best is None or len(path) < len(best)):
            best = path
        if best is not None and (len(best) == 2 or enough()):
            break
    return best


def cycle_with_one(
    neighbours: Neighbours, kind: str, others: Collection[str], enough: Callable[[], bool] = never
) -> list[Edge] | None:
    """A shortest cycle that has exactly one edge of a kind and otherwise only edges of the others.

    The shortest so far, if there is one, when ``enough`` says so.
    """
    best: list[Edge] | None = None
    for edges in neighbours.values():
        for edge in edges:
            if edge.kind != kind:
                continue
            if enough():
                return best
            back = shortest_path(neighbours, edge.end, edge.start, others)
            if back is not None and (best is None or len(back) + 1 < len(best)):
                best = [edge, *back]
                if len(best) == 2:
                    return best
    return best


def cycle_without_neighbours(
    graph: Graph, component: Iterable[int], kind: str, enough: Callable[[], bool] = never
) -> list[Edge] | None:
    """A short cycle in which no two edges of a kind follow each other; None when there is none.

    Each node is split into a beginning and an end that follow each other. An edge of the kind goes from the beginning
    of one node to the end of another, all others go from an end to a beginning: after an edge of the kind another of
    its kind cannot follow. So any cycle of the halves will do.
    """
    among = set(component)
    halves = Graph()
    for node in sorted(among):
        halves.add(2 * node, 2 * node + 1, _WITHIN)
    for (start, end, one), (key, why) in graph.edges.items():
        if start in among and end in among:
            first, second = (2 * start, 2 * end + 1) if one == kind else (2 * start + 1, 2 * end)
            halves.add(first, second, one, key, why)
    kinds = {one for _, _, one in halves.edges}
    for part in halves.components(kinds):
        found = shortest_cycle(halves.neighbours(part, kinds), enough)
        if found is not None:
            return [
                Edge(edge.start // 2, edge.end // 2, edge.kind, edge.key, edge.why)
                for edge in found
                if edge.kind != _WITHIN
            ]
    return None


def shortest_path(
    neighbours: Neighbours, start: int, end: int, kinds: Collection[str] | None = None
) -> list[Edge] | None:
    """A shortest path of at least one edge, of these kinds only when they are given."""
    came: dict[int, Edge] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for edge in neighbours.get(node, ()):
            if (kinds is not None and edge.kind not in kinds) or edge.end in came:
                continue
            came[edge.end] = edge
            if edge.end == end:
                return _path(came, start, end)
            queue.append(edge.end)
    return None


def _path(came: dict[int, Edge], start: int, end: int) -> list[Edge]:
    path = [came[end]]
    while path[-1].start != start:
        path.append(came[path[-1].start])
    return path[::-1]
