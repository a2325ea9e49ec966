"""Tells small histories in few words: ``told("1 write 5", "2 read 5")`` is two operations one after the other.

Each word is ``PROCESS FUNCTION [VALUE]``; ``+`` in front lets it begin before the one before it returned. ``!`` at
the end means that it failed, ``?`` that its outcome is unknown.
"""

import json
from typing import Any

from harness.events import Completed, Event, Invoked
from harness.history import History
from harness.operations import Operation

SEEING = ("read", "get", "dequeue")


def operations(*words: str, key: str = "x") -> list[Operation]:
    """The operations; each lasts one second, and the next begins half a second after it returned."""
    found: list[Operation] = []
    now_s = 100.0
    for number, word in enumerate(words):
        outcome = {"!": "failed", "?": "unknown"}.get(word[-1], "ok")
        process, function, *rest = word.lstrip("+").rstrip("!?").split(" ", 2)
        value: Any = json.loads(rest[0]) if rest and rest[0] else None
        sees = function in SEEING
        expected, argument = value if function == "cas" else (None, None if sees else value)
        now_s -= 1.0 if word.startswith("+") else 0.0
        found.append(
            Operation(
                process=int(process),
                function=function,
                key=key,
                argument=argument,
                expected=expected,
                result=value if sees and outcome == "ok" else None,
                outcome=outcome,
                invoked_s=now_s,
                completed_s=now_s + 1.0,
                number=number,
                node=f"n{process}",
            )
        )
        now_s += 1.5
    return found


def told(*words: str, key: str = "x") -> History:
    """The history of these operations."""
    return recorded(operations(*words, key=key))


def recorded(those: list[Operation]) -> History:
    """The history of operations, transactions too."""
    events: list[Event] = []
    for one in those:
        value = [one.expected, one.argument] if one.function == "cas" else one.argument
        outcome: Any = one.outcome
        result = one.result if one.outcome == "ok" else None
        events.append(
            Invoked(
                t_s=one.invoked_s,
                process=one.process,
                operation=one.number,
                function=one.function,
                key=one.key,
                value=value,
                node=one.node,
            )
        )
        if one.completed_s is not None:
            events.append(
                Completed(t_s=one.completed_s, process=one.process, operation=one.number, outcome=outcome, value=result)
            )
    return History(events)


def transactions(*steps: list[list[Any]], outcomes: str = "") -> History:
    """Transactions one after the other on one process each; ``outcomes`` has a letter for each: o, f or u."""
    those = []
    for number, one in enumerate(steps):
        asked = [[f, k, None if f == "r" else v] for f, k, v in one]
        outcome = {"o": "ok", "f": "failed", "u": "unknown"}[(outcomes or "o" * len(steps))[number]]
        those.append(
            Operation(
                process=number,
                function="txn",
                key="t",
                argument=asked,
                result=one if outcome == "ok" else None,
                outcome=outcome,
                invoked_s=0.0,
                completed_s=10.0,
                number=number,
            )
        )
    return recorded(those)
