"""Orders that are likely decide long histories of registers, and they are never taken on trust."""

from random import Random
from typing import Any

import pytest
from hypothesis import given

from harness.checks.consistency.guessing import likely_serial_order, likely_snapshot_order
from harness.checks.consistency.isolation import isolated
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from harness.checks.consistency.serial import MOST_SEARCHED, is_serial_order
from harness.checks.consistency.snapshots import is_snapshot_order
from harness.checks.consistency.transactions import happened, transactions_of, writers_of
from harness.checks.consistency.verdicts import Case
from harness.checks.verdict import Outcome
from harness.operations import Operation
from tests.checks.consistency import oracle
from tests.checks.consistency.test_oracle import SEEDS, SOME
from tests.checks.consistency.transacted import transactions


def served(count: int, seed: int) -> list[Operation]:
    """What clients see of a store that takes one transaction after the other, at an instant within each."""
    random, store, found = Random(seed), dict[str, int](), []
    for number in range(count):
        told: list[tuple[str, str, Any]] = []
        for place in range(random.randint(1, 4)):
            key = str(random.randrange(50))
            if random.random() < 0.5:
                told.append(("r", key, store.get(key)))
            else:
                store[key] = 10 * number + place + 1
                told.append(("w", key, store[key]))
        asked = [(name, key, None if name == "r" else value) for name, key, value in told]
        from_s, until_s = number - 1.5 * random.random(), number + 1.5 * random.random()
        found.append(
            Operation(
                process=number, function="txn", key="", argument=asked, result=told, outcome="ok",
                invoked_s=from_s, completed_s=until_s, number=number,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: one.invoked_s)


@pytest.mark.parametrize("level", ["serializable", "strict-serializable", "snapshot-isolation", "repeatable-read"])
def test_many_transactions_are_decided_without_a_search(level: str) -> None:
    case = Case("c", operations_from(served(2 * MOST_SEARCHED, seed=1)), str)
    verdict = isolated(case, lists=False, level=level, limits=Limits(within_s=0.0))
    assert verdict.outcome is Outcome.HOLDS, str(verdict)


@SOME
@given(seed=SEEDS)
def test_what_is_guessed_and_verified_is_right_by_brute_force(seed: int) -> None:
    rows = transactions(seed, lists=False, torn=seed % 2 > 0)
    found = transactions_of(operations_from(rows).rows(), lists=False)
    certain = happened(found, writers_of(found), lists=False)
    for realtime in (False, True):
        order = likely_serial_order(certain, None, realtime=realtime)
        if len(order) == len(certain) and is_serial_order(found, order):
            assert oracle.serializable(rows, strict=realtime)
    halves = likely_snapshot_order(certain, None)
    if len(halves) == 2 * len(certain) and is_snapshot_order(certain, halves, None):
        assert oracle.snapshot_isolated(rows, lists=False)


def test_one_of_unknown_outcome_hides_nothing_that_had_ended_before() -> None:
    def one(number: int, steps: list[list[Any]], outcome: str, from_s: float, until_s: float) -> Operation:
        asked = [[name, key, None if name == "r" else value] for name, key, value in steps]
        return Operation(
            process=number, function="txn", key="", argument=asked, result=steps if outcome == "ok" else None,
            outcome=outcome, invoked_s=from_s, completed_s=until_s if outcome == "ok" else None, number=number,
        )  # fmt: skip

    rows = [
        one(0, [["w", "z", 9]], "unknown", 0.0, 0.0),
        one(1, [["w", "x", 1]], "ok", 1.0, 2.0),
        one(2, [["r", "x", None], ["r", "z", 9]], "ok", 3.0, 4.0),
    ]
    case = Case("c", operations_from(rows), str)
    assert isolated(case, lists=False, level="serializable", limits=Limits()).outcome is Outcome.HOLDS
    assert isolated(case, lists=False, level="strict-serializable", limits=Limits()).outcome is Outcome.VIOLATED
