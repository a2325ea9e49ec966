"""Isolation levels: which cycles each one rules out, and what only an order can show."""

from typing import Any

import pytest

from harness.checks.consistency import named
from harness.checks.verdict import Outcome
from tests.checks.consistency.telling import transactions

HOLDS, VIOLATED = Outcome.HOLDS, Outcome.VIOLATED
A, R, W = "append", "r", "w"
LEVELS = ("read-committed", "snapshot-isolation", "serializable", "strict-serializable")
Steps = list[list[list[Any]]]

FORK_OF_LISTS: Steps = [[[A, 1, 1]], [[A, 2, 1]], [[R, 1, [1]], [R, 2, []]], [[R, 1, []], [R, 2, [1]]]]
FORK: Steps = [[[W, 1, 1]], [[W, 2, 1]], [[R, 1, 1], [R, 2, None]], [[R, 1, None], [R, 2, 1]]]
SKEW: Steps = [[[R, 1, None], [W, 2, 2]], [[R, 2, None], [W, 1, 1]]]
SKEW_OF_LISTS: Steps = [[[R, 1, []], [A, 2, 2]], [[R, 2, []], [A, 1, 1]]]
BOTH_WRITE: Steps = [[*SKEW[0], [W, 3, 3]], [*SKEW[1], [W, 3, 4]]]
"""A write skew whose transactions also write to one key: so they cannot have been concurrent."""
LOST_BESIDE_SKEW: Steps = [
    [[R, 1, None], [R, 3, None], [W, 2, 2], [W, 3, 5]],
    [[R, 2, None], [R, 3, None], [W, 1, 1], [W, 3, 6]],
]
LONG_FORK_OF_THREE: Steps = [
    [[A, 1, 1]], [[A, 2, 1]], [[A, 3, 1]],
    [[R, 1, [1]], [R, 2, []]], [[R, 2, [1]], [R, 3, []]], [[R, 3, [1]], [R, 1, []]],
]  # fmt: skip

RULED: list[tuple[Steps, bool, str, Outcome]] = [
    (FORK_OF_LISTS, True, "snapshot-isolation", VIOLATED),
    (FORK_OF_LISTS, True, "read-committed", HOLDS),
    (FORK_OF_LISTS, True, "repeatable-read", VIOLATED),
    (FORK_OF_LISTS, True, "serializable", VIOLATED),
    (FORK, False, "snapshot-isolation", VIOLATED),
    (FORK, False, "read-committed", HOLDS),
    (FORK, False, "serializable", VIOLATED),
    (LONG_FORK_OF_THREE, True, "snapshot-isolation", VIOLATED),
    (SKEW, False, "snapshot-isolation", HOLDS),
    (SKEW_OF_LISTS, True, "snapshot-isolation", HOLDS),
    (SKEW_OF_LISTS, True, "repeatable-read", VIOLATED),
    (BOTH_WRITE, False, "snapshot-isolation", VIOLATED),
    (LOST_BESIDE_SKEW, False, "snapshot-isolation", VIOLATED),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "lists", "level", "outcome"), RULED)
def test_what_a_level_rules_out(steps: Steps, lists: bool, level: str, outcome: Outcome) -> None:
    check = named.list_transactions if lists else named.register_transactions
    verdict = check(transactions(*steps), level=level)
    assert verdict.outcome is outcome, str(verdict)


@pytest.mark.parametrize(("steps", "lists"), [(FORK_OF_LISTS, True), (FORK, False), (LONG_FORK_OF_THREE, True)])
def test_a_long_fork_has_its_name(steps: Steps, lists: bool) -> None:
    check = named.list_transactions if lists else named.register_transactions
    (finding,) = check(transactions(*steps), level="snapshot-isolation").evidence
    assert finding.text.startswith("G-nonadjacent: ")


def test_a_level_that_rules_out_less_never_rules_out_more() -> None:
    for steps, lists in ((FORK_OF_LISTS, True), (FORK, False), (SKEW, False), (BOTH_WRITE, False)):
        check = named.list_transactions if lists else named.register_transactions
        outcomes = [check(transactions(*steps), level=level).outcome for level in LEVELS]
        assert outcomes == sorted(outcomes)


def test_what_reads_do_not_tell_apart_is_searched() -> None:
    twice: Steps = [[[W, 1, 1]], [[W, 1, 2]], [[W, 1, 1]], [[R, 1, 1]]]
    assert named.register_transactions(transactions(*twice)).outcome is HOLDS
    assert named.register_transactions(transactions(*twice), level="snapshot-isolation").outcome is HOLDS
    wrong: Steps = [*twice, [[R, 1, 1], [R, 1, 2]]]
    assert named.register_transactions(transactions(*wrong)).outcome is VIOLATED
    assert named.register_transactions(transactions(*wrong), level="snapshot-isolation").outcome is VIOLATED
    weaker = named.register_transactions(transactions(*twice), level="read-committed")
    assert weaker.outcome is Outcome.UNKNOWN
    assert "written twice" in weaker.summary
    nothing: Steps = [[[W, 1, None]], [[R, 1, None]]]
    assert named.register_transactions(transactions(*nothing)).outcome is HOLDS
