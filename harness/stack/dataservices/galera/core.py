"""Who may begin a Galera cluster that runs nowhere: the most advanced node, proven, or nobody and the reason. Pure.

A node that begins makes its own data the cluster's; every other node drops what it has beyond that. So it has to be
known of *every* node what it has. That a majority is there proves nothing: nodes that leave in good order make the
primary component smaller, and the last one may have committed alone.

Sources: MariaDB, *Galera Cluster recovery*, and ``grastate.dat`` (uuid, seqno, safe_to_bootstrap).
"""

from collections.abc import Mapping
from dataclasses import dataclass

NO_UUID = "00000000-0000-0000-0000-000000000000"
UNKNOWN_SEQNO = -1


@dataclass(frozen=True, slots=True)
class State:
    """What one node was found to have."""

    uuid: str
    """Of the history that its data belongs to; NO_UUID when it never was in a cluster."""
    seqno: int
    """Of its last commit, as ``mariadbd --wsrep-recover`` says; UNKNOWN_SEQNO when that could not tell."""
    safe_to_bootstrap: bool = False
    """It noted when it stopped that nobody was left in the cluster."""
    in_primary: bool = False
    """It runs, in a primary component."""
    has_data: bool = True
    """There is a data directory with something in it."""


@dataclass(frozen=True, slots=True)
class Join:
    """The cluster runs: everybody else joins it."""

    who_runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """This node begins, the others join it."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """Beginning could lose something; a person has to look."""

    why: str


def decide(nodes: Mapping[str, State | None]) -> Join | Begin | Nobody:
    """What is to be done, given every node of the inventory; None of a node that could not be asked."""
    states = {node: state for node, state in nodes.items() if state is not None}
    silent = sorted(set(nodes) - set(states))
    if running := tuple(sorted(node for node, state in states.items() if state.in_primary)):
        histories = {states[node].uuid for node in running}
        if len(histories) > 1:
            return Nobody(f"{', '.join(running)} run, in {len(histories)} clusters of different histories")
        return Join(running)
    if silent:
        return Nobody(f"{', '.join(silent)} cannot be asked, and may have the latest commits")
    if not states:
        return Nobody("there are no nodes")
    return _begin(states)


def _begin(states: Mapping[str, State]) -> Begin | Nobody:
    """Everybody is known, and nobody runs."""
    with_history = {node: state for node, state in states.items() if state.uuid != NO_UUID}
    if not with_history:
        if strangers := sorted(node for node, state in states.items() if state.has_data):
            return Nobody(f"{', '.join(strangers)}: data that never was in a cluster would be dropped or spread")
        return Begin(min(states), "no node has data: a new cluster")
    if lost := sorted(node for node, state in states.items() if state.uuid == NO_UUID and state.has_data):
        return Nobody(f"{', '.join(lost)}: data, and no sign of which history it belongs to")
    if len(histories := {state.uuid for state in with_history.values()}) > 1:
        return Nobody(f"{len(histories)} different histories: {', '.join(sorted(with_history))}")
    if untold := sorted(node for node, state in with_history.items() if state.seqno == UNKNOWN_SEQNO):
        return Nobody(f"{', '.join(untold)}: how far it came is not known (--wsrep-recover did not say)")
    furthest = max(state.seqno for state in with_history.values())
    first = sorted(node for node, state in with_history.items() if state.seqno == furthest)
    marked = [node for node in first if with_history[node].safe_to_bootstrap]
    return Begin((marked or first)[0], f"commit {furthest} is the last of all {len(states)} nodes")
