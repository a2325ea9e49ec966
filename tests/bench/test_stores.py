"""What a failover cost clients of a store, from a history."""

from typing import Literal

import pytest

from harness.bench.store_losses import Cost, cost
from harness.bench.stores import Row, Trial, rows_of, section
from harness.errors import HarnessError
from harness.events import Completed, Event, Invoked, ReadBack
from harness.history import History

Told = Literal["ok", "failed", "unknown"]


def operation(
    number: int, function: str, key: str, at_s: float, told: Told = "ok", *, value: int | None = None
) -> list[Event]:
    who = {"process": number, "operation": number}
    value = number if value is None else value
    return [
        Invoked(t_s=at_s - 0.01, function=function, key=key, value=None if function == "dequeue" else value, **who),  # type: ignore[arg-type]
        Completed(t_s=at_s, outcome=told, value=value, **who),  # type: ignore[arg-type]
    ]


WRITES = [
    *operation(1, "write", "ledger", 1.0),
    *operation(2, "write", "ledger", 2.0),
    *operation(3, "write", "ledger", 6.5),
    *operation(4, "write", "ledger", 7.0, "unknown"),
    *operation(5, "write", "ledger", 7.5),
    *operation(6, "write", "ledger", 90.0),
    ReadBack(t_s=99.0, node="s1", key="ledger", values=(1, 2, 3, 5, 6)),
    ReadBack(t_s=99.0, node="s2", key="ledger", values=(1, 2, 5, 6)),
]


def test_the_pause_begins_before_the_fault_and_what_one_server_has_not_is_lost() -> None:
    assert cost(History(WRITES), "ledger", 3.0, 10.0) == Cost(outage_s=4.5, acknowledged=2, lost=1)
    assert cost(History(WRITES), "ledger", 0.5, 2.5) == Cost(outage_s=1.0, acknowledged=2, lost=0)


def test_a_message_is_lost_that_nobody_was_given() -> None:
    events = [
        *operation(1, "enqueue", "orders", 1.0),
        *operation(2, "enqueue", "orders", 2.0),
        *operation(3, "enqueue", "orders", 3.0, "failed"),
        *operation(4, "dequeue", "orders", 4.0, value=1),
        *operation(5, "dequeue", "orders", 5.0, "unknown", value=2),
    ]
    assert cost(History(events), "orders", 0.0, 9.0) == Cost(outage_s=1.0, acknowledged=2, lost=1)


def test_where_nothing_was_acknowledged_nothing_is_said() -> None:
    with pytest.raises(HarnessError, match="ledger"):
        cost(History(WRITES), "ledger", 10.0, 20.0)


def test_rows_say_median_p95_and_what_was_lost() -> None:
    trials = [
        Trial("ours", "killed", 0.5, 2.5),
        Trial("ours", "killed", 3.0, 10.0),
        Trial("stock", "killed", 3.0, 10.0),
    ]
    ours, stock = rows_of("Redis", "ledger", History(WRITES), trials)
    assert (len(ours.costs), len(stock.costs)) == (2, 1)
    assert "| Redis | 2 | 2.8 | 4.5 | 4.5 | 4 | 1 | ours, killed |" in section([ours, stock])
    many = Row("Redis", "ours", "killed", tuple(Cost(outage_s=float(n), acknowledged=1, lost=0) for n in range(1, 21)))
    assert "| Redis | 20 | 10.5 | 19.0 | 20.0 | 20 | 0 | ours, killed |" in section([many])
    assert "Not shown here (no docker)." in section([], "Not shown here (no docker).")
