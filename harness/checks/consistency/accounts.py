"""Verdicts about what became of elements, messages and money, and about what sessions and transactions saw."""

from collections.abc import Sequence

import numpy as np

from harness.checks.consistency.anomalies import LEVELS, cycles_of
from harness.checks.consistency.append_transactions import dependencies_of_lists
from harness.checks.consistency.delivery import Element, QueueAccount, account_of_queue, account_of_set
from harness.checks.consistency.operations import Ints, Operations
from harness.checks.consistency.reasons import describe
from harness.checks.consistency.register import repeated_values
from harness.checks.consistency.register_transactions import dependencies_of_registers
from harness.checks.consistency.search import Limits
from harness.checks.consistency.serial import has_serial_order
from harness.checks.consistency.sessions import GUARANTEES, conflicts_of_sessions
from harness.checks.consistency.transactions import (
    Anomaly,
    Dependencies,
    Transaction,
    add_time,
    happened,
    transactions_of,
    writers_of,
)
from harness.checks.consistency.verdicts import At, Case, each_key, finding, strangers
from harness.checks.story import duration
from harness.checks.verdict import Finding, Outcome, Verdict, holds, unknown, violated
from harness.clock import now_s
from harness.errors import UsageError
from harness.operations import Operation

MAX_EACH = 10
"""Of each kind of fault so many are shown."""
DELIVERIES = ("exactly-once", "at-least-once")


def complete_set(case: Case, *, stale_allowed: bool) -> Verdict:
    """What became of every element of every set."""
    strange = strangers(case, ("add", "read"))
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
        parts.append(f"{key}: {account.stable} stable{slowest}{unseen}{', ' if counts else ''}{counts}")
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
    return finding(f"{key}: {value} {told}", rows)


def delivered_queue(case: Case, *, delivery: str, ordered: bool) -> Verdict:
    """What became of every message of every queue."""
    if delivery not in DELIVERIES:
        raise UsageError(f"delivery {delivery!r}: there are {' and '.join(DELIVERIES)}")
    strange = strangers(case, ("enqueue", "dequeue"))
    if strange is not None:
        return strange
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
        open_ |= (len(account.missing) > 0 and not len(lost)) or account.enqueued + account.delivered == 0
        faults = {"lost": lost, "never enqueued": account.unexpected}
        if delivery == "exactly-once":
            faults["delivered again"] = account.duplicated
        if ordered:
            faults["overtaken"] = account.overtaken
        bad |= any(len(rows) for rows in faults.values())
        for name, rows in faults.items():
            evidence += [_of_message(key, name, one.row(int(row))) for row in rows[:MAX_EACH]]
        parts.append(f"{key}: {_counts(account, faults)}")
    summary = "; ".join(parts)
    if bad:
        return violated(case.check, summary, evidence)
    return unknown(case.check, summary) if open_ else holds(case.check, summary)


def _counts(account: QueueAccount, faults: dict[str, Ints]) -> str:
    told = [f"{account.enqueued} enqueued, {account.delivered} delivered"]
    told += [f"{len(rows)} {name}" for name, rows in faults.items() if len(rows)]
    if account.recovered:
        told.append(f"{account.recovered} of unknown outcome delivered")
    if len(account.missing) and not len(faults["lost"]):
        why = f"{account.taken_unseen} dequeues of unknown outcome" if account.drained else "the queue was not drained"
        told.append(f"{len(account.missing)} missing ({why})")
    return ", ".join(told)


def _of_message(key: str, name: str, one: Operation) -> Finding:
    return finding(f"{key}: {name}: {describe(one)}", [one])


def balanced_bank(case: Case, *, total: float, negative_allowed: bool) -> Verdict:
    """Whether every read of all accounts has the same total, and no account is overdrawn."""
    reads = np.flatnonzero(case.operations.is_("read") & (case.operations.outcome == 0))
    if not len(reads):
        return unknown(case.check, "nobody read the accounts")
    evidence: list[Finding] = []
    wrong = 0
    for row in reads.tolist():
        one = case.operations.row(row)
        held = one.result if isinstance(one.result, dict) else dict(enumerate(one.result or ()))
        below = [name for name, amount in held.items() if amount < 0 and not negative_allowed]
        found = sum(held.values())
        if found == total and not below:
            continue
        wrong += 1
        said = f"{found} in total instead of {total}" if found != total else f"{', '.join(map(str, below))} below zero"
        text = f"process {one.process} read {said} at {case.at(one.completed_s or 0.0)}: {held}"
        evidence += [finding(text, [one])] if wrong <= MAX_EACH else []
    if wrong:
        return violated(case.check, f"{wrong} of {len(reads)} reads do not balance", evidence)
    return holds(case.check, f"all {len(reads)} reads have {total} in total")


def kept_sessions(case: Case, guarantees: Sequence[str]) -> Verdict:
    """Whether every process was given what these session guarantees promise, key by key."""
    strange = [name for name in guarantees if name not in GUARANTEES]
    if strange or not guarantees:
        raise UsageError(f"session guarantee {', '.join(strange) or 'missing'}: there are {', '.join(GUARANTEES)}")
    unfit = strangers(case, ("read", "write", "cas", "delete"))
    if unfit is not None:
        return unfit
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


def isolated(case: Case, *, lists: bool, level: str, limits: Limits) -> Verdict:
    """Whether transactions over lists or registers kept an isolation level."""
    if level not in LEVELS:
        raise UsageError(f"isolation level {level!r}: there are {', '.join(LEVELS)}")
    try:
        transactions = transactions_of(case.operations.take(case.operations.is_("txn")).rows())
    except (ValueError, TypeError) as error:
        return unknown(case.check, f"a transaction is not a list of steps [function, key, value] ({error})")
    committed = [one for one in transactions if one.outcome == "ok"]
    if not committed:
        return unknown(case.check, f"none of {len(transactions)} transactions was committed")
    writers = writers_of(transactions)
    if writers.repeated:
        key, value = writers.repeated[0]
        return unknown(case.check, f"{value} was written twice to {key}: reads do not tell which")
    found = (dependencies_of_lists if lists else dependencies_of_registers)(transactions)
    return _level(case, found, transactions, level, limits, lists=lists)


def _level(
    case: Case, found: Dependencies, transactions: list[Transaction], level: str, limits: Limits, *, lists: bool
) -> Verdict:
    strict = level == "strict-serializable"
    certain = happened(transactions, writers_of(transactions))
    if strict:
        add_time(found.graph, certain)
    anomalies = [*found.anomalies, *cycles_of(found.graph, transactions, realtime=strict)]
    names = _tally(anomalies)
    ruled_out = [one for one in anomalies if one.name in LEVELS[level]]
    also = f"; seen as well: {names}" if names and not ruled_out else ""
    if ruled_out:
        evidence = [
            finding(f"{one.name}: {one.text}", [shown.operation for shown in one.transactions]) for one in ruled_out
        ]
        return violated(case.check, f"not {level}: {_tally(ruled_out)} in {len(certain)} transactions", evidence)
    outcome = Outcome.HOLDS
    if level.endswith("serializable") and not lists:
        serial = has_serial_order(certain, transactions, found.graph, limits, now_s, realtime=strict)
        if serial is False:
            return violated(
                case.check, f"not {level}: no order of the {len(certain)} transactions explains their reads"
            )
        outcome = Outcome.UNKNOWN if serial is None else outcome
    if outcome is Outcome.UNKNOWN:
        return unknown(case.check, f"no anomaly in {len(certain)} transactions, but no serial order was found either")
    return holds(case.check, f"{level}: {len(certain)} transactions without an anomaly that it rules out{also}")


def _tally(anomalies: Sequence[Anomaly]) -> str:
    names = dict.fromkeys(one.name for one in anomalies)
    return ", ".join(f"{sum(one.name == name for one in anomalies)} {name}" for name in names)
