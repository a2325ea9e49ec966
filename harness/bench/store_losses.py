"""What one failover cost the clients of a store, from the history. Pure."""

from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.operations import Flags, Operations, operations_of
from harness.checks.durability import acknowledged_and_lost
from harness.errors import HarnessError
from harness.history import History
from harness.operations import OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of what was acknowledged in a stretch of the run: how much, how much of it is gone, and the longest pause.

    The pause begins with what was acknowledged last before the stretch.
    """

    outage_s: float
    acknowledged: int
    lost: int


def cost(history: History, key: str, from_s: float, until_s: float) -> Cost:
    """Of writes to a ledger, or of messages to a queue, from a fault on until the next one."""
    given, gone = acknowledged_and_lost(history, key) or _messages(history, key)
    ended_s = given.completed_s
    here = (ended_s >= from_s) & (ended_s < until_s)
    if not here.any():
        raise HarnessError(f"nothing was acknowledged of {key} from one fault until the next")
    before_s = ended_s[ended_s < from_s]
    return Cost(
        outage_s=float(np.diff(np.sort(ended_s[here]), prepend=before_s.max() if len(before_s) else from_s).max()),
        acknowledged=int(np.count_nonzero(here)),
        lost=int(np.count_nonzero(here & gone)),
    )


def _messages(history: History, key: str) -> tuple[Operations, Flags]:
    """What was confirmed, and which of it nobody was given: a message goes away when it was answered, not before."""
    operations = operations_of(history, key)
    confirmed = operations.take(operations.is_("enqueue") & (operations.outcome == OK))
    taken = operations.result[operations.is_("dequeue") & (operations.outcome == OK)]
    return confirmed, ~np.isin(confirmed.argument, taken)
