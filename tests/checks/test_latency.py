"""How soon operations were answered, counted from when they were due."""

from harness.checks.latency import answered_within
from harness.checks.verdict import Outcome
from harness.events import Completed, Event, Invoked
from harness.history import History


def _operation(number: int, due_s: float | None, sent_s: float, took_s: float, **fields: str) -> list[Event]:
    outcome = fields.get("outcome", "ok")
    assert outcome in ("ok", "failed", "unknown")
    key = fields.get("key", "x/1")
    return [
        Invoked(t_s=sent_s, process=1, operation=number, function="read", key=key, value=None, due_s=due_s),
        Completed(t_s=sent_s + took_s, process=1, operation=number, outcome=outcome),  # type: ignore[arg-type]
    ]


def _history(*operations: list[Event]) -> History:
    return History(event for operation in operations for event in operation)


def test_an_operation_that_was_sent_late_was_answered_late() -> None:
    prompt = [_operation(number, number, number, 0.01) for number in range(1, 10)]
    late = _operation(10, 10.0, 12.0, 0.01)
    verdict = answered_within(_history(*prompt, late), 0.5, share=0.95)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].text == "operation 10 of process 1 took 2.01 s from when it was due"
    assert "50% within 10.0 ms, 99% within 2.01 s, 100% within 2.01 s" in verdict.summary
    assert answered_within(_history(*prompt, late), 0.5, share=0.9).outcome is Outcome.HOLDS


def test_the_limit_itself_is_allowed_and_the_smallest_share_is_one_operation() -> None:
    history = _history(_operation(1, 1.0, 1.0, 0.5), _operation(2, 2.0, 2.0, 4.0))
    assert answered_within(history, 0.5, share=0.5).outcome is Outcome.HOLDS
    assert answered_within(history, 0.499, share=0.5).outcome is Outcome.VIOLATED
    assert answered_within(history, 0.5, share=0.0).outcome is Outcome.HOLDS
    assert answered_within(history, 0.5, share=0.51).outcome is Outcome.VIOLATED


def test_only_acknowledged_operations_of_the_key_with_a_due_time_count() -> None:
    history = _history(
        _operation(1, 1.0, 1.0, 9.0, outcome="failed"),
        _operation(2, 1.0, 1.0, 9.0, outcome="unknown"),
        _operation(3, None, 1.0, 9.0),
        _operation(4, 1.0, 1.0, 9.0, key="xy/1"),
    )
    assert answered_within(history, 1.0, key="x").outcome is Outcome.UNKNOWN
    assert answered_within(history, 1.0).outcome is Outcome.VIOLATED
    assert answered_within(History([]), 1.0).outcome is Outcome.UNKNOWN
