"""Judging a foreign history: which checks its model is judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.checks.consistency.accounts import balanced_bank, complete_set, delivered_queue, isolated
from harness.checks.consistency.operations import Operation, operations_from
from harness.checks.consistency.search import Limits
from harness.checks.consistency.verdicts import Case, linearizable
from harness.checks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a foreign history. ``total`` None: what the first read of the bank shows."""

    rows: Sequence[Operation]
    at: Callable[[float], str]
    limits: Limits
    level: str = "serializable"
    total: float | None = None

    def case(self, check: str) -> Case:
        """The case for one check."""
        return Case(check, operations_from(self.rows), self.at)


def _set(question: Question) -> tuple[Verdict, ...]:
    return (
        linearizable(question.case("linearizable_set"), "set", question.limits),
        complete_set(question.case("set_complete"), stale_allowed=True),
    )


def _queue(question: Question) -> tuple[Verdict, ...]:
    return (
        linearizable(question.case("linearizable_queue"), "queue", question.limits),
        delivered_queue(question.case("queue_delivers"), delivery="exactly-once", ordered=True),
    )


def _bank(question: Question) -> tuple[Verdict, ...]:
    total = question.total
    if total is None:
        held = [one.result for one in question.rows if one.function == "read" and isinstance(one.result, dict)]
        total = sum(held[0].values()) if held else 0
    return (balanced_bank(question.case("bank_balances"), total=total, negative_allowed=False),)


def _append(question: Question) -> tuple[Verdict, ...]:
    if any(one.function == "txn" for one in question.rows):
        return _transactions(question, "list_transactions", lists=True)
    return (linearizable(question.case("linearizable_list"), "list", question.limits),)


def _transactions(question: Question, check: str, *, lists: bool) -> tuple[Verdict, ...]:
    case = Case(check, operations_from(()), question.at)
    return (isolated(case, question.rows, lists=lists, level=question.level, limits=question.limits),)


MODELS: dict[str, Callable[[Question], tuple[Verdict, ...]]] = {
    "register": lambda asked: (linearizable(asked.case("linearizable_register"), "register", asked.limits),),
    "kv": lambda asked: (linearizable(asked.case("linearizable_kv"), "kv", asked.limits),),
    "set": _set,
    "queue": _queue,
    "bank": _bank,
    "append": _append,
    "counter": lambda asked: (linearizable(asked.case("linearizable_counter"), "counter", asked.limits),),
    "rw": lambda asked: _transactions(asked, "register_transactions", lists=False),
}
"""The verdicts of each model that ``harness judge --model`` knows."""
