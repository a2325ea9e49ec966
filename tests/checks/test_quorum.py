"""Quorum where the votes say so, and one mind in the end."""

import pytest

from harness.checks.quorum import agree_afterwards, quorum_where_votes_say
from harness.checks.verdict import Outcome
from harness.events import WatchStarted
from tests.checks.story import NODES, ZERO_S, Story, failover, story


def powered(**votes: int) -> Story:
    told = story().run(votes=votes or None).ended(20)
    for node in votes or NODES:
        told.power(node, 0)
    return told.sees(1, " ".join(votes or NODES))


def test_a_node_that_was_never_watched_is_none_of_the_cluster() -> None:
    told = powered().power("d1", 0)
    assert agree_afterwards(told.history()).outcome is Outcome.VIOLATED
    told.add(*(WatchStarted(t_s=ZERO_S, what="membership", target=node) for node in NODES))
    assert agree_afterwards(told.history()).outcome is Outcome.HOLDS


def test_a_kill_that_the_votes_survive_holds() -> None:
    verdict = quorum_where_votes_say(failover().history())
    assert verdict.outcome is Outcome.HOLDS
    assert "2 instants" in verdict.summary


def test_nothing_seen_is_unknown() -> None:
    for check in (quorum_where_votes_say, agree_afterwards):
        assert check(story().history()).outcome is Outcome.UNKNOWN
        assert check(story().run().ended(5).history()).outcome is Outcome.UNKNOWN


def cut() -> Story:
    return powered().fault("cut-site", "dijon", at=5, until=9).sees(5.7, "n2 n3").sees(11, "n1 n2 n3")


def test_the_minority_must_lose_quorum() -> None:
    assert quorum_where_votes_say(cut().sees(5.7, "n1", quorate=False).history()).outcome is Outcome.HOLDS
    verdict = quorum_where_votes_say(cut().history())
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n1",)
    assert "at the end of cut-site dijon" in verdict.evidence[0].text


def test_the_majority_must_keep_it() -> None:
    told = cut().sees(5.7, "n1", quorate=False).sees(8, "n2 n3", "n3", quorate=False)
    verdict = quorum_where_votes_say(told.history())
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n3",)


def test_when_every_site_is_alone_nobody_may_be_quorate() -> None:
    told = powered().fault("WanDown", *("dijon", "thory", "lyon"), at=5, until=9).sees(11, "n1 n2 n3")
    assert quorum_where_votes_say(told.history()).outcome is Outcome.VIOLATED
    for node in NODES:
        told.sees(5.7, node, quorate=False)
    assert quorum_where_votes_say(told.history()).outcome is Outcome.HOLDS


def test_a_heavy_site_keeps_quorum_alone() -> None:
    told = powered(n1=3, n2=1, n3=1).fault("partition", "n1", "n2+n3", at=5, until=9).sees(5.7, "n1")
    told.sees(5.7, "n2 n3", quorate=False).sees(11, "n1 n2 n3")
    assert quorum_where_votes_say(told.history()).outcome is Outcome.HOLDS


def test_who_has_not_joined_yet_is_not_asked_and_whoever_has_is() -> None:
    told = story().run().roster(0.5, 1, n1=1).ended(20)
    for node in NODES:
        told.power(node, 0)
    assert quorum_where_votes_say(told.sees(1, "n1").history()).outcome is Outcome.HOLDS
    told.roster(15, 2, n1=1, n2=1, n3=1)
    verdict = quorum_where_votes_say(told.history())
    assert verdict.outcome is Outcome.VIOLATED
    assert {node for one in verdict.evidence for node in one.nodes} == {"n2", "n3"}


def test_a_frozen_node_is_not_asked_and_counts_as_lost() -> None:
    told = powered().fault("freeze", "n1", at=5, until=9).sees(5.7, "n2 n3").sees(11, "n1 n2 n3")
    assert quorum_where_votes_say(told.history()).outcome is Outcome.HOLDS


@pytest.mark.parametrize("kind", ["drop", "suspend", "loss"])
def test_faults_of_which_the_votes_say_nothing_are_left_out(kind: str) -> None:
    told = powered().fault(kind, "n1", at=5, until=9).sees(5.7, "n2 n3", quorate=False).sees(11, "n1 n2 n3")
    assert quorum_where_votes_say(told.history()).outcome is Outcome.HOLDS


def test_what_is_wrong_at_an_unsettled_instant_is_unknown() -> None:
    told = powered().fault("cut-site", "dijon", at=5, until=5.5).sees(11, "n1 n2 n3")
    assert quorum_where_votes_say(told.history()).outcome is Outcome.UNKNOWN


def test_the_dead_say_nothing() -> None:
    told = story().run().power("n1", 0).power("n2", 0, 5).power("n3", 0, 5.1).sees(1, "n1 n2 n3").ended(20)
    assert quorum_where_votes_say(told.history()).outcome is Outcome.VIOLATED
    assert quorum_where_votes_say(told.sees(6, "n1", quorate=False).history()).outcome is Outcome.HOLDS


# --- agreement ---------------------------------------------------------------------------------------


def test_all_see_each_other_in_the_end() -> None:
    verdict = agree_afterwards(failover().history())
    assert verdict.outcome is Outcome.HOLDS
    assert "3 compared" in verdict.summary


def test_a_node_with_another_view_is_named() -> None:
    verdict = agree_afterwards(powered().sees(6, "n1 n3", "n3").history())
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n3",)


def test_configurations_that_differ_are_shown() -> None:
    verdict = agree_afterwards(powered().configured(19, n1="a" * 64, n2="b" * 64, n3="a" * 64).history())
    assert verdict.outcome is Outcome.VIOLATED
    assert "n2 bbbbbbbbbbbb" in str(verdict)


def test_what_happens_after_the_scenario_does_not_count() -> None:
    told = failover().sees(10.5, "n3", quorate=False)
    assert agree_afterwards(told.history()).outcome is Outcome.HOLDS


def removed() -> Story:
    """n3 is taken out of the cluster, and keeps its power."""
    return powered().roster(5, 1, n1=1, n2=1).sees(5.2, "n1 n2", "n1", "n2")


def test_who_was_removed_need_not_be_seen_and_may_see_nobody() -> None:
    told = removed().sees(5.1, "", "n3", quorate=False)
    assert agree_afterwards(told.history()).outcome is Outcome.HOLDS
    verdict = agree_afterwards(removed().history())
    assert verdict.outcome is Outcome.VIOLATED
    assert [finding.nodes for finding in verdict.evidence] == [("n3",)]


def test_a_member_that_the_others_do_not_see_any_more_is_found() -> None:
    told = powered().roster(5, 1, n1=1, n2=1, n3=1).sees(5.2, "n1 n2", "n1", "n2").sees(5.1, "", "n3", quorate=False)
    assert agree_afterwards(told.history()).outcome is Outcome.VIOLATED


def test_while_an_operator_is_at_work_the_votes_say_who_has_quorum() -> None:
    told = cut().fault("operate", "n3", at=3, until=12)
    assert quorum_where_votes_say(told.sees(5.7, "n1", quorate=False).history()).outcome is Outcome.HOLDS
    assert quorum_where_votes_say(cut().fault("operate", "n3", at=3, until=12).history()).outcome is Outcome.VIOLATED
