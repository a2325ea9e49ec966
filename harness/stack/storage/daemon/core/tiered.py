"""What requests tell of tiering: which volumes have had their turn, and what is spent of the day's budget. Pure."""

from collections.abc import Iterable

from ...autonomy.core import Act
from ...tiering.core import DAY_S, Change, Past, Spent
from .requests import Request, State

UNDER_WAY = (State.WAITING, State.READY, State.RUNNING)
AGAIN_S = 3600.0
"""What failed or was blocked is not asked for at every look."""


def arguments_of(change: Change) -> dict[str, str]:
    """Of the request for it."""
    return {
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "least_copies": str(change.least_copies),
        "cost_bytes": str(change.cost_bytes),
        "seen": change.why,
    }


def told(requests: Iterable[Request], now_s: float) -> tuple[dict[str, Past], Spent]:
    """Path -> what came of it; and what was done, or asked for, within a day."""
    past: dict[str, Past] = {}
    changes = size_bytes = 0
    for one in requests:
        if one.act != Act.TIER.value:
            continue
        path, ago_s = one.arguments["path"], max(0.0, now_s - max(one.asked_at_s, one.decided_at_s))
        before = past.get(path, Past())
        lately = one.state in (State.FAILED, State.BLOCKED, State.EXPIRED) and ago_s < AGAIN_S
        asked = before.asked or one.state in UNDER_WAY or lately
        changed_ago_s = before.changed_ago_s
        if one.state in (State.DONE, State.REFUSED):
            changed_ago_s = min(ago_s, ago_s if changed_ago_s is None else changed_ago_s)
        past[path] = Past(changed_ago_s, asked)
        if one.state in (*UNDER_WAY, State.DONE) and ago_s < DAY_S:
            changes, size_bytes = changes + 1, size_bytes + int(one.arguments["cost_bytes"])
    return past, Spent(changes, size_bytes)
