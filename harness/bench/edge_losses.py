"""What visitors lost by one fault, from the history: their requests, and what backends noted of them. Pure."""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.operations import Operations, operations_of
from harness.checks.requests import noted_of, times_begun
from harness.history import History
from harness.operations import OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Of the requests that were due from a fault on: how many there were, and how many were not answered well.

    ``posts_done``: of the POSTs that failed, those that a backend had begun all the same. ``posts_twice``: begun more
    than once, whatever the client was told. ``slowest_s``: the longest time from due to answered well.
    """

    gets: int
    gets_failed: int
    posts: int
    posts_failed: int
    posts_done: int
    posts_twice: int
    slowest_s: float


def losses(history: History, from_s: float, until_s: float) -> Losses:
    """Of requests that were due in this stretch of the run."""
    everything = operations_of(history, None)
    due = (everything.due_s >= from_s) & (everything.due_s < until_s)
    gets, posts = (everything.take(due & everything.is_(method)) for method in ("GET", "POST"))
    begun = {number: times_begun(by) for number, by in noted_of(history).items()}
    failed = posts.argument[posts.outcome != OK].tolist()
    return Losses(
        gets=len(gets),
        gets_failed=_failed(gets),
        posts=len(posts),
        posts_failed=len(failed),
        posts_done=sum(begun.get(number, 0) > 0 for number in failed),
        posts_twice=sum(begun.get(number, 0) > 1 for number in posts.argument.tolist()),
        slowest_s=max(_slowest_s(gets), _slowest_s(posts)),
    )


def _failed(requests: Operations) -> int:
    return int(np.count_nonzero(requests.outcome != OK))


def _slowest_s(requests: Operations) -> float:
    well = requests.take(requests.outcome == OK)
    return float((well.completed_s - well.due_s).max()) if len(well) else 0.0
