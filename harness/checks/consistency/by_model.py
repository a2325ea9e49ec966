"""Judging a foreign history: which checks its model is judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.accounts import balanced_bank, complete_set, delivered_queue, isolated
from harness.checks.consistency.operations import Operations
from harness.checks.consistency.search import Limits
from harness.checks.consistency.verdicts import Case, linearizable
from harness.checks.verdict import Verdict
from harness.operations import OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a foreign history. ``total`` None: what the first read of the bank shows.

    Not ``whole`` is a run of ours that was cut short.
    """

    operations: Operations
    at: Callable[[float], str]
    limits: Limits
    level: str = "serializable"
    total: float | None = None
    whole: bool = True

    def case(self, check: str) -> Case:
        """The case for one check."""
        return Case(check, self.operations, self.at, self.whole)


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
        reads = np.flatnonzero(question.operations.is_("read") & (question.operations.outcome == OK))
        held = question.operations.result_of(int(reads[0])) if len(reads) else {}
        total = sum(held.values()) if isinstance(held, dict) else sum(held or ())
    return (balanced_bank(question.case("bank_balances"), total=total, negative_allowed=False),)


def _append(question: Question) -> tuple[Verdict, ...]:
    if np.any(question.operations.is_("txn")):
        return _transactions(question, "list_transactions", lists=True)
    return (linearizable(question.case("linearizable_list"), "list", question.limits),)


def _transactions(question: Question, check: str, *, lists: bool) -> tuple[Verdict, ...]:
    return (isolated(question.case(check), lists=lists, level=question.level, limits=question.limits),)


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
