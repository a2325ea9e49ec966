"""Verdicts about what became of elements, messages and money, and about what sessions saw."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.checks.consistency.delivery import Element, QueueAccount, account_of_queue, account_of_set
from harness.checks.consistency.numbers import exact, shown
from harness.checks.consistency.operations import Ints, Operations
from harness.checks.consistency.reasons import about, describe
from harness.checks.consistency.register import repeated_values
from harness.checks.consistency.sessions import GUARANTEES, conflicts_of_sessions
from harness.checks.consistency.verdicts import At, Case, each_key, finding, unfit
from harness.checks.story import duration
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.errors import UsageError
from harness.operations import OK, Operation

MAX_EACH = 10
"""Of each kind of fault so many are shown."""
DELIVERIES = ("exactly-once", "at-least-once")


def complete_set(case: Case, *, stale_allowed: bool) -> Verdict:
    """What became of every element of every set."""
    strange = unfit(case, "set", ("add", "read"))
    if strange is not None:
        return strange
    evidence: list[Finding] = []
    parts: list[str] = []
    bad = blind = False
    for key, one in each_key(case.operations):
        account = account_of_set(one)
        kinds = {"lost": account.lost, "unexpected": account.unexpected, "duplicated": account.duplicated}
        kinds["stale"] = account.stale
        # Where stale reads are allowed, what the last reads lack may be there in the next one.
        pardoned = {"stale"} | (set() if case.whole else {"lost"}) if stale_allowed else set()
        bad |= any(found for name, found in kinds.items() if name not in pardoned)
        blind |= account.stable == 0 or bool(account.lost)
        for name, found in kinds.items():
            evidence += [_of_element(key, name, element, one, case.at) for element in found[:MAX_EACH]]
        counts = ", ".join(f"{len(found)} {name}" for name, found in kinds.items() if found)
        after = account.stable_after_s
        slowest = (
            f", the last one {duration(float(after.max()))} after it was known" if len(after) and after.max() else ""
        )
        unseen = f", {account.unseen} never looked for" if account.unseen else ""
        told = f"{account.stable} stable{slowest}{unseen}{', ' if counts else ''}{counts}"
        parts.append(about(key, told))
    summary = "; ".join(parts)
    if bad:
        return violated(case.check, summary, evidence)
    return unknown(case.check, f"{summary}: nobody looked", evidence) if blind else holds(case.check, summary, evidence)


def _of_element(key: str, name: str, element: Element, operations: Operations, at: At) -> Finding:
    value = operations.values.decode(element.value)
    adds = np.flatnonzero(operations.is_("add") & (operations.argument == element.value))
    rows = [operations.row(int(row)) for row in (*adds[:1].tolist(), element.row)]
    told = {
        "lost": f"known at {at(element.from_s)}, is gone for good in what was read from {at(element.until_s)} on",
        "stale": f"known at {at(element.from_s)}, was still missing in what was read at {at(element.until_s)}",
        "unexpected": f"was read at {at(element.until_s)}, though "
        + ("its addition had failed" if len(adds) else "nobody added it"),
        "duplicated": f"was there twice in what was read at {at(element.until_s)}",
    }[name]
    return finding(about(key, f"{value} {told}"), rows)


def delivered_queue(case: Case, *, delivery: str, ordered: bool, unseen_allowed: bool = False) -> Verdict:
    """What became of every message of every queue.

    ``unseen_allowed``: a message that only a dequeue of unknown outcome can have taken counts as delivered.
    """
    if delivery not in DELIVERIES:
        raise UsageError(f"delivery {delivery!r}: there are {' and '.join(DELIVERIES)}")
    strange = unfit(case, "queue", ("enqueue", "dequeue", "drain"))
    if strange is not None:
        return strange
    case = replace(case, operations=case.operations.whole())
    evidence: list[Finding] = []
    parts: list[str] = []
    bad = open_ = False
    for key, one in each_key(case.operations):
        account = account_of_queue(one)
        lost = (
            account.missing
            if case.whole and account.drained and len(account.missing) > account.taken_unseen
            else account.missing[:0]
        )
        taken = unseen_allowed and account.drained
        open_ |= (len(account.missing) > 0 and not len(lost) and not taken) or account.enqueued + account.delivered == 0
        faults = {"lost": lost, "never enqueued": account.unexpected}
        if delivery == "exactly-once":
            faults["delivered again"] = account.duplicated
        if ordered:
            faults["overtaken"] = account.overtaken
        bad |= any(len(rows) for rows in faults.values())
        for name, rows in faults.items():
            evidence += [_of_message(key, name, one.row(int(row))) for row in rows[:MAX_EACH]]
        parts.append(about(key, _counts(account, faults)))
    summary = "; ".join(parts)
    if bad:
        return violated(case.check, summary, evidence)
    return unknown(case.check, summary) if open_ else holds(case.check, summary)


def _counts(account: QueueAccount, faults: dict[str, Ints]) -> str:
    told = [f"{account.enqueued} enqueued, {account.delivered} delivered"]
    told += [f"{len(rows)} {name}" for name, rows in faults.items() if len(rows)]
    if len(account.duplicated) and "delivered again" not in faults:
        told.append(f"{len(account.duplicated)} delivered again")
    if account.recovered:
        told.append(f"{account.recovered} of unknown outcome delivered")
    if len(account.missing) and not len(faults["lost"]):
        why = f"{account.taken_unseen} dequeues of unknown outcome" if account.drained else "the queue was not drained"
        told.append(f"{len(account.missing)} missing ({why})")
    return ", ".join(told)


def _of_message(key: str, name: str, one: Operation) -> Finding:
    return finding(about(key, f"{name}: {describe(one)}"), [one])


def balanced_bank(case: Case, *, total: Any, negative_allowed: bool) -> Verdict:
    """Whether every read of all accounts has the same total, and no account is overdrawn.

    Amounts add up as they were written: a tenth and two tenths are three tenths. ``total`` None: the first one read.
    """
    strange = unfit(case, "bank", ("transfer", "read"))
    if strange is not None:
        return strange
    wanted = exact(total)
    if total is not None and wanted is None:
        raise UsageError(f"the total {total!r} is no number")
    reads = np.flatnonzero(case.operations.is_("read") & (case.operations.outcome == OK))
    if not len(reads):
        return unknown(case.check, "nobody read the accounts")
    evidence: list[Finding] = []
    wrong = 0
    for row in reads.tolist():
        held = case.operations.result_of(row)
        amounts = {name: amount if type(amount) is int else exact(amount) or 0 for name, amount in _accounts(held)}
        below = [name for name, amount in amounts.items() if amount < 0 and not negative_allowed]
        found = sum(amounts.values())
        wanted = found if wanted is None else wanted
        if found == wanted and not below:
            continue
        wrong += 1
        if wrong <= MAX_EACH:
            said = f"{', '.join(map(str, below))} below zero"
            said = f"{shown(found)} in total instead of {shown(wanted)}" if found != wanted else said
            one = case.operations.row(row)
            text = f"{describe(one)} at {case.at(one.completed_s or 0.0)}: {said}"
            evidence.append(finding(text, [one]))
    if wrong:
        return violated(case.check, f"{wrong} of {len(reads)} reads do not balance", evidence)
    return holds(case.check, f"all {len(reads)} reads have {shown(wanted)} in total")


def _accounts(held: Any) -> Iterable[tuple[Any, Any]]:
    return held.items() if isinstance(held, dict) else enumerate(held)


def kept_sessions(case: Case, guarantees: Sequence[str]) -> Verdict:
    """Whether every process was given what these session guarantees promise, key by key."""
    strange = [name for name in guarantees if name not in GUARANTEES]
    if strange or not guarantees:
        raise UsageError(f"session guarantee {', '.join(strange) or 'missing'}: there are {', '.join(GUARANTEES)}")
    strange_one = unfit(case, "register", ("read", "write", "cas", "delete"))
    if strange_one is not None:
        return strange_one
    case = replace(case, operations=case.operations.whole())
    evidence: list[Finding] = []
    again = set(repeated_values(case.operations).tolist())
    open_ = []
    keys = each_key(case.operations)
    for key, one in keys:
        if int(one.key[0]) in again:
            open_.append(key)
            continue
        for conflict in conflicts_of_sessions(one, frozenset(guarantees)):
            rows = [one.row(row) for row in conflict.rows]
            said = "; ".join(f"{describe(row)} at {case.at(row.invoked_s)}" for row in rows[:MAX_EACH])
            evidence.append(finding(f"{key}: no order of its values fits: {said}", rows))
    promised = ", ".join(guarantees)
    if evidence:
        return violated(case.check, f"{len(evidence)} of {len(keys)} keys break {promised}", evidence)
    if open_:
        return unknown(case.check, f"values were written twice to {', '.join(open_)}: reads do not tell which")
    if not np.any(case.operations.is_("read") & (case.operations.outcome == 0)):
        return unknown(case.check, "nobody read anything")
    return holds(case.check, f"{len(keys)} keys kept {promised}")
