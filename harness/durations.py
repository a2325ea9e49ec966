"""How long scenarios took, kept from session to session, so that the longest are begun first."""

import contextlib
import json
import os
from collections.abc import Mapping
from itertools import chain

from harness.errors import HostError
from harness.rundir import cache_directory

_FILE = "durations.json"


def stored_durations() -> dict[str, float]:
    """Seconds by scenario; empty when nothing (readable) is stored."""
    try:
        found = json.loads((cache_directory() / _FILE).read_text())
        return {str(name): float(duration_s) for name, duration_s in found.items()}
    except (HostError, OSError, ValueError, AttributeError, TypeError):
        return {}


def store_durations(durations_s: Mapping[str, float]) -> None:
    """Remember these; of scenarios that are not among them, what was known stays.

    Where nothing can be kept, nothing is: no session fails for that.
    """
    if not durations_s:
        return
    with contextlib.suppress(HostError, OSError):
        file = cache_directory() / _FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")  # other sessions may be writing theirs at this moment
        fresh.write_text(json.dumps(stored_durations() | dict(durations_s), indent=1, sort_keys=True))
        fresh.replace(file)


def longest_first(names: list[str], durations_s: Mapping[str, float]) -> list[int]:
    """The positions of ``names`` in the order to begin them: those never seen first (they may be long), then by
    duration; equals stay as they are.
    """
    return sorted(range(len(names)), key=lambda position: -durations_s.get(names[position], float("inf")))


def dealt(order: list[int], workers: int) -> list[int]:
    """``order`` so that its first, one a worker, are begun at once, though xdist begins by giving each worker two
    neighbours: a worker's second is the shorter, the longer its first. (For fewer than two each it deals one by one.)
    """
    if len(order) < 2 * workers:
        return order
    firsts, seconds = order[:workers], order[workers : 2 * workers]
    return [*chain.from_iterable(zip(firsts, reversed(seconds), strict=True)), *order[2 * workers :]]
