"""What three nodes make of what happens to them and between them: who leads, and who has the address."""

import errno

import pytest

from harness.stack.sfha.config.load import Config, Unsafe
from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.membership.core import DISCONNECTED, Report
from harness.stack.sfha.node.node import Node
from tests.stack.sfha.node.world import NAMES, VIP, Cluster


@pytest.fixture
def cluster() -> Cluster:
    """Up, quorate, with the address on node 1."""
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(1.0)
    assert cluster.holders() == [1]
    return cluster


def test_the_address_is_up_at_once_when_quorum_comes() -> None:
    cluster = Cluster()
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.002)
    assert cluster.holders() == [1]
    assert cluster.toys[1].names()[-6:] == [
        "leader-elected",
        "lease-requested",
        "lease-acquired",
        "vip-added",
        "vip-announced",
        "resources-activated",
    ]


def test_nothing_is_held_before_quorum() -> None:
    cluster = Cluster()
    cluster.pass_time(1.0)
    cluster.view({1}, ring=4)
    cluster.pass_time(1.0)
    assert cluster.holders() == []


def test_standby_moves_the_address_at_once_and_back(cluster: Cluster) -> None:
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.003)
    assert cluster.holders() == [2]
    cluster.nodes[1].set_standby(False)
    cluster.pass_time(0.003)
    assert cluster.holders() == [1]


def test_a_graceful_stop_moves_the_address_at_once(cluster: Cluster) -> None:
    cluster.nodes[1].stop()
    cluster.pass_time(0.003)
    assert cluster.holders() == [2]
    assert cluster.toys[1].names()[-1] == "vip-released"
    assert not cluster.nodes[1].letting_go


@pytest.mark.parametrize("corosync_says_so", [False, True])
def test_a_dead_holder_is_followed_as_soon_as_its_promises_have_run_out(
    cluster: Cluster, corosync_says_so: bool
) -> None:
    """Corosync's token takes twice as long to notice; where it is quicker, the promises are waited for all the same."""
    cluster.dead.add(1)
    cluster.pass_time(0.02)
    if corosync_says_so:
        cluster.view({2, 3}, ring=12)
    cluster.pass_time(FAST.promise_s - FAST.renew_every_s - 0.03)
    assert cluster.holders() == []
    cluster.pass_time(FAST.renew_every_s + 0.02)
    assert cluster.holders() == [2]
    cluster.view({2, 3}, ring=12)
    cluster.pass_time(2.0)
    assert cluster.holders() == [2]
    assert cluster.toys[2].names().count("lease-acquired") == 1


def frozen(cluster: Cluster, duration_s: float) -> None:
    """Node 1 does nothing, and finds afterwards what was sent to it meanwhile."""
    cluster.dead.add(1)
    buffered: list[tuple[int, int, bytes]] = []
    end_s = cluster.now_s + duration_s
    while cluster.now_s < end_s:
        buffered += [item for item in cluster.wire if item[1] == 1]
        cluster.wire = [item for item in cluster.wire if item[1] != 1]
        cluster.pass_time(0.001)
    cluster.dead.clear()
    cluster.wire = buffered + cluster.wire


@pytest.mark.parametrize("away_s", [FAST.promise_s + 0.05, 0.5, 0.7])
def test_a_holder_that_was_away_for_less_than_corosync_needs_leads_again_when_its_ring_is_safe(
    cluster: Cluster, away_s: float
) -> None:
    frozen(cluster, away_s)
    assert cluster.holders() == [2]
    cluster.pass_time(FAST.ring_decided_within_s - 0.05)
    assert cluster.holders() == [2]
    assert {node.status().leader for node in cluster.nodes.values()} == {2}, "the one that was away included"
    cluster.pass_time(0.1)
    assert cluster.holders() == [1]
    for toys in cluster.toys.values():
        assert toys.names().count("lease-acquired") <= 2


def test_a_holder_that_was_away_and_loses_its_ring_after_that_costs_one_fail_over(cluster: Cluster) -> None:
    frozen(cluster, 0.5)
    cluster.pass_time(0.1)
    cluster.view({2, 3}, ring=12)
    cluster.view({1}, ring=12)
    for _ in range(600):
        cluster.pass_time(0.001)
        assert cluster.holders() == [2]
    cluster.view({1, 2, 3}, ring=16)
    cluster.pass_time(FAST.heartbeat_s + 0.05)
    assert cluster.holders() == [1]


def test_nobody_waits_for_who_was_away_where_the_others_cannot_hold_the_lease(cluster: Cluster) -> None:
    """Two of three are gone for some time: the third says that it leads, and has no majority."""
    cluster.dead.add(3)
    frozen_until_s = cluster.now_s + 0.5
    frozen(cluster, 0.5)
    cluster.dead.add(3)
    assert cluster.now_s >= frozen_until_s
    assert cluster.holders() == []
    cluster.pass_time(FAST.renew_every_s + 0.01)
    assert cluster.holders() == [1]


def test_who_holds_nothing_is_not_missed_before_its_time() -> None:
    """Without anything to hold there are heartbeats only, at a fraction of the rate of requests."""
    cluster = Cluster()
    for node in cluster.nodes.values():
        node.reconfigure(Config("demo", node.name, FAST))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(3.0)
    elected = [fields["leader"] for event, fields in cluster.toys[3].events if event == "leader-elected"]
    assert elected[-1] == 1
    assert len(elected) <= 3


def test_a_cut_off_holder_goes_dark_before_the_others_can_take_over(cluster: Cluster) -> None:
    cluster.dead.add(1)  # its datagrams do not pass, but it lives on
    for _ in range(400):
        cluster.now_s += 0.001
        cluster.wake(1)
        cluster.nodes[2].wake()
        cluster.nodes[3].wake()
        cluster.wire = [item for item in cluster.wire if 1 not in item[:2]]
    assert cluster.holders() == []
    assert "lease-lost" in cluster.toys[1].names()
    assert not cluster.toys[1].present


def test_a_peer_that_left_was_still_heard_through_the_tunnel(cluster: Cluster) -> None:
    """So its keys are known to work, and are not thrown away while it is cut off."""
    assert cluster.nodes[1].heard_s_ago(9) is None
    cluster.dead.add(3)
    cluster.view({1, 2}, ring=3)
    cluster.pass_time(2.0)
    silent_s = cluster.nodes[1].heard_s_ago(3)
    assert silent_s is not None
    assert silent_s == pytest.approx(2.0, abs=FAST.heartbeat_s)


def test_losing_corosync_is_losing_everything_at_once(cluster: Cluster) -> None:
    cluster.nodes[1].membership_reported(DISCONNECTED)
    assert cluster.holders() == []
    cluster.toys[1].carry_out()
    assert not cluster.toys[1].present


def test_a_hung_daemon_is_noticed_though_its_corosync_lives(cluster: Cluster) -> None:
    cluster.dead.add(1)
    cluster.pass_time(FAST.suspect_after_s + 0.1)
    assert cluster.holders() == [2]
    cluster.dead.clear()
    cluster.pass_time(0.2 + FAST.ring_decided_within_s)
    assert cluster.holders() == [1]


def test_a_refused_address_is_never_called_active(cluster: Cluster) -> None:
    toys = cluster.toys[2]
    toys.address_error = errno.EPERM
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.5)
    assert ("activation-failed", {"vip": "web", "error": "Operation not permitted (errno 1)"}) in toys.events
    assert toys.names().count("activation-failed") == 1
    assert "resources-activated" not in toys.names()
    assert cluster.nodes[2].status().vips[0].error == "Operation not permitted (errno 1)"
    toys.address_error = 0
    cluster.pass_time(0.1)
    assert cluster.holders() == [2]


def test_a_broken_gate_means_no_address_and_says_why(cluster: Cluster) -> None:
    cluster.toys[2].gate_broken = "Error: Operation not permitted"
    cluster.nodes[1].set_standby(True)
    cluster.pass_time(0.5)
    assert cluster.holders() == []
    messages = [fields["message"] for event, fields in cluster.toys[2].events if event == "warning"]
    assert messages == ["Error: Operation not permitted"]


def test_an_address_left_over_from_an_earlier_life_is_removed_and_others_are_not() -> None:
    cluster = Cluster()
    toys = cluster.toys[1]
    toys.present = {(VIP.address, 32), ("10.0.0.10", 24)}
    cluster.nodes[1].start()
    assert toys.present == {("10.0.0.10", 24)}


def test_a_lease_is_renewed_and_heartbeats_are_taken_without_a_look_at_everything(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done many times a second has to stay cheap: only what is due, and what says something new."""
    looks: list[int] = []
    decide = Node._decide

    def counted(node: Node) -> None:
        looks.append(node._node_id)
        decide(node)

    monkeypatch.setattr(Node, "_decide", counted)
    before = cluster.nodes[1]._lease.number
    cluster.pass_time(2.0)
    assert cluster.nodes[1]._lease.number - before > 2.0 / FAST.renew_every_s * 0.8
    assert len(looks) <= len(NAMES) * 2.0 / FAST.heartbeat_s * 1.2
    looks.clear()
    cluster.nodes[3].set_standby(True)
    cluster.pass_time(0.01)
    assert set(looks) == set(NAMES)


def test_a_healed_network_is_announced_to(cluster: Cluster) -> None:
    cluster.view({1, 2}, ring=12)
    cluster.pass_time(3.0)
    before = len(cluster.toys[1].announced)
    cluster.view({1, 2, 3}, ring=16)
    assert len(cluster.toys[1].announced) == before + 1


def test_without_the_quorum_guard_a_lonely_node_takes_the_address() -> None:
    cluster = Cluster(Unsafe(quorum_guard=False))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.5)
    cluster.dead.add(1)
    cluster.nodes[1].membership_reported(Report(False, 12, frozenset({1})))
    cluster.view({2, 3}, ring=12)
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1, 2]


def test_without_release_on_loss_the_old_holder_keeps_the_address() -> None:
    cluster = Cluster(Unsafe(release_on_loss=False))
    cluster.pass_time(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.pass_time(0.5)
    cluster.dead.add(1)
    cluster.nodes[1].membership_reported(Report(False, 12, frozenset({1})))
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1]
    cluster.view({2, 3}, ring=12)
    for _ in range(100):
        cluster.pass_time(0.002)
        cluster.wake(1)
    for _ in range(20):
        cluster.pass_time(0.002)
        cluster.wake(1)
    assert cluster.holders() == [1, 2]
    warnings = [fields["message"] for event, fields in cluster.toys[1].events if event == "warning"]
    assert any("release_on_loss" in str(message) for message in warnings)
