"""Every named check: a history that holds, some that violate with what they show, and one that says nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.checks.consistency import named
from harness.checks.registry import CHECKS, evaluate
from harness.checks.verdict import Outcome, Verdict
from harness.errors import UsageError
from harness.events import Expectation, Invoked
from harness.history import History
from tests.checks.consistency.telling import operations, recorded, told, transactions

HOLDS, UNKNOWN, VIOLATED = Outcome.HOLDS, Outcome.UNKNOWN, Outcome.VIOLATED

CASES: list[tuple[str, dict[str, Any], tuple[str, ...], Outcome, str]] = [
    ("linearizable_register", {}, ("1 write 5", "2 read 5"), HOLDS, "linearizable"),
    ("linearizable_register", {}, ("1 write 5", "2 read"), VIOLATED, "beginning"),
    ("linearizable_register", {}, ("1 write 5", "1 write 6", "2 read 5"), VIOLATED, "one state has to last"),
    ("linearizable_register", {}, ("1 write 5!", "2 read 5"), VIOLATED, "had failed"),
    ("linearizable_register", {}, ("1 read 5",), VIOLATED, "nobody"),
    ("linearizable_register", {}, ("1 write 5?", "2 read 5", "2 read 5"), HOLDS, ""),
    ("linearizable_register", {}, ("1 write 5?", "2 read 5", "2 read"), VIOLATED, ""),
    ("linearizable_register", {}, ("1 write 1", "1 write 2", "1 write 1", "2 read 1"), HOLDS, ""),
    ("linearizable_register", {}, ("1 write 1", "1 write 2", "1 write 1", "2 read 2"), VIOLATED, "no order"),
    ("linearizable_register", {}, ("1 write 1", "2 cas [1,2]", "3 read 2"), HOLDS, ""),
    ("linearizable_register", {}, ("1 write 1", "2 cas [1,2]", "3 cas [1,3]"), VIOLATED, "successors"),
    ("linearizable_register", {}, ("1 write 1", "1 delete", "3 read"), HOLDS, ""),
    ("linearizable_register", {}, ("1 write 1?", "2 cas [1,2]?", "3 read 2"), HOLDS, ""),
    ("linearizable_register", {}, ("2 cas [1,2]?", "3 read 2", "1 write 1?"), VIOLATED, ""),
    ("linearizable_register", {}, ("2 cas [1,2]?", "4 cas [2,3]?", "3 read 3", "1 write 1?"), VIOLATED, ""),
    ("linearizable_register", {}, ("1 write 1", "1 delete", "3 read 1"), VIOLATED, "no order"),
    ("linearizable_register", {}, ("1 write 1",), UNKNOWN, "none of them says"),
    ("linearizable_register", {}, ("1 cas [null,1]",), UNKNOWN, "none of them says"),
    ("linearizable_register", {}, ("1 read?", "2 read!"), UNKNOWN, "none of them says"),
    ("linearizable_register", {}, ("1 enqueue 1",), UNKNOWN, "enqueue"),
    ("linearizable_kv", {}, ('1 put "a"', '2 append "b"', '1 get "ab"'), HOLDS, ""),
    ("linearizable_kv", {}, ('1 append "a"', '2 append "b"', '1 get "ba"'), VIOLATED, "before"),
    ("linearizable_kv", {}, ('1 append "a"', '2 append "a"', '1 get "aa"'), HOLDS, ""),
    ("linearizable_kv", {}, ('1 append "a"', '2 append "aa"', '1 get "aaa"', '1 get "aa"'), VIOLATED, "no order"),
    ("linearizable_kv", {}, ('1 append "a"', '2 put "b"', '1 get "ab"'), VIOLATED, "nobody"),
    ("linearizable_kv", {}, ('1 append ""', '2 put "b"', '1 get "b"'), HOLDS, ""),
    ("linearizable_set", {}, ("1 add 1", "2 add 2", "3 read [2,1]"), HOLDS, ""),
    ("linearizable_set", {}, ("1 add 1", "2 add 2", "3 read [2]"), VIOLATED, "before"),
    ("linearizable_set", {}, ("1 add 1", "2 read [1,1]"), VIOLATED, "twice"),
    (
        "linearizable_set",
        {},
        ("1 add 1", "2 read [1]", "1 add 2", "2 read [2,1]", "1 add 3", "2 read [1,2,3]"),
        HOLDS,
        "",
    ),
    ("linearizable_set", {}, ("1 add 1", "1 add 2", "2 read [1,2]", "2 read [1]", "1 add 3"), VIOLATED, "before"),
    ("linearizable_set", {}, ("1 add 1", "2 read [1,7]"), VIOLATED, "nobody"),
    ("linearizable_set", {}, ("1 add 1", "2 add 1", "3 read [1]"), HOLDS, ""),
    ("linearizable_set", {}, ("1 add 1?", "2 add 2?", "3 read [1]", "3 read [2]"), VIOLATED, "before"),
    ("linearizable_list", {}, ("1 append 1", "2 append 2", "3 read [1,2]"), HOLDS, ""),
    ("linearizable_list", {}, ("1 append 1", "2 append 2", "3 read [2,1]"), VIOLATED, ""),
    ("linearizable_list", {}, ("1 append 1", "1 append 2", "1 append 3", "2 read [1,2,3]"), HOLDS, ""),
    ("linearizable_list", {}, ("1 append 1", "2 read [1]", "1 append 2", "2 read [1,2]", "1 append 3"), HOLDS, ""),
    ("linearizable_list", {}, ("1 append 1", "1 append 2", "2 read [1,2]", "1 append 3", "2 read [1,2,3]"), HOLDS, ""),
    ("linearizable_list", {}, ("1 append 1", "2 read [1,1]"), VIOLATED, "twice"),
    ("linearizable_list", {}, ("1 append 1", "1 append 1", "2 read [1,1]"), HOLDS, ""),
    ("linearizable_list", {}, ("1 append 1!", "1 append 1", "2 read [1,1]"), VIOLATED, "twice"),
    ("linearizable_list", {}, ("1 append 1", "1 append 2", "2 read [1,2,2]"), VIOLATED, "twice"),
    ("linearizable_list", {}, ("1 append 1?", "2 append 2?", "3 read [2,1]", "3 read [1,2]"), VIOLATED, "neither"),
    ("linearizable_queue", {}, ("1 enqueue 1", "1 enqueue 2", "2 dequeue 1", "2 dequeue 2"), HOLDS, ""),
    ("linearizable_queue", {}, ("1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1"), VIOLATED, "came before"),
    ("linearizable_queue", {}, ("1 enqueue 1", "1 enqueue 2", "2 dequeue 2"), VIOLATED, "never dequeued"),
    ("linearizable_queue", {}, ("1 enqueue 1", "1 enqueue 2", "3 dequeue?", "2 dequeue 2"), HOLDS, ""),
    ("linearizable_queue", {}, ("1 enqueue 1", "2 dequeue"), VIOLATED, "in the queue"),
    ("linearizable_queue", {}, ("1 enqueue 1", "2 dequeue 1", "2 dequeue 1"), VIOLATED, "twice"),
    ("linearizable_queue", {}, ("1 enqueue 1", "1 enqueue 1", "2 dequeue 1", "2 dequeue 1"), HOLDS, ""),
    ("linearizable_counter", {}, ("1 increment 1", "2 read 1"), HOLDS, ""),
    ("linearizable_counter", {}, ("1 increment 1", "2 read 0"), VIOLATED, "at least 1 and at most 1"),
    ("linearizable_counter", {}, ("1 increment 1", "2 read 2"), VIOLATED, "at least 1 and at most 1"),
    ("linearizable_counter", {}, ("1 increment 5", "2 increment -2", "2 read 3"), HOLDS, ""),
    ("linearizable_counter", {}, ("1 read 1", "1 increment 1", "2 increment 1", "2 read 2"), VIOLATED, ""),
    ("linearizable_counter", {}, ("2 read 0", "1 increment 1", "1 increment 1", "2 read 1"), VIOLATED, "at least 2"),
    ("linearizable_counter", {}, ("1 read 0", "1 increment 1", "2 read 0"), VIOLATED, ""),
    ("sequential_register", {}, ("1 write 5", "2 read"), HOLDS, ""),
    ("sequential_register", {}, ("1 write 5", "1 read"), VIOLATED, "no order"),
    ("sequential_register", {}, ("1 write 5",), UNKNOWN, ""),
    ("session_guarantees", {}, ("1 write 5", "2 read", "2 read 5", "1 read 5"), HOLDS, ""),
    ("session_guarantees", {}, ("1 write 5", "1 read"), VIOLATED, "no order of its values"),
    ("session_guarantees", {"guarantees": ["monotonic-reads"]}, ("1 write 5", "1 read"), HOLDS, ""),
    ("session_guarantees", {}, ("1 write 5", "2 read 5", "2 read"), VIOLATED, ""),
    ("session_guarantees", {"guarantees": ["read-your-writes"]}, ("1 write 5", "2 read 5", "2 read"), HOLDS, ""),
    ("session_guarantees", {}, ("1 write 5", "1 write 5", "2 read 5"), UNKNOWN, "twice"),
    ("session_guarantees", {}, ("1 write 5",), UNKNOWN, "nobody read"),
    ("session_guarantees", {}, ("3 write 7", "3 read 7", "1 write 5", "1 read"), VIOLATED, ": process 1 write 5"),
    ("session_guarantees", {}, ("1 read 7",), VIOLATED, ""),
    (
        "session_guarantees",
        {"guarantees": ["writes-follow-reads"]},
        ("1 read 5", "1 write 6", "2 read 6", "2 write 5"),
        VIOLATED,
        "",
    ),
    (
        "session_guarantees",
        {"guarantees": ["monotonic-reads", "monotonic-writes", "read-your-writes"]},
        ("1 read 5", "1 write 6", "2 read 6", "2 write 5"),
        HOLDS,
        "",
    ),
    (
        "session_guarantees",
        {"guarantees": ["monotonic-reads", "monotonic-writes"]},
        ("1 write 5", "1 write 6", "2 read 6", "2 read 5"),
        VIOLATED,
        "",
    ),
    (
        "session_guarantees",
        {"guarantees": ["monotonic-reads", "writes-follow-reads", "read-your-writes"]},
        ("1 write 5", "1 write 6", "2 read 6", "2 read 5"),
        HOLDS,
        "",
    ),
    ("exclusive_lock", {}, ("1 acquire", "1 release", "2 acquire"), HOLDS, ""),
    ("exclusive_lock", {}, ("1 acquire", "2 acquire", "1 release"), VIOLATED, "at the same time"),
    ("exclusive_lock", {"lease_s": 1.2}, ("1 acquire", "2 acquire", "1 release"), HOLDS, ""),
    ("exclusive_lock", {"lease_s": 9.0}, ("1 acquire", "2 acquire"), VIOLATED, "kept it"),
    ("exclusive_lock", {"lease_s": 0.5}, ("1 acquire", "2 acquire"), HOLDS, ""),
    ("exclusive_lock", {}, ("1 acquire", "2 release"), VIOLATED, "did not hold"),
    ("exclusive_lock", {"lease_s": 1.0}, ("1 acquire", "+2 acquire"), HOLDS, ""),
    ("exclusive_lock", {"lease_s": 2.0}, ("1 acquire", "+2 acquire"), VIOLATED, "kept it"),
    ("exclusive_lock", {"lease_s": 2.6}, ("1 acquire", "2 acquire"), VIOLATED, ""),
    ("exclusive_lock", {"lease_s": 2.4}, ("1 acquire", "2 acquire"), HOLDS, ""),
    ("exclusive_lock", {}, ("1 acquire!", "2 acquire?"), UNKNOWN, "ever granted"),
    ("exclusive_lock", {}, ("1 acquire", "1 release?", "2 acquire"), HOLDS, ""),
    ("set_complete", {}, ("1 add 1", "2 read [1]"), HOLDS, "1 stable"),
    ("set_complete", {}, ("1 add 1", "2 read [1]", "2 read []"), VIOLATED, "1 lost"),
    ("set_complete", {}, ("1 add 1", "2 read []", "2 read [1]"), HOLDS, "1 stale"),
    ("set_complete", {"stale_allowed": False}, ("1 add 1", "2 read []", "2 read [1]"), VIOLATED, "1 stale"),
    ("set_complete", {}, ("1 add 1", "2 read [1,1]"), VIOLATED, "1 duplicated"),
    ("set_complete", {}, ("1 add 1", "2 read [1,3]"), VIOLATED, "1 unexpected"),
    ("set_complete", {}, ("1 add 1!", "2 read [1]"), VIOLATED, "1 unexpected"),
    ("set_complete", {}, ("2 read []", "1 add 1"), UNKNOWN, "1 never looked for"),
    ("set_complete", {}, ("1 add 1",), UNKNOWN, "nobody looked"),
    ("set_complete", {}, ("1 add 1", "2 read [1]", "2 read []", "1 add 2", "2 read [2]"), VIOLATED, "1 stable, 1 lost"),
    ("queue_delivers", {}, ("1 enqueue 1", "2 dequeue 1"), HOLDS, "1 delivered"),
    ("queue_delivers", {}, ("1 enqueue 1", "2 dequeue"), VIOLATED, "1 lost"),
    ("queue_delivers", {}, ("1 enqueue 1", "3 dequeue?", "2 dequeue"), UNKNOWN, "1 missing"),
    ("queue_delivers", {}, ("1 enqueue 1", "1 enqueue 2", "2 dequeue 1"), UNKNOWN, "not drained"),
    ("queue_delivers", {}, ("1 enqueue 1", "2 dequeue 1", "2 dequeue 1"), VIOLATED, "1 delivered again"),
    ("queue_delivers", {}, ("1 enqueue 1", "2 dequeue 1", "2 dequeue", "1 enqueue 2"), UNKNOWN, "not drained"),
    (
        "queue_delivers",
        {},
        ("1 enqueue 1", "1 enqueue 2", "1 enqueue 3", "2 dequeue 2", "2 dequeue 1", "2 dequeue 3"),
        VIOLATED,
        "1 overtaken",
    ),
    (
        "queue_delivers",
        {"delivery": "at-least-once"},
        ("1 enqueue 1", "2 dequeue 1", "2 dequeue 1"),
        HOLDS,
        "1 delivered again",
    ),
    ("queue_delivers", {}, ("1 enqueue 1", "2 dequeue 1", "2 dequeue 9"), VIOLATED, "1 never enqueued"),
    ("queue_delivers", {}, ("1 enqueue 1", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1"), VIOLATED, "1 overtaken"),
    (
        "queue_delivers",
        {"ordered": False},
        ("1 enqueue 1?", "1 enqueue 2", "2 dequeue 2", "2 dequeue 1"),
        HOLDS,
        "1 of unknown outcome delivered",
    ),
    ("bank_balances", {"total": 10}, ('1 read {"a": 4, "b": 6}', "1 read [3, 7]"), HOLDS, "10 in total"),
    (
        "bank_balances",
        {"total": 10},
        ('1 read {"a": 10, "b": 0}', '2 transfer {"from": "a", "to": "b", "amount": 1}', "1 read!"),
        HOLDS,
        "all 1 reads",
    ),
    ("bank_balances", {"total": 2}, ("1 read [2]", "1 read [1]", "1 read [3]"), VIOLATED, ": 2 of 3 reads do not"),
    ("bank_balances", {"total": 10}, ('1 read {"a": 4, "b": 5}',), VIOLATED, "9 in total instead of 10"),
    ("bank_balances", {"total": 10}, ('1 read {"a": 14, "b": -4}',), VIOLATED, "b below zero"),
    ("bank_balances", {"total": 10, "negative_allowed": True}, ('1 read {"a": 14, "b": -4}',), HOLDS, ""),
]


@pytest.mark.parametrize(("check", "arguments", "words", "outcome", "says"), CASES)
def test_a_check_says_what_it_sees(
    check: str, arguments: dict[str, Any], words: tuple[str, ...], outcome: Outcome, says: str
) -> None:
    verdict = evaluate(told(*words), Expectation(t_s=0.0, check=check, arguments=arguments))
    assert verdict.outcome is outcome, str(verdict)
    assert says in str(verdict)
    if outcome is VIOLATED:
        assert verdict.evidence
        assert verdict.evidence[0].events


@pytest.mark.parametrize("check", [one for one in CHECKS.values() if one.__module__ == named.__name__])
def test_an_empty_history_tells_nothing(check: Callable[..., Verdict]) -> None:
    arguments = {"total": 1} if check is named.bank_balances else {}
    assert check(History([]), **arguments).outcome is UNKNOWN
    assert CHECKS[check.__name__] is check


R, A, W = "r", "append", "w"
ANOMALIES: list[tuple[str, bool, str, str, list[list[list[Any]]]]] = [
    (
        "G0",
        True,
        "read-uncommitted",
        "",
        [[[A, 1, 1], [A, 2, 2]], [[A, 1, 3], [A, 2, 4]], [[R, 1, [1, 3]], [R, 2, [4, 2]]]],
    ),
    ("G1a", True, "read-committed", "fo", [[[A, 1, 1]], [[R, 1, [1]]]]),
    ("G1b", True, "read-committed", "", [[[A, 1, 1], [A, 1, 2]], [[R, 1, [1]]], [[R, 1, [1, 2]]]]),
    ("G1c", True, "read-committed", "", [[[A, 1, 1], [R, 2, [2]]], [[A, 2, 2], [R, 1, [1]]]]),
    ("G-single", True, "snapshot-isolation", "", [[[A, 1, 1], [A, 2, 2]], [[R, 1, [1]], [R, 2, []]]]),
    (
        "lost-update",
        True,
        "snapshot-isolation",
        "",
        [[[R, 1, []], [A, 1, 1]], [[R, 1, []], [A, 1, 2]], [[R, 1, [1, 2]]]],
    ),
    ("write-skew", True, "serializable", "", [[[R, 1, []], [A, 2, 2]], [[R, 2, []], [A, 1, 1]]]),
    (
        "G2-item",
        True,
        "repeatable-read",
        "",
        [[[R, 1, []], [A, 2, 2]], [[R, 2, []], [A, 3, 3]], [[R, 3, []], [A, 1, 1]]],
    ),
    ("internal", True, "read-committed", "", [[[A, 1, 1], [R, 1, []]]]),
    ("phantom", True, "read-uncommitted", "", [[[R, 1, [9]]]]),
    ("duplicate", True, "read-uncommitted", "", [[[A, 1, 1]], [[R, 1, [1, 1]]]]),
    ("incompatible-order", True, "read-uncommitted", "", [[[A, 1, 1]], [[A, 1, 2]], [[R, 1, [1, 2]]], [[R, 1, [2]]]]),
    (
        "G-single",
        True,
        "snapshot-isolation",
        "",
        [[[R, 1, []], [R, 3, [3]], [A, 2, 2]], [[R, 2, []], [A, 1, 1]], [[R, 1, [1]], [A, 3, 3]]],
    ),
    (
        "G0",
        False,
        "read-uncommitted",
        "",
        [[[W, 2, 1], [R, 1, 2], [W, 1, 11]], [[W, 1, 2], [R, 2, 1], [W, 2, 22]]],
    ),
    ("G1a", False, "read-committed", "fo", [[[W, 1, 1]], [[R, 1, 1]]]),
    ("G1b", False, "read-committed", "", [[[W, 1, 1], [W, 1, 2]], [[R, 1, 1]]]),
    ("G1c", False, "read-committed", "", [[[W, 1, 1], [R, 2, 2]], [[W, 2, 2], [R, 1, 1]]]),
    ("G-single", False, "snapshot-isolation", "", [[[W, 1, 1], [W, 2, 2]], [[R, 1, 1], [R, 2, None]]]),
    ("lost-update", False, "snapshot-isolation", "", [[[R, 1, None], [W, 1, 1]], [[R, 1, None], [W, 1, 2]]]),
    ("write-skew", False, "serializable", "", [[[R, 1, None], [W, 2, 2]], [[R, 2, None], [W, 1, 1]]]),
    ("internal", False, "read-committed", "", [[[W, 1, 1], [R, 1, None]]]),
    ("internal", False, "read-committed", "", [[[R, 1, 1], [W, 1, 1]]]),
    ("cyclic-versions", False, "read-committed", "", [[[R, 1, 1], [W, 1, 2]], [[R, 1, 2], [W, 1, 1]]]),
]


@pytest.mark.parametrize(("anomaly", "lists", "level", "outcomes", "steps"), ANOMALIES)
def test_an_anomaly_is_found_and_named(
    anomaly: str, lists: bool, level: str, outcomes: str, steps: list[list[list[Any]]]
) -> None:
    check = named.list_transactions if lists else named.register_transactions
    verdict = check(transactions(*steps, outcomes=outcomes), level=level)
    assert verdict.outcome is VIOLATED, str(verdict)
    assert [finding for finding in verdict.evidence if finding.text.startswith(f"{anomaly}:")], str(verdict)


def test_the_shortest_cycle_is_told_edge_by_edge() -> None:
    skewed = transactions([["r", 1, []], ["append", 2, 2]], [["r", 2, []], ["append", 1, 1]])
    (finding,) = named.list_transactions(skewed).evidence
    assert finding.text == (
        "write-skew: T0 [r 1 [], append 2 2] before T1 (rw, 1: read nothing before 1); "
        "T1 [r 2 [], append 1 1] before T0 (rw, 2: read nothing before 2)"
    )
    stale = transactions(
        [["w", 1, 1], ["r", 2, None]], [["r", 1, 1], ["w", 1, 2], ["w", 2, 3]], [["r", 1, 1], ["r", 2, 3]]
    )
    assert "(rw, 1: read 1 before 2)" in str(named.register_transactions(stale))


WEAKER = [
    ("write-skew", "snapshot-isolation"),
    ("G2-item", "snapshot-isolation"),
    ("lost-update", "read-committed"),
    ("G-single", "read-committed"),
    ("G1c", "read-uncommitted"),
    ("G1a", "read-uncommitted"),
]


@pytest.mark.parametrize(("anomaly", "level"), WEAKER)
def test_a_weaker_level_allows_an_anomaly_and_says_so(anomaly: str, level: str) -> None:
    steps, outcomes = next((one[4], one[3]) for one in ANOMALIES if one[0] == anomaly and one[1])
    verdict = named.list_transactions(transactions(*steps, outcomes=outcomes), level=level)
    assert verdict.outcome is HOLDS
    assert anomaly in verdict.summary


def test_levels_below_serializable_need_no_serial_order() -> None:
    # Two write both registers, and each of two readers sees one value of either: no graph shows that it is wrong.
    written = [["w", 1, 1], ["w", 2, 11]], [["w", 1, 2], ["w", 2, 12]]
    skewed = transactions(*written, [["r", 1, 1], ["r", 2, 12]], [["r", 1, 2], ["r", 2, 11]])
    assert named.register_transactions(skewed, level="read-committed").outcome is HOLDS
    assert named.register_transactions(skewed, level="serializable").outcome is VIOLATED


def test_transactions_that_are_right() -> None:
    right = transactions([["append", 1, 1]], [["r", 1, [1]], ["append", 2, 5]], [["r", 2, [5]]])
    assert named.list_transactions(right, level="strict-serializable").outcome is HOLDS
    assert named.register_transactions(transactions([["w", 1, 1]], [["r", 1, 1]])).outcome is HOLDS


def test_transactions_that_decide_nothing() -> None:
    assert named.list_transactions(transactions([["append", 1, 1]], outcomes="f")).outcome is UNKNOWN
    twice = named.list_transactions(transactions([["append", 1, 1]], [["append", 1, 1]]))
    assert twice.outcome is UNKNOWN
    assert "written twice" in twice.summary
    odd = named.list_transactions(transactions([["increment", 1, 1]]))
    assert odd.outcome is UNKNOWN
    assert "no step of a transaction" in odd.summary


def test_arguments_that_are_none() -> None:
    with pytest.raises(UsageError, match="there are exactly-once and at-least-once"):
        named.queue_delivers(told("1 enqueue 1"), delivery="twice")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="read-your-writes"):
        named.session_guarantees(told("1 read 1"), guarantees=["nice-reads"])
    with pytest.raises(UsageError, match="snapshot-isolation"):
        named.list_transactions(transactions([["append", 1, 1]]), level="acid")


def test_a_search_that_reaches_its_limit_says_what_it_did_not_decide() -> None:
    words = [f"+{process} write {process % 3}" for process in range(40)] + ["+99 read 7", "100 read 1"]
    verdict = named.linearizable_register(told(*words), within_s=0.0)
    assert verdict.outcome in (UNKNOWN, VIOLATED)
    sequential = named.sequential_register(told("1 write 5", "2 read"), within_s=60.0)
    assert sequential.outcome is HOLDS


def test_one_key_can_be_chosen() -> None:
    both = recorded([*operations("1 write 1", "1 read 1", key="x"), *operations("2 write 2", "2 read", key="y")])
    assert named.linearizable_register(both, key="x").outcome is HOLDS
    assert named.linearizable_register(both, key="y").outcome is VIOLATED
    verdict = named.linearizable_register(both)
    assert verdict.outcome is VIOLATED
    assert "on 1 of them (y)" in verdict.summary


def test_the_evidence_says_who_saw_what_when() -> None:
    verdict = named.linearizable_register(told("1 write 5", "1 write 6", "2 write 7", "2 read 7", "3 read 5"))
    text = str(verdict)
    assert "process 3 read 5 (n3) from 6.000 s to 7.000 s" in text
    assert "2 read 7" not in text
    first = verdict.evidence[0]
    assert {"n1", "n3"} <= set(first.nodes)
    assert {type(event) for event in first.events} >= {Invoked}
    assert "verified by its own algorithm and by search of every order" in first.text


def test_a_lost_element_is_shown_with_its_addition_and_a_read_that_lacks_it() -> None:
    verdict = named.set_complete(told("1 add 1", "1 add 2", "1 add 2", "2 read [1,2]", "2 read [1]"))
    (lost,) = verdict.evidence
    assert [event.value for event in lost.events if isinstance(event, Invoked)] == [2, None]
    assert [event.t_s for event in lost.events] == [101.5, 102.5, 106.0, 107.0]


def test_a_broken_session_is_shown_by_what_broke_it() -> None:
    words = ("3 write 7", "3 read 7", "4 write 8", "1 write 5", "1 read", "2 read 5", "2 read 7")
    (finding,) = named.session_guarantees(told(*words), guarantees=["read-your-writes"]).evidence
    assert {event.process for event in finding.events if isinstance(event, Invoked)} == {1}


def test_two_sessions_that_contradict_each_other_are_both_shown() -> None:
    words = ("3 write 5", "4 write 6", "1 read 5", "1 read 5", "1 read 6", "2 read 6", "2 read 5")
    (finding,) = named.session_guarantees(told(*words), guarantees=["monotonic-reads"]).evidence
    assert {event.process for event in finding.events if isinstance(event, Invoked)} == {1, 2}


def test_of_several_contradictions_the_shortest_is_shown() -> None:
    words = ("1 write 5", "1 write 6", "1 write 7", "4 read 5", "4 read 6", "5 read 6", "5 read 5")
    longer = ("6 read 6", "6 read 7", "7 read 7", "7 read 5")
    (finding,) = named.session_guarantees(told(*words, *longer), guarantees=["monotonic-reads"]).evidence
    assert {event.process for event in finding.events if isinstance(event, Invoked)} == {4, 5}


def test_an_unknown_acquire_counts_when_its_release_was_acknowledged() -> None:
    held = ("1 acquire", "+2 acquire?", "2 release", "1 release")
    verdict = named.exclusive_lock(told(*held))
    assert verdict.outcome is VIOLATED, str(verdict)
