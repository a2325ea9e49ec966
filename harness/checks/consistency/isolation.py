"""Verdicts about transactions: whether they kept an isolation level."""

from collections.abc import Sequence
from typing import Any

from harness.checks.consistency.anomalies import LEVELS, cycles_of
from harness.checks.consistency.append_transactions import dependencies_of_lists
from harness.checks.consistency.register_transactions import dependencies_of_registers
from harness.checks.consistency.search import Limits
from harness.checks.consistency.serial import has_serial_order, search_serial
from harness.checks.consistency.snapshots import LISTS, has_snapshot_order, search_snapshots
from harness.checks.consistency.steps import Misunderstood
from harness.checks.consistency.transactions import (
    Anomaly,
    Dependencies,
    Transaction,
    add_time,
    happened,
    transactions_of,
    writers_of,
)
from harness.checks.consistency.verdicts import Case, finding
from harness.checks.verdict import Verdict, holds, unknown, violated
from harness.clock import now_s
from harness.errors import UsageError
from harness.operations import hashable

_SERIAL = ("repeatable-read", "serializable", "strict-serializable")
"""The levels that a serial order proves. Of single objects, not of predicates, repeatable reads are serializable."""
_SNAPSHOT = "snapshot-isolation"


def isolated(case: Case, *, lists: bool, level: str, limits: Limits, initial: Any = None) -> Verdict:
    """Whether transactions over lists or registers kept an isolation level. ``initial``: what registers begin with."""
    if level not in LEVELS:
        raise UsageError(f"isolation level {level!r}: there are {', '.join(LEVELS)}")
    if not len(case.operations):
        return unknown(case.check, "no operation was invoked")
    try:
        transactions = transactions_of(case.operations.rows(), lists=lists)
    except Misunderstood as error:
        return unknown(case.check, f"not understood: {case.at(error.at_s)}: {error}")
    committed = [one for one in transactions if one.outcome == "ok"]
    if not committed:
        return unknown(case.check, f"none of {len(transactions)} transactions was committed")
    first = hashable(initial)
    writers = writers_of(transactions, None if lists else first)
    if writers.repeated:
        return _searched(case, transactions, level, limits, lists=lists, initial=first)
    found = dependencies_of_lists(transactions) if lists else dependencies_of_registers(transactions, first)
    return _level(case, found, transactions, level, limits, lists=lists, initial=first)


def _searched(
    case: Case, transactions: list[Transaction], level: str, limits: Limits, *, lists: bool, initial: Any
) -> Verdict:
    """Reads do not tell who wrote what they saw: only an order of all transactions can be looked for."""
    key, value = writers_of(transactions, initial).repeated[0]
    told = "nothing, as it was at first," if value is None else f"{value}"
    why = f"{told} was written twice to {key}: reads do not tell which"
    possible = [one for one in transactions if one.outcome != "failed"]
    found = None
    if not lists and level in _SERIAL:
        strict = level == _SERIAL[-1]
        found = search_serial(possible, limits, now_s, realtime=strict, initial=initial)
    elif not lists and level == _SNAPSHOT:
        found = search_snapshots(possible, limits, now_s, initial)
    if found is None:
        return unknown(case.check, why)
    if found:
        return holds(case.check, f"{level}: an order of {len(possible)} transactions explains what they read")
    return violated(case.check, f"not {level}: no order of the {len(possible)} transactions explains their reads")


def _level(
    case: Case,
    found: Dependencies,
    transactions: list[Transaction],
    level: str,
    limits: Limits,
    *,
    lists: bool,
    initial: Any,
) -> Verdict:
    strict = level == _SERIAL[-1]
    certain = happened(transactions, writers_of(transactions), lists=lists)
    if strict:
        add_time(found.graph, certain)
    until_s = now_s() + limits.explain_s
    cycles = cycles_of(found.graph, transactions, realtime=strict, enough=lambda: now_s() > until_s)
    cut = f" (shorter cycles were looked for during {limits.explain_s:g} s)" if now_s() > until_s else ""
    anomalies = [*found.anomalies, *cycles]
    names = _tally(anomalies)
    ruled_out = [one for one in anomalies if one.name in LEVELS[level]]
    if ruled_out:
        evidence = [
            finding(
                f"{one.name}: {one.text}{_hint(one, initial, lists=lists)}", [t.operation for t in one.transactions]
            )
            for one in ruled_out
        ]
        return violated(case.check, f"not {level}: {_tally(ruled_out)} in {len(certain)} transactions{cut}", evidence)
    proven: bool | None = True
    if level in _SERIAL and not lists:
        proven = has_serial_order(certain, transactions, found.graph, limits, now_s, realtime=strict, initial=initial)
    elif level == _SNAPSHOT:
        proven = has_snapshot_order(certain, found.graph, limits, now_s, LISTS if lists else initial)
    if proven is None:
        return unknown(case.check, f"no anomaly in {len(certain)} transactions, but no order was found either")
    if not proven:
        return violated(case.check, f"not {level}: no order of the {len(certain)} transactions explains their reads")
    also = f"; seen as well: {names}" if names else ""
    return holds(case.check, f"{level}: {len(certain)} transactions without an anomaly that it rules out{also}")


def _hint(anomaly: Anomaly, initial: Any, *, lists: bool) -> str:
    """What nobody wrote may have been there from the start."""
    return "" if lists or anomaly.name != "phantom" or initial is not None else " (was it there at first? --initial)"


def _tally(anomalies: Sequence[Anomaly]) -> str:
    names = dict.fromkeys(one.name for one in anomalies)
    return ", ".join(f"{sum(one.name == name for one in anomalies)} {name}" for name in names)
