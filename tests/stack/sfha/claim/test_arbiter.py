"""The arbiter wired into nodes, in virtual time: an exclusive service, a power switch, disks, all between."""

import itertools

import pytest

from harness.stack.kit.messages import Message
from harness.stack.sfha.claim.messages import Ballot, Claim
from harness.stack.sfha.fencing.messages import Note, Pardon
from harness.stack.sfha.fencing.signals import Refusal
from tests.stack.sfha.claim.world import Cluster


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, the service on node 1."""
    cluster = Cluster()
    cluster.live(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.live(1.0)
    assert cluster.running == {1}
    assert cluster.power[2].disk.claim == Claim(Ballot(1, 1), over=False)
    return cluster


def test_a_frozen_leader_is_fenced_before_its_service_moves(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(1.9)
    assert cluster.holders() == [2]
    assert cluster.running == {1}
    assert cluster.nodes[2].status().stonith.waits_for == "n1"  # type: ignore[union-attr]
    cluster.live(0.2)
    assert cluster.power[2].asked == ["off n1"]
    assert cluster.running == {2}
    assert [(one.node, one.by, one.ok) for one in cluster.power[3].told] == [(1, 2, True)]


def test_a_leader_without_power_is_not_waited_for(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.powered.discard(1)
    cluster.running.discard(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(0.5)  # the lease that n1 had must run out
    assert cluster.running == {2}
    assert cluster.power[2].asked == []


def test_standby_moves_the_service_without_fencing(cluster: Cluster) -> None:
    cluster.nodes[1].set_standby(True)
    cluster.live(0.1)
    assert cluster.running == {2}
    cluster.live(5)
    assert cluster.power[2].asked == []


def test_a_switch_that_is_out_of_order_keeps_the_service_down_until_a_person_certifies(cluster: Cluster) -> None:
    cluster.switch_works = False
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(20)
    assert cluster.running == {1}
    assert cluster.power[2].asked == ["off n1"]
    assert cluster.arbiter(2).history()[0]["error"] == "no answer"
    cluster.running.discard(1)  # somebody pulls the plug
    assert cluster.arbiter(2).certify("n1") is None
    cluster.live(0.1)
    assert cluster.running == {2}


def test_what_a_person_asks_for_is_checked(cluster: Cluster) -> None:
    arbiter = cluster.arbiter(2)
    assert key_of(arbiter.fence("n9", force=False)) == "stonith.unknown"
    assert key_of(arbiter.fence("n2", force=True)) == "stonith.refused.own"
    assert key_of(arbiter.certify("n1")) == "stonith.still-member"
    assert key_of(arbiter.fence("n3", force=False)) == ""
    assert key_of(arbiter.fence("n3", force=True)) == "stonith.refused.busy"


def looping(cluster: Cluster, number: int) -> bool:
    """Whether this node would not fence n3 any more, because it was fenced again and again."""
    return cluster.arbiter(number)._fencing.refusal(3, cluster.now_s, automatic=True) is Refusal.LOOP


@pytest.mark.parametrize("told", ["at once", "when it is back"])
def test_a_node_that_a_person_forgave_is_forgiven_by_all(cluster: Cluster, told: str) -> None:
    for number, age_s in itertools.product((1, 2), (900, 800, 700)):
        cluster.arbiter(number).received(3, Note(3, 1, age_s, automatic=True, ok=True))
    assert looping(cluster, 1)
    assert looping(cluster, 2)
    if told != "at once":
        cluster.dead.add(2)
        cluster.view({1, 3}, ring=12)
    assert cluster.arbiter(1).forgive("n3") is None
    cluster.live(0.1)
    assert not looping(cluster, 1)
    assert looping(cluster, 2) == (told != "at once")
    cluster.dead.discard(2)
    cluster.view({1, 2, 3}, ring=16)
    cluster.live(0.5)
    assert not looping(cluster, 2)


def test_a_pardon_outlives_the_daemons(cluster: Cluster) -> None:
    """All of them: nobody is left who could tell it again; and what was done to the node since still counts."""
    for number, age_s in itertools.product((1, 2), (900, 800, 700)):
        cluster.arbiter(number).received(3, Note(3, 1, age_s, automatic=True, ok=True))
    assert cluster.arbiter(1).forgive("n3") is None
    cluster.live(0.1)
    for number in (1, 2):
        cluster.restart(number)
        assert len(cluster.arbiter(number).history()) == 3
        assert not cluster.arbiter(number)._fencing._loops(3)
    cluster.now_s += 100.0
    for age_s in (90, 80, 70):
        cluster.arbiter(2).received(1, Note(3, 1, age_s, automatic=True, ok=True))
    cluster.restart(2)
    assert cluster.arbiter(2)._fencing._loops(3)


def test_a_pardon_that_comes_late_does_not_undo_what_was_done_since(cluster: Cluster) -> None:
    arbiter = cluster.arbiter(2)
    for age_s in (90, 80, 70):
        arbiter.received(1, Note(3, 1, age_s, automatic=True, ok=True))
    arbiter.received(1, Pardon(3, 85.0))
    for age_s in (60, 50):
        arbiter.received(1, Note(3, 1, age_s, automatic=True, ok=True))
    arbiter.received(1, Pardon(3, 85.0))
    assert len([one for one in arbiter.history() if one["node"] == "n3"]) == 5
    assert arbiter._fencing._loops(3)


def key_of(message: Message | None) -> str:
    return message.key if message is not None else ""
