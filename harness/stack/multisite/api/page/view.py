"""What the page shows, from what the daemon knows now and what the database has kept. Pure."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..live import BackendState, EdgeState

MOST_DIFF_LINES, MOST_TURNS = 300, 12


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a backend that was kept."""

    up: bool
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has of a backend; ``looks``: the oldest first."""

    detail: str
    latency_ms: float | None
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A backend. ``state`` and ``why`` are keys of the words; ``said`` is what its last look said, if not well."""

    site: str
    address: str
    state: str
    why: str
    said: str
    latency_ms: float | None
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A site with its backends of all services. ``state`` is a key of the words; ``priority`` None: not known now."""

    name: str
    priority: int | None
    answering: int
    backends: int
    state: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A backend stopped to answer, or began again."""

    service: str
    site: str
    address: str
    look: Look


@dataclass(frozen=True, slots=True)
class Change:
    """A configuration that the edge was given: how it differs from the one before, and what became of it."""

    id: int
    digest: str
    created_at: datetime
    state: str
    said: str
    diff: tuple[str, ...]


Key = tuple[str, str]


def services(states: Iterable[BackendState], kept: Mapping[Key, Kept]) -> dict[str, list[Shown]]:
    """Each service with its backends, those that take traffic first."""
    found: dict[str, list[Shown]] = {}
    for one in states:
        of_it = kept.get((one.service, one.address))
        state, why = _state(one)
        found.setdefault(one.service, []).append(
            Shown(
                site=one.site,
                address=one.address,
                state=state,
                why=why,
                said=of_it.detail if of_it is not None and one.verdict == "down" else "",
                latency_ms=of_it.latency_ms if of_it is not None and one.verdict != "down" else None,
                looks=of_it.looks if of_it is not None else (),
            )
        )
    order = ("in-use", "draining", "waiting", "down")
    for backends in found.values():
        backends.sort(key=lambda one: (order.index(one.state), one.site, one.address))
    return dict(sorted(found.items()))


def sites(states: Iterable[BackendState], priorities: Mapping[str, int]) -> list[Site]:
    """Each site that is declared or has a backend, in the order in which they are to take traffic."""
    of_site: dict[str, list[BackendState]] = {name: [] for name in priorities}
    for one in states:
        of_site.setdefault(one.site, []).append(one)
    found = [
        Site(
            name=name,
            priority=priorities.get(name),
            answering=sum(one.verdict != "down" for one in backends),
            backends=len(backends),
            state=_state_of_site(backends),
        )
        for name, backends in of_site.items()
    ]
    return sorted(found, key=lambda one: (one.priority is None, one.priority, one.name))


def _state_of_site(backends: Sequence[BackendState]) -> str:
    if not backends:
        return "empty"
    if any(one.in_use for one in backends):
        return "in-use"
    return "down" if all(one.verdict == "down" for one in backends) else "waiting"


def turns(states: Iterable[BackendState], kept: Mapping[Key, Kept]) -> list[Turn]:
    """When backends stopped to answer or began again, as far as what was kept goes back; the newest first."""
    found: list[Turn] = []
    for one in states:
        of_it = kept.get((one.service, one.address))
        if of_it is not None:
            pairs = pairwise(of_it.looks)
            found += (Turn(one.service, one.site, one.address, look) for old, look in pairs if old.up != look.up)
    return sorted(found, key=lambda turn: turn.look.at, reverse=True)[:MOST_TURNS]


def _state(one: BackendState) -> Key:
    """What it is, and why."""
    if one.in_use:
        if one.draining:
            return "draining", "nobody-else"
        return "in-use", "unseen" if one.verdict == "unknown" else "down-but-kept" if one.verdict == "down" else "well"
    if one.verdict == "down":
        return "down", "does-not-answer"
    return ("draining", "drained") if one.draining else ("waiting", "others-first")


def edge_state(edge: EdgeState) -> str:
    """The key of what the edge is doing."""
    if not edge.reachable:
        return "edge-away"
    if edge.held:
        return "edge-held"
    return "edge-in-order" if edge.in_order else "edge-behind"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What is another, line by line, as diff(1) writes it."""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), n=2, lineterm=""))[2:]
    more = len(lines) - MOST_DIFF_LINES
    return tuple(lines[:MOST_DIFF_LINES] + ([f"... {more} lines"] if more > 0 else []))


def _lines(document: Mapping[str, Any]) -> list[str]:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
