"""Accounts of sets, queues, locks and banks agree with their definitions, and never accuse what is linearizable."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from msgspec import structs

from harness.checks.consistency.accounts import balanced_bank, complete_set, delivered_queue
from harness.checks.consistency.delivery import Element, account_of_queue, account_of_set
from harness.checks.consistency.locks import conflicts_of_lock
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.verdicts import Case
from harness.checks.verdict import Outcome
from tests.checks.consistency import oracle
from tests.checks.consistency.accounted import bank, exclusive, queue_fate, set_fate
from tests.checks.consistency.histories import history
from tests.checks.consistency.test_oracle import SEEDS, SOME, seeds


def values(elements: tuple[Element, ...]) -> list[int]:
    return sorted(one.value for one in elements)


def check_set(seed: int) -> None:
    rows = history("set", seed)
    operations = operations_from(rows)
    account, fate = account_of_set(operations), set_fate(rows)
    assert (account.stable, account.unseen) == (len(fate.stable), len(fate.unseen)), seed
    assert values(account.lost) == sorted(fate.lost), seed
    assert values(account.stale) == sorted(fate.stale), seed
    assert values(account.unexpected) == sorted(fate.unexpected), seed
    assert values(account.duplicated) == sorted(fate.duplicated), seed
    late_s = sorted(account.stable_after_s.tolist())[len(fate.stable) - len(fate.stale) :]
    assert late_s == pytest.approx(sorted(fate.stale.values())), seed
    for stale_allowed in (True, False):
        verdict = complete_set(Case("c", operations, str), stale_allowed=stale_allowed)
        bad = fate.lost or fate.unexpected or fate.duplicated or (fate.stale and not stale_allowed)
        assert (verdict.outcome is Outcome.VIOLATED) == bool(bad), f"{seed}: {verdict}"
        assert not (bad and oracle.linearizable("set", rows)), f"{seed}: {verdict}"


def check_queue(seed: int) -> None:
    rows = history("queue", seed)
    operations = operations_from(rows)
    account, fate = account_of_queue(operations), queue_fate(rows)
    for ours, theirs in (
        (account.missing, fate.missing),
        (account.duplicated, fate.again),
        (account.unexpected, fate.unexpected),
        (account.overtaken, fate.overtaken),
    ):
        assert set(operations.number[ours].tolist()) == theirs, seed
    assert (account.delivered, account.taken_unseen) == (fate.delivered, fate.taken_unseen), seed
    assert account.drained == fate.drained, seed
    right = oracle.linearizable("queue", rows)
    for delivery in ("exactly-once", "at-least-once"):
        for ordered in (True, False):
            verdict = delivered_queue(Case("c", operations, str), delivery=delivery, ordered=ordered)
            bad = fate.violates(again_allowed=delivery == "at-least-once", ordered=ordered)
            assert (verdict.outcome is Outcome.VIOLATED) == bad, f"{seed}: {verdict}"
            assert not (bad and right), f"{seed}: {verdict}"


def check_lease(seed: int) -> None:
    rows = history("lock", seed)
    lease_s = Random(seed).choice([None, 0.1, 0.5, 1.0, 2.0, 5.0])
    wrong = conflicts_of_lock(operations_from(rows), lease_s)
    assert (not wrong) == exclusive(rows, lease_s), f"{seed}, lease of {lease_s} s"


def check_bank(seed: int) -> None:
    rows, total = bank(seed)
    reads = [one.result for one in rows if one.function == "read" and one.outcome == "ok"]
    for negative_allowed in (True, False):
        verdict = balanced_bank(Case("c", operations_from(rows), str), total=total, negative_allowed=negative_allowed)
        bad = any(sum(held.values()) != total for held in reads)
        bad = bad or (not negative_allowed and any(min(held.values()) < 0 for held in reads))
        told = Outcome.VIOLATED if bad else Outcome.HOLDS if reads else Outcome.UNKNOWN
        assert verdict.outcome is told, f"{seed}: {verdict}"


def check_bank_of_decimals(seed: int) -> None:
    """The same in tenths: floats, decimals or ratios, which add up exactly."""
    rows, total = bank(seed)
    kinds: list[Callable[[int], object]] = [lambda n: n / 10, lambda n: Decimal(n) / 10, lambda n: Fraction(n, 10)]
    kind = Random(seed).choice(kinds)
    tenths = [
        structs.replace(one, result={name: kind(amount) for name, amount in one.result.items()}) if one.result else one
        for one in rows
    ]
    verdict = balanced_bank(Case("c", operations_from(tenths), str), total=f"{total / 10}", negative_allowed=True)
    reads = [one.result for one in rows if one.function == "read" and one.outcome == "ok"]
    bad = any(sum(held.values()) != total for held in reads)
    assert verdict.outcome is (Outcome.VIOLATED if bad else Outcome.HOLDS if reads else Outcome.UNKNOWN), seed


CHECKS = {
    "set": check_set,
    "queue": check_queue,
    "lease": check_lease,
    "bank": check_bank,
    "decimals": check_bank_of_decimals,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@SOME
@given(seed=SEEDS)
def test_an_account_is_what_its_definition_says(check: Callable[[int], None], seed: int) -> None:
    check(seed)


@pytest.mark.thorough
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_thoroughly_accounted(check: Callable[[int], None]) -> None:
    for seed in seeds():
        check(seed)
