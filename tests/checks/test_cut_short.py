"""A run that broke off is never violated by what it had no time to do, and stays violated by what it did."""

from pathlib import Path
from typing import Any

import pytest

from harness.checks.consistency.named import queue_delivers, set_complete
from harness.checks.latency import answered_within
from harness.checks.outage import outage_at_most, outage_between, outages
from harness.checks.quorum import agree_afterwards, quorum_where_votes_say
from harness.checks.verdict import Outcome, Verdict
from harness.checks.vip import never_without_quorum, one_holder
from harness.events import Completed, FaultHealing, Invoked
from harness.history import History
from harness.judge import CAUGHT_BY, judge
from tests.checks.story import NODES, VIP, ZERO_S, Story, failover, story
from tests.stored_runs import RUNS, history_of, lines_of

FREQUENT = (
    b'"connect-tried"',
    b'"arp-answered"',
    b'"tcp-answered"',
    b'"invoked"',
    b'"completed"',
    b'"observer-stalled"',
)
EVERY = 61


def violated(history: History) -> dict[str, Verdict]:
    return {one.title: one for one in judge(history) if one.outcome is Outcome.VIOLATED and one.check != CAUGHT_BY}


def cut_everywhere(run: Path, places: list[int]) -> None:
    lines = lines_of(run)
    whole = violated(history_of(lines))
    before: set[str] = set()
    for place in places:
        history = history_of(lines[:place])
        now = violated(history)
        assert set(now) <= set(whole), f"cut after line {place}: {now}"
        assert before <= set(now), f"cut after line {place}, no longer violated"
        before = set(now)
        caught = [one for one in judge(history) if one.check == CAUGHT_BY]
        assert all(one.outcome is not Outcome.VIOLATED for one in caught), f"cut after line {place}: {caught}"
    assert before == set(whole)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}-{run.name}")
def test_cut_after_what_is_rare_and_some_of_what_is_frequent(run: Path) -> None:
    lines = lines_of(run)
    rare = [place for place, line in enumerate(lines, start=1) if not any(kind in line[:40] for kind in FREQUENT)]
    settled = rare[:: max(1, len(rare) // 60)]
    cut_everywhere(run, sorted({*settled, *range(1, len(lines), EVERY), len(lines)}))


@pytest.mark.thorough
@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}-{run.name}")
def test_cut_at_every_place(run: Path) -> None:
    cut_everywhere(run, list(range(1, len(lines_of(run)) + 1)))


def up(*, until: float = 5) -> Story:
    told = story().run()
    for node in NODES:
        told.power(node, 0)
    return told.sees(1, "n1 n2 n3").note(until, "the harness is killed")


def test_nodes_that_had_no_time_to_agree_did_not_disagree() -> None:
    apart = up().sees(4, "n2", "n2", quorate=False)
    assert agree_afterwards(apart.history()).outcome is Outcome.UNKNOWN
    assert agree_afterwards(apart.ended(5, "inconclusive", "the disk was full").history()).outcome is Outcome.UNKNOWN


def test_nodes_that_had_no_time_to_boot_did_not_lack_quorum() -> None:
    told = story().run().note(3, "the harness is killed")
    for node in NODES:
        told.power(node, 0)
    told.sees(0.5, "n1", quorate=False)
    assert quorum_where_votes_say(told.history()).outcome is Outcome.UNKNOWN


def test_an_address_that_had_no_time_to_come_up_is_no_outage() -> None:
    told = story().run().connects("c1", 0, 3, ok=False)
    assert outage_at_most(told.history(), VIP, 0.5).outcome is Outcome.UNKNOWN
    assert outage_at_most(told.ended(3).history(), VIP, 0.5).outcome is Outcome.VIOLATED


def test_an_outage_that_lasted_too_long_already_is_violated() -> None:
    told = story().run().connects("c1", 0, 3, ok=True).connects("c1", 3, 6, ok=False)
    assert outage_at_most(told.history(), VIP, 2.0).outcome is Outcome.VIOLATED


def test_the_longest_outage_may_still_have_come() -> None:
    told = story().run().connects("c1", 0, 3, ok=True).connects("c1", 3, 3.3, ok=False).connects("c1", 3.3, 5, ok=True)
    assert outage_between(told.history(), VIP, 2.0, 4.0).outcome is Outcome.UNKNOWN
    assert outage_between(told.history(), VIP, 0.1, 0.2).outcome is Outcome.VIOLATED
    assert outage_between(told.ended(5).history(), VIP, 2.0, 4.0).outcome is Outcome.VIOLATED


def test_a_share_of_the_operations_so_far_is_no_share_of_all() -> None:
    told = story().run().due(1, 2.0)
    assert answered_within(told.history(), 1.0).outcome is Outcome.UNKNOWN
    assert answered_within(told.ended(5).left_behind(6).history(), 1.0).outcome is Outcome.VIOLATED


def test_an_overlap_at_the_very_end_may_be_none() -> None:
    told = story().run().node_holds("n1", 1, None).node_holds("n2", 3, None)
    assert one_holder(told.note(3.02, "the harness is killed").history(), VIP).outcome is Outcome.UNKNOWN
    assert one_holder(told.note(3.2, "or a moment later").history(), VIP).outcome is Outcome.VIOLATED


def test_a_sabotage_that_had_no_time_was_not_missed() -> None:
    told = failover().sabotage("one_holder")
    (caught,) = [one for one in judge(told.history()) if one.check == CAUGHT_BY]
    assert caught.outcome is Outcome.VIOLATED
    told.events = [event for event in told.events if event.kind != "leftovers-seen"]
    (caught,) = [one for one in judge(told.history()) if one.check == CAUGHT_BY]
    assert caught.outcome is Outcome.UNKNOWN


def unhealed() -> Story:
    """A cut whose heal begins at 9 s and is never proven; n1 has its peers back from then on."""
    told = up(until=12).fault("cut-site", "dijon", at=5, until=None).sees(5.7, "n2 n3").sees(5.7, "n1", quorate=False)
    told.add(FaultHealing(t_s=ZERO_S + 9, fault_id="cut-site-5"))
    return told.sees(9.5, "n1 n2 n3").node_holds("n1", 9.6, None)


def test_from_an_unproven_heal_on_nothing_is_said_of_who_reaches_whom() -> None:
    told = unhealed()
    for ending in (told, told.ended(15, "inconclusive", "canaries are lost")):
        assert never_without_quorum(ending.history(), VIP).outcome is Outcome.HOLDS
        assert quorum_where_votes_say(ending.history()).outcome is Outcome.HOLDS


def test_what_clients_miss_after_an_unproven_heal_is_no_outage() -> None:
    told = (
        unhealed().connects("c1", 1, 10, ok=True).connects("c1", 10, 14, ok=False).ended(15, "failed", "an assertion")
    )
    assert outages(told.history(), VIP) == ()


def test_a_fault_of_which_an_old_history_has_no_heal_may_be_healed() -> None:
    told = up(until=12).fault("cut-site", "dijon", at=5, until=None).sees(5.7, "n2 n3").sees(9.5, "n1 n2 n3")
    told.node_holds("n1", 9.6, None)
    assert never_without_quorum(told.history(), VIP).outcome is Outcome.HOLDS


def did(told: Story, at: float, function: str, value: object, result: object = None) -> Story:
    """An operation on the object "x", called and answered at once."""
    who: dict[str, Any] = {"process": 1, "operation": len(told.events)}
    answer = value if result is None else result
    told.add(Invoked(t_s=ZERO_S + at, function=function, key="x", value=value, **who))
    return told.add(Completed(t_s=ZERO_S + at + 0.01, outcome="ok", value=answer, **who))


def test_an_element_that_a_stale_read_lacked_last_may_come_again() -> None:
    told = did(did(did(story().run(), 1, "add", 1), 2, "add", 2), 3, "read", None, (1,))
    assert set_complete(told.history(), "x").outcome is Outcome.UNKNOWN
    assert set_complete(told.history(), "x", stale_allowed=False).outcome is Outcome.VIOLATED
    assert set_complete(told.ended(5).history(), "x").outcome is Outcome.UNKNOWN  # the last reads come after the end
    assert set_complete(told.left_behind(6).history(), "x").outcome is Outcome.VIOLATED


def test_a_message_that_a_queue_did_not_give_yet_may_still_come() -> None:
    told = did(did(story().run(), 1, "enqueue", 1), 2, "enqueue", 2)
    who: dict[str, Any] = {"process": 2, "operation": 99}
    told = did(told, 3, "dequeue", None, 1).add(
        Invoked(t_s=ZERO_S + 4, function="dequeue", key="x", value=None, **who),
        Completed(t_s=ZERO_S + 4.01, outcome="ok", value=None, **who),
    )
    assert queue_delivers(told.history(), "x").outcome is Outcome.UNKNOWN
    assert queue_delivers(told.ended(5).left_behind(6).history(), "x").outcome is Outcome.VIOLATED
