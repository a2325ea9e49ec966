"""What is done after servers have said whether they run, and what they have."""

import json
from typing import Any

import pytest

from harness.stack.dataservices.galera.core import NO_UUID
from harness.stack.dataservices.galera.founding import Answers, founding
from harness.stack.dataservices.inventory.core import Role, read
from harness.stack.dataservices.plan.core import Command, Decided, Stage, Undecided
from tests.stack.dataservices.servers import GALERA

SERVERS = read(GALERA).of(Role.GALERA)
NAMES = [one.name for one in SERVERS]
ACCOUNTS = Command("make accounts", "accounts are there")
HISTORY = "8bcf4a34-aedb-14e5-bcc3-d3e36277729f"
IDLE: dict[str, Any] = {"in_primary": False, "uuid": NO_UUID}
RUNS = {"in_primary": True, "uuid": HISTORY}
EMPTY = {"uuid": NO_UUID, "seqno": -1, "safe_to_bootstrap": False, "has_data": False}


def say(*each: object) -> Answers:
    """What the servers said, one line each; None of one that did not answer."""
    lines = [None if one is None else (one if isinstance(one, str) else json.dumps(one),) for one in each]
    return dict(zip(NAMES, lines, strict=True))


def holds(seqno: int, *, safe: bool = False) -> dict[str, object]:
    return {"uuid": HISTORY, "seqno": seqno, "safe_to_bootstrap": safe, "has_data": True}


def first_answered(*each: object) -> Decided:
    stage = founding(SERVERS, ACCOUNTS)
    assert stage.decide is not None
    assert set(stage.actions) == {*NAMES}
    return stage.decide(say(*each))


def then_answered(*each: object) -> Decided:
    still, asks = first_answered(IDLE, IDLE, IDLE).stages
    assert set(still.actions) == {*NAMES}
    assert asks.decide is not None
    return asks.decide(say(*each))


def done_on(stages: tuple[Stage, ...]) -> list[tuple[str, list[str]]]:
    return [(stage.name, [*stage.actions]) for stage in stages]


def test_a_cluster_that_runs_is_joined_and_nobody_is_stopped() -> None:
    decided = first_answered(RUNS, RUNS, RUNS)
    assert done_on(decided.stages) == [("accounts", ["db-01"])]
    decided = first_answered(IDLE, RUNS, None)
    assert done_on(decided.stages) == [
        *(("accounts", ["db-02"]), ("db-01 joins", ["db-01"]), ("db-03 joins", ["db-03"])),
    ]


def test_whoever_has_most_begins_whatever_was_marked_and_the_others_join_one_by_one() -> None:
    decided = then_answered(holds(7, safe=True), holds(9), holds(8))
    assert decided.why == "db-02 begins: commit 9 is the last of all 3 nodes"
    assert done_on(decided.stages) == [
        *(("db-02 begins", ["db-02"]), ("accounts", ["db-02"])),
        *(("db-01 joins", ["db-01"]), ("db-03 joins", ["db-03"])),
    ]
    assert ACCOUNTS in decided.stages[1].actions["db-02"]


def test_on_the_first_day_the_first_one_begins() -> None:
    assert then_answered(EMPTY, EMPTY, EMPTY).why == "db-01 begins: no node has data: a new cluster"


def test_who_does_not_answer_stops_all_and_nobody_is_touched() -> None:
    with pytest.raises(Undecided, match="nobody may begin: db-03 cannot be asked"):
        first_answered(IDLE, IDLE, None)


@pytest.mark.parametrize("said", [None, "what?", "[]"])
def test_what_is_no_answer_is_none(said: str | None) -> None:
    with pytest.raises(Undecided, match="nobody may begin: db-02 cannot be asked"):
        then_answered(holds(7), said, holds(9))


def test_two_histories_are_a_persons_to_choose_from() -> None:
    other = holds(9) | {"uuid": HISTORY.replace("8", "9")}
    with pytest.raises(Undecided, match="2 different histories"):
        then_answered(holds(7), holds(7), other)
