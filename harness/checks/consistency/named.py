"""The checks of consistency by the names under which scenarios expect them. All arguments are JSON.

``key`` names one object, or those below it: "registers" has "registers/0" and so on. Without it there is
nothing else in the history.
"""

from collections.abc import Sequence
from typing import Literal

from harness.checks.consistency.accounts import (
    balanced_bank,
    complete_set,
    delivered_queue,
    kept_sessions,
)
from harness.checks.consistency.isolation import isolated
from harness.checks.consistency.locks import conflicts_of_lock
from harness.checks.consistency.models import REGISTER
from harness.checks.consistency.operations import operations_of
from harness.checks.consistency.reasons import reason
from harness.checks.consistency.register import repeated_values
from harness.checks.consistency.search import Limits
from harness.checks.consistency.sequential import search_sequential
from harness.checks.consistency.sessions import GUARANTEES
from harness.checks.consistency.verdicts import (
    Case,
    counted,
    each_key,
    finding,
    linearizable,
    strangers,
)
from harness.checks.declared import Seconds, check, check_of_durability
from harness.checks.story import clock_of, is_whole
from harness.checks.verdict import Verdict, holds, unknown, violated
from harness.clock import now_s
from harness.history import History

WITHIN_S = 60.0

Delivery = Literal["exactly-once", "at-least-once"]


def _case(check: str, history: History, key: str | None) -> Case:
    return Case(check, operations_of(history, key), clock_of(history).at, whole=is_whole(history))


@check
def linearizable_register(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Reads, writes, compare-and-sets and deletes of each key took effect one at a time, each during its operation.

    O(n log n) where the values written to a key are distinct; else a search for at most ``within_s``.
    """
    return linearizable(_case("linearizable_register", history, key), "register", Limits(within_s=within_s))


@check
def linearizable_kv(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Gets, puts and appends to the text of each key took effect one at a time."""
    return linearizable(_case("linearizable_kv", history, key), "kv", Limits(within_s=within_s))


@check
def linearizable_set(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Additions to and whole reads of the set of each key took effect one at a time."""
    return linearizable(_case("linearizable_set", history, key), "set", Limits(within_s=within_s))


@check
def linearizable_list(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Appends to and whole reads of the list of each key took effect one at a time."""
    return linearizable(_case("linearizable_list", history, key), "list", Limits(within_s=within_s))


@check
def linearizable_queue(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Enqueues and dequeues of each key took effect one at a time, first in, first out."""
    return linearizable(_case("linearizable_queue", history, key), "queue", Limits(within_s=within_s))


@check
def linearizable_counter(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Increments and reads of the counter of each key took effect one at a time."""
    return linearizable(_case("linearizable_counter", history, key), "counter", Limits(within_s=within_s))


@check
def sequential_register(history: History, key: str | None = None, within_s: Seconds = WITHIN_S) -> Verdict:
    """Some order of all operations explains every answer and keeps the order of each process, all keys together."""
    case = _case("sequential_register", history, key)
    strange = strangers(case, REGISTER.functions)
    if strange is not None:
        return strange
    rows = case.operations.rows()
    if not any(one.outcome == "ok" and one.function in ("read", "cas") for one in rows):
        return unknown(case.check, f"{counted(case.operations)}, and none of them says what was there")
    distinct = not len(repeated_values(case.operations))
    found = search_sequential(REGISTER, rows, Limits(within_s=within_s), now_s, distinct=distinct)
    if found.linearizable is None:
        return unknown(case.check, f"{counted(case.operations)} could not be decided: {found.limit}")
    if found.linearizable:
        return holds(case.check, f"sequentially consistent: {counted(case.operations)}")
    told = f"no order of {counted(case.operations)} keeps that of each process and explains every answer"
    return violated(case.check, told, [finding(told, rows)])


@check
def session_guarantees(history: History, key: str | None = None, guarantees: Sequence[str] = GUARANTEES) -> Verdict:
    """Each process saw its own writes, and never went back; see :mod:`harness.checks.consistency.sessions`."""
    return kept_sessions(_case("session_guarantees", history, key), guarantees)


@check
def exclusive_lock(history: History, key: str | None = None, lease_s: Seconds | None = None) -> Verdict:
    """No two processes held a lock (or a lease of ``lease_s`` seconds) at the same instant for certain."""
    case = _case("exclusive_lock", history, key)
    strange = strangers(case, ("acquire", "release"))
    if strange is not None:
        return strange
    granted = int((case.operations.is_("acquire") & (case.operations.outcome == 0)).sum())
    if not granted:
        return unknown(case.check, "no lock was ever granted")
    evidence = []
    for _, one in each_key(case.operations):
        for conflict in conflicts_of_lock(one, lease_s):
            rows = [one.row(row) for row in sorted(set(conflict.rows))]
            evidence.append(finding(reason("lock", one, conflict, case.at), rows))
    if evidence:
        return violated(case.check, f"{len(evidence)} locks were held twice at an instant", evidence)
    return holds(case.check, f"{granted} times a lock was granted, never twice at an instant")


@check_of_durability
def set_complete(history: History, key: str | None = None, stale_allowed: bool = True) -> Verdict:
    """No element that was added is lost, none is there twice, none that nobody added (or, if so asked, ever stale)."""
    return complete_set(_case("set_complete", history, key), stale_allowed=stale_allowed)


@check_of_durability
def queue_delivers(
    history: History, key: str | None = None, delivery: Delivery = "exactly-once", ordered: bool = True
) -> Verdict:
    """Every message is delivered "exactly-once" or "at-least-once", in order if so asked."""
    return delivered_queue(_case("queue_delivers", history, key), delivery=delivery, ordered=ordered)


@check
def bank_balances(history: History, total: float, key: str | None = None, negative_allowed: bool = False) -> Verdict:
    """Every read of all accounts has this total, and none below zero."""
    return balanced_bank(_case("bank_balances", history, key), total=total, negative_allowed=negative_allowed)


@check
def list_transactions(
    history: History, level: str = "serializable", key: str | None = None, within_s: Seconds = WITHIN_S
) -> Verdict:
    """Transactions of reads and appends kept an isolation level, up to "strict-serializable"."""
    case = _case("list_transactions", history, key)
    return isolated(case, lists=True, level=level, limits=Limits(within_s=within_s))


@check
def register_transactions(
    history: History, level: str = "serializable", key: str | None = None, within_s: Seconds = WITHIN_S
) -> Verdict:
    """Transactions of reads and writes kept an isolation level, up to "strict-serializable"."""
    case = _case("register_transactions", history, key)
    return isolated(case, lists=False, level=level, limits=Limits(within_s=within_s))
