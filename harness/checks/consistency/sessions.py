"""Session guarantees (Terry et al., "Session guarantees for weakly consistent replicated data", 1994), key by key.

They ask less than linearizability: only that there is *some* order of the versions of a key such that

- read-your-writes: a process's read never returns a version before one it wrote earlier;
- monotonic-reads: nor before one it read earlier;
- monotonic-writes: its writes are in the order in which it made them;
- writes-follow-reads: a write comes after the versions its process had read.

Written values are distinct, so each read names its version, and what is asked for is that the versions, with an
edge for everything that one process shows, have no cycle. "All earlier writes of a process" is one node of
the graph that grows along the process, so the graph has O(n) edges, and so is the time.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.blocks import PHANTOM
from harness.checks.consistency.conflict import Conflict, Conflicts
from harness.checks.consistency.graph import Edge, Graph, Neighbours, shortest_path
from harness.checks.consistency.operations import Operations
from harness.operations import FAILED, NONE, OK

READ_YOUR_WRITES, MONOTONIC_READS = "read-your-writes", "monotonic-reads"
MONOTONIC_WRITES, WRITES_FOLLOW_READS = "monotonic-writes", "writes-follow-reads"
GUARANTEES = (READ_YOUR_WRITES, MONOTONIC_READS, MONOTONIC_WRITES, WRITES_FOLLOW_READS)
SESSION = "session"
MOST_TRIED = 20
"""So many versions of a component are tried in pairs for a short proof."""


@dataclass(slots=True)
class _Sofar:
    """Of one process: the nodes that stand for all its earlier writes, and all its earlier reads."""

    writes: int = -1
    reads: int = -1


class _Versions:
    """The graph of one key: first the versions, then nodes that only pass on what comes before."""

    def __init__(self, guarantees: frozenset[str]) -> None:
        self.graph = Graph()
        self.guarantees = guarantees
        self.node: dict[int, int] = {}
        self.count = 0

    def of(self, value: int) -> int:
        """The node of a version."""
        if value not in self.node:
            self.node[value] = self.fresh()
        return self.node[value]

    def fresh(self) -> int:
        """A node."""
        self.count += 1
        return self.count - 1

    def gather(self, before: int, version: int, row: int) -> int:
        """A node that comes after a version and after all that came before."""
        node = self.fresh()
        if before >= 0:
            self.graph.add(before, node, SESSION, row)
        self.graph.add(version, node, SESSION, row)
        return node


def conflicts_of_sessions(operations: Operations, guarantees: frozenset[str]) -> Conflicts:
    """What is wrong with a history of one register by these guarantees alone; all written values are distinct."""
    versions = _Versions(guarantees)
    start = versions.of(NONE)
    sofar: dict[int, _Sofar] = {}
    writes = operations.is_("write", "cas")
    made = {NONE, *operations.argument[writes & (operations.outcome != FAILED)].tolist()}
    read = operations.is_("read") & (operations.outcome == OK)
    for row in np.flatnonzero((writes & (operations.outcome != FAILED)) | read).tolist():
        mine = sofar.setdefault(int(operations.process[row]), _Sofar())
        if writes[row]:
            value = int(operations.argument[row])
            versions.graph.add(start, versions.of(value), SESSION, row)
            _write(versions, mine, versions.of(value), row, certain=bool(operations.outcome[row] == OK))
            continue
        value = int(operations.result[row])
        if value not in made:
            return [Conflict(int(operations.key[row]), PHANTOM, (row,), (value,))]
        _read(versions, mine, versions.of(value), row)
    of_versions = set(versions.node.values())
    for component in versions.graph.components((SESSION,)):
        if len(of_versions & set(component)) > 1:
            among = [node for node in component if node in of_versions]
            cycle = _through_two(versions.graph.neighbours(component, (SESSION,)), among)
            rows = tuple(sorted({edge.key for edge in cycle if isinstance(edge.key, int)}))
            return [Conflict(int(operations.key[0]), SESSION, rows)]
    return []


def _write(versions: _Versions, mine: _Sofar, version: int, row: int, *, certain: bool) -> None:
    """A write that is not certain comes after what its process did, but nothing has to come after it."""
    if MONOTONIC_WRITES in versions.guarantees and mine.writes >= 0:
        versions.graph.add(mine.writes, version, SESSION, row)
    if WRITES_FOLLOW_READS in versions.guarantees and mine.reads >= 0:
        versions.graph.add(mine.reads, version, SESSION, row)
    if certain:
        mine.writes = versions.gather(mine.writes, version, row)


def _read(versions: _Versions, mine: _Sofar, version: int, row: int) -> None:
    if READ_YOUR_WRITES in versions.guarantees and mine.writes >= 0:
        versions.graph.add(mine.writes, version, SESSION, row)
    if MONOTONIC_READS in versions.guarantees and mine.reads >= 0:
        versions.graph.add(mine.reads, version, SESSION, row)
    mine.reads = versions.gather(mine.reads, version, row)


def _through_two(neighbours: Neighbours, versions: list[int]) -> list[Edge]:
    """A short cycle through two versions of a component: each comes before the other."""
    best: list[Edge] = []
    for one in versions[:MOST_TRIED]:
        for two in versions[:MOST_TRIED]:
            there, back = shortest_path(neighbours, one, two), shortest_path(neighbours, two, one)
            if one < two and there and back and (not best or len(there) + len(back) < len(best)):
                best = [*there, *back]
    return best
