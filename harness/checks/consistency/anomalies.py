"""Anomalies of transactions by their names in the literature, each with a shortest cycle as its proof.

Berenson et al., "A critique of ANSI SQL isolation levels" (1995); Adya, "Weak consistency" (1999).

- G0, dirty write: a cycle of ww; G1c, circular information flow: of ww and wr, with a wr;
- G-single, read skew: with exactly one rw; lost-update: both of two transactions wrote what they had read from the
  same key; G-nonadjacent: with several rw, no two of which follow each other (a long fork); G2-item: with several rw
  that do; write-skew: of two transactions, by two keys;
- the same with "-realtime": only together with which transaction returned before which was called;
- G1a, aborted read; G1b, intermediate read; internal: a transaction that contradicts itself;
- phantom: a value nobody wrote; duplicate, incompatible-order, cyclic-versions: versions without an order.
"""

from collections.abc import Callable, Collection, Sequence

from harness.checks.consistency.graph import (
    RW,
    TIME,
    WR,
    WW,
    Edge,
    Graph,
    cycle_with_one,
    cycle_without_neighbours,
    never,
    shortest_cycle,
)
from harness.checks.consistency.transactions import READ, Anomaly, Transaction

_ALWAYS = ("G0", "G1a", "G1b", "G1c", "internal", "phantom", "duplicate", "incompatible-order", "cyclic-versions")
_SINGLE = (*_ALWAYS, "G-single", "lost-update", "G-nonadjacent")
_ANY = (*_SINGLE, "G2-item", "write-skew")
LEVELS = {
    "read-uncommitted": ("G0", "phantom", "duplicate", "incompatible-order"),
    "read-committed": _ALWAYS,
    "snapshot-isolation": _SINGLE,
    "repeatable-read": _ANY,
    "serializable": _ANY,
    "strict-serializable": (
        *_ANY,
        *(f"{name}-realtime" for name in ("G0", "G1c", "G-single", "G-nonadjacent", "G2-item")),
    ),
}
"""Which anomalies each isolation level rules out.

Snapshot isolation allows a cycle only if two rw follow each other in it (Fekete et al., "Making snapshot isolation
serializable", 2005; Cerone and Gotsman, "Analysing snapshot isolation", 2016).
"""


def cycles_of(
    graph: Graph,
    transactions: Sequence[Transaction],
    *,
    realtime: bool = False,
    enough: Callable[[], bool] = never,
) -> list[Anomaly]:
    """One anomaly for each component of the graph and each kind of cycle: of the mildest kind that there is.

    When ``enough`` says so shorter cycles are not looked for any more, nor such with one rw among those with several.
    """
    found = _cycles(graph, transactions, (), enough)
    if realtime and not found:
        found = _cycles(graph, transactions, (TIME,), enough)
    return found


def _cycles(
    graph: Graph, transactions: Sequence[Transaction], also: tuple[str, ...], enough: Callable[[], bool]
) -> list[Anomaly]:
    found: list[Anomaly] = []
    explained: set[int] = set()
    for kinds, of_kind in ((WW,), None), ((WW, WR), WR), ((WW, WR, RW), RW):
        for component in graph.components((*kinds, *also)):
            if explained & set(component):
                continue
            cycle = _cycle(graph, component, (*kinds, *also), of_kind, enough)
            if cycle is not None:
                explained |= set(component)
                found.append(_name(cycle, transactions))
    return found


def _cycle(
    graph: Graph, component: list[int], kinds: Collection[str], of_kind: str | None, enough: Callable[[], bool]
) -> list[Edge] | None:
    neighbours = graph.neighbours(component, kinds)
    if of_kind is None:
        return shortest_cycle(neighbours, enough)
    if of_kind == RW:
        single = cycle_with_one(neighbours, RW, [kind for kind in kinds if kind != RW], enough)
        if single is not None:
            return single
        apart = cycle_without_neighbours(graph.only(kinds), component, RW, enough)
        if apart is not None:
            return apart
    return cycle_with_one(neighbours, of_kind, kinds, enough) or shortest_cycle(neighbours, enough)


def _name(cycle: list[Edge], transactions: Sequence[Transaction]) -> Anomaly:
    kinds = [edge.kind for edge in cycle]
    against = kinds.count(RW)
    follow = any(one == two == RW for one, two in zip(kinds, [*kinds[1:], kinds[0]], strict=True))
    several = "G2-item" if follow else "G-nonadjacent"
    name = {0: "G1c" if WR in kinds else "G0", 1: "G-single"}.get(against, several)
    shown = [transactions[edge.start] for edge in cycle]
    if TIME in kinds:
        name += "-realtime"
    elif len(cycle) == 2 and against and cycle[0].key == cycle[1].key and _both_update(shown, cycle[0].key):
        name = "lost-update"
    elif len(cycle) == 2 and against == 2:
        name = "write-skew"
    parts = [
        f"{transactions[edge.start]} before T{edge.end} ("
        + (f"{edge.kind}, {edge.why})" if edge.why else "it had returned when the other was called)")
        for edge in cycle
    ]
    return Anomaly(name, "; ".join(parts), tuple(shown))


def _both_update(transactions: Sequence[Transaction], key: object) -> bool:
    """Whether each of them wrote to a key that it had read before."""
    for one in transactions:
        functions = [step.function for step in one.steps if step.key == key]
        if READ not in functions or all(function == READ for function in functions[functions.index(READ) :]):
            return False
    return True
