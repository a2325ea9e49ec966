"""What a fault cost visitors, from a history."""

from typing import Literal

from harness.bench.edge import Row, section
from harness.bench.edge_losses import Losses, losses
from harness.events import Completed, Event, Invoked, Served
from harness.history import History

Told = Literal["ok", "failed", "unknown"]


def request(number: int, method: str, told: Told, takes_s: float = 0.1) -> list[Event]:
    """Due at the second of its number."""
    who = {"process": number, "operation": number}
    at_s = float(number)
    return [
        Invoked(t_s=at_s + 0.01, due_s=at_s, function=method, key="api.test", value=number, **who),  # type: ignore[arg-type]
        Completed(t_s=at_s + takes_s, outcome=told, value=number, **who),  # type: ignore[arg-type]
    ]


def begun(number: int, node: str, method: str = "POST") -> Event:
    return Served(t_s=number + 0.05, node=node, request=number, method=method, answered=False)


HISTORY = History(
    [
        *request(1, "GET", "failed"),
        *request(10, "GET", "ok", 0.4),
        *request(11, "GET", "failed"),
        *request(12, "POST", "ok", 0.5),
        begun(12, "d1"),
        begun(12, "d2"),
        *request(13, "POST", "unknown", 5.0),
        begun(13, "d1"),
        *request(14, "POST", "failed"),
        *request(20, "POST", "unknown"),
        begun(11, "d1", "GET"),
        begun(11, "d2", "GET"),
    ]
)


def test_only_what_was_due_in_between_counts() -> None:
    assert losses(HISTORY, 10, 20) == Losses(
        gets=2, gets_failed=1, posts=3, posts_failed=2, posts_done=1, posts_twice=1, slowest_s=0.5
    )


def test_nothing_was_asked() -> None:
    assert losses(HISTORY, 100, 200) == Losses(
        gets=0, gets_failed=0, posts=0, posts_failed=0, posts_done=0, posts_twice=0, slowest_s=0.0
    )


def test_rows_say_median_and_worst() -> None:
    found = [losses(HISTORY, 10, 20), losses(HISTORY, 100, 200), losses(HISTORY, 1, 2)]
    assert "not shown here (no traefik)." in section([], ["Traefik: not shown here (no traefik)"])
    assert "| ours | 3 | 1 (1) | 0 (2) | 1 | 1 | 0 (500) | killed |" in section([Row("ours", "killed", tuple(found))])
